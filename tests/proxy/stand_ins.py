"""What the data plane needs beside itself, in its smallest form: seats, pages, log, portal."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.access.inbound import InboundRequest
from gateway.config.snapshot import Snapshot
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.kept_post import SendOn
from gateway.model.ports import Page, Reader
from gateway.model.session import Seat
from gateway.stores.records import SessionSummary

NEVER = 1e12
COOKIE = b"abcdefghijklmnopqrstuv.0123456789012345678901234567890123456789012"


def identity(**attributes: str | tuple[str, ...]) -> Identity:
    values = {name: (value,) if isinstance(value, str) else value for name, value in attributes.items()}
    return Identity("metropole", "http://127.0.0.1:9400", "subject-1", values)


def seat(host: str, who: Identity, cookie: bytes = COOKIE) -> Seat:
    return Seat(cookie, host, "session-" + cookie[:4].decode(), who, None, 1800.0, NEVER, NEVER, NEVER)


class Holder:
    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot


class Sessions:
    """`hot`: in this worker's memory; `cold`: in the store; `error`: what the store raises."""

    def __init__(self) -> None:
        self.hot: dict[bytes, Seat] = {}
        self.cold: dict[bytes, Seat] = {}
        self.error: GatewayError | None = None
        self.loads = 0
        self.touched: list[Seat] = []

    def cached(self, host: str, cookie: bytes) -> Seat | None:
        found = self.hot.get(cookie)
        return found if found is not None and found.host == host and found.live else None

    async def load_shared(self, host: str, cookie: bytes) -> Seat | None:
        return await self.load(host, cookie)

    async def load(self, host: str, cookie: bytes) -> Seat | None:
        self.loads += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        found = self.cold.get(cookie)
        if found is None or found.host != host:
            return None
        self.hot[cookie] = found
        return found

    def touch(self, seat: Seat, now: float) -> None:
        self.touched.append(seat)

    def revoke(self, session_ids: Iterable[str]) -> tuple[Seat, ...]:
        ids = set(session_ids)
        dead = tuple(found for found in self.hot.values() if found.session_id in ids)
        for found in dead:
            found.live = False
            del self.hot[found.cookie]
        return dead

    async def sign_in(self, **_: Any) -> bytes:
        raise NotImplementedError

    async def of_browser(self, host: str, cookie: bytes) -> tuple[SessionSummary, ...]:
        raise NotImplementedError

    async def end_browser(self, host: str, cookie: bytes) -> tuple[str, ...]:
        raise NotImplementedError


class Pages:
    def render(
        self,
        code: Code,
        *,
        kind: str,
        reader: Reader,
        reference: str,
        login_url: str = "",
        refusal: str = "",
        has_others: bool = False,
    ) -> Page:
        others = " others" if has_others else ""
        body = f"{code.id} {kind} {login_url} {refusal}{others}".replace("  ", " ").strip().encode()
        return Page(code.status, ((b"Content-Type", b"text/plain"), (b"Cache-Control", b"no-store")), body)


class Counters:
    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], float] = {}
        self.spent: list[float] = []

    def add(self, *key: str) -> None:
        self.count(1, *key)

    def count(self, number: float, *key: str) -> None:
        self.values[key] = self.values.get(key, 0) + number

    def gauge(self, value: float, *key: str) -> None:
        self.values[key] = value

    def overhead(self, seconds: float) -> None:
        self.spent.append(seconds)


class Log:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.lines: list[bytes] = []

    def event(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    def access(self, line: bytes) -> None:
        self.lines.append(line)

    def named(self, event: str) -> list[dict[str, object]]:
        return [fields for name, fields in self.events if name == event]


@dataclass(frozen=True)
class Asked:
    """What the portal was asked for. `received`: the same as a request would be written."""

    call: InboundRequest
    body: bytes

    @property
    def received(self) -> bytes:
        call = self.call
        lines = [f"{call.method} {call.target} HTTP/1.1".encode(), b"host: " + call.authority.encode()]
        lines += [name + b": " + value for name, value in call.headers.items()]
        lines += [b"cookie: " + call.cookies] if call.cookies else []
        return b"\r\n".join((*lines, b"", self.body))


class Portal:
    """Says `page`, or raises it, once it `may`. `ended`: how often it came to an end."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.page: Page | SendOn | Exception = Page(303, ((b"Location", b"/portal"),), b"")
        self.may = asyncio.Event()
        self.may.set()
        self.ended = 0

    def ask(self, call: InboundRequest, body: bytes) -> asyncio.Task[Page | SendOn]:
        self.asked.append(Asked(call, body))
        return asyncio.get_running_loop().create_task(self._answer())

    async def _answer(self) -> Page | SendOn:
        await self.may.wait()
        self.ended += 1
        if isinstance(self.page, Exception):
            raise self.page
        return self.page


class NoJars:
    """As stores.applications.cookie_jars, for sessions that are no more there: keeps nothing."""

    async def read(self, host: str, cookie: bytes) -> None: ...

    async def keep(self, host: str, cookie: bytes, cookies: object, mark: object) -> None: ...
