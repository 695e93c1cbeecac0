"""Looks at servers of every kind, from the address that a worker tells to the verdict that workers are told."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from gateway.federation import provider_looks
from gateway.federation.provider_looks import ProviderLooks, looked_at
from gateway.federation.provider_standing import ProviderVerdict, SignInNews
from gateway.model.provider import MetadataFile, MetadataUrl, OidcProvider, Provider
from gateway.ops.log import Log
from tests.federation.servers import Handler, raw_server, web_server
from tests.oidc.samples import provider
from tests.patience import until
from tests.saml.parties import PROVIDER

OP = replace(provider(), name="op", development=True)


class Watch:
    """`told`: each verdict in its order, without what is told again."""

    def __init__(self, folder: Path, log: Log) -> None:
        self.told: list[tuple[str, ProviderVerdict]] = []
        self.file = folder / "reached.json"
        self.looks = ProviderLooks(self.file, log, self._tell)

    def _tell(self, name: str, verdict: ProviderVerdict) -> None:
        if (name, verdict) not in self.told[-1:]:
            self.told.append((name, verdict))

    def sent(self, address: str, name: str = "op", people: int = 1) -> None:
        self.looks.heard({name: SignInNews(sent=people, address=address)})

    def count(self, result: str, name: str = "op") -> float:
        return self.looks.counters().get((provider_looks.LOOKS, name, result), 0.0)


@asynccontextmanager
async def watching(folder: Path, *providers: Provider) -> AsyncIterator[Watch]:
    folder.mkdir(exist_ok=True)
    with (folder / "log").open("ab") as file:
        log = Log(file.fileno(), strict=True)
        watch = Watch(folder, log)
        await watch.looks.use(providers or (OP,))
        running = asyncio.create_task(watch.looks.run())
        try:
            yield watch
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await watch.looks.close()
            log.close()


def logged(folder: Path) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    return [(line["event"], line["provider"]) for line in lines]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for here is the order of things."""
    for name, value in (("CONFIRMED_AFTER", 0.01), ("SENT_PAUSE", 0.02), ("USUAL_PAUSE", 0.02), ("SHORT_PAUSE", 0.02)):
        monkeypatch.setattr(f"gateway.federation.provider_standing.{name}", value)
    monkeypatch.setattr(provider_looks, "LOOK_SECONDS", 0.3)


def answering(status: Callable[[], int]) -> Handler:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status(), headers={"Location": "/elsewhere"})

    return answer


async def gone_and_back(folder: Path, change: Callable[[str], None], address: str, one: OidcProvider = OP) -> None:
    async with watching(folder, one) as watch:
        watch.sent(address)
        await until(lambda: watch.told == [("op", "up")])
        change("away")
        watch.sent(address)
        await until(lambda: watch.told[-1] == ("op", "away"))
        assert watch.looks.counters()[(provider_looks.PROVIDER_AWAY, "op")] == 1.0
        change("up")
        await until(lambda: watch.told[-1] == ("op", "up"))
        assert watch.looks.counters()[(provider_looks.PROVIDER_AWAY, "op")] == 0.0
        assert watch.told == [("op", "up"), ("op", "away"), ("op", "up")]
        assert watch.count("answered") >= 3
        assert watch.count("failed") >= 2
    assert logged(folder) == [("provider.away", "op"), ("provider.back", "op")]


async def test_a_provider_whose_people_are_back_at_once_is_looked_at_and_so_its_death_is_seen(tmp_path: Path) -> None:
    """With silent sign-ins, each person is sent and comes back between two words of a worker."""
    statuses = {"up": 400, "away": 503}
    now = ["up"]
    async with web_server(answering(lambda: statuses[now[-1]])) as port, watching(tmp_path) as watch:
        address = f"http://127.0.0.1:{port}/authorize"
        watch.looks.heard({"op": SignInNews(back=0.0, sent=0, address=address)})
        await until(lambda: watch.told == [("op", "up")])
        now.append("away")
        watch.sent(address)
        await until(lambda: watch.told[-1] == ("op", "away"))


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500, 501])
async def test_any_other_status_than_those_of_a_front_is_an_answer(tmp_path: Path, status: int) -> None:
    async with web_server(answering(lambda: status)) as port, watching(tmp_path) as watch:
        watch.sent(f"http://127.0.0.1:{port}/authorize")
        await until(lambda: watch.told == [("op", "up")])


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_front_says_that_what_is_behind_it_is_away(tmp_path: Path, status: int) -> None:
    statuses = {"up": 400, "away": status}
    now = ["up"]
    async with web_server(answering(lambda: statuses[now[-1]])) as port:
        await gone_and_back(tmp_path, now.append, f"http://127.0.0.1:{port}/authorize")


async def test_a_server_that_takes_connections_and_says_nothing_is_away(tmp_path: Path) -> None:
    held, hangs = asyncio.Event(), [False]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if hangs[-1]:
            await held.wait()
        return web.Response()

    def change(what: str) -> None:
        hangs.append(what == "away")

    async with web_server(answer) as port:
        try:
            await gone_and_back(tmp_path, change, f"http://127.0.0.1:{port}/")
        finally:
            held.set()


async def test_a_certificate_of_an_authority_that_is_not_trusted_is_away(tmp_path: Path) -> None:
    authorities = {"up": trustme.CA(), "away": trustme.CA()}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def change(what: str) -> None:
        """From the next handshake on."""
        authorities[what].issue_cert("localhost").configure_cert(context)

    change("up")
    one = replace(OP, ca=authorities["up"].cert_pem.bytes())
    async with web_server(answering(lambda: 200), context) as port:
        await gone_and_back(tmp_path, change, f"https://localhost:{port}/", one)


async def test_one_that_no_look_has_reached_is_never_away(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        async with watching(tmp_path) as watch:
            for number in range(1, 6):
                watch.sent(address)
                await until(lambda at=number: watch.count("failed") >= at)  # type: ignore[misc]
            assert {verdict for _, verdict in watch.told} == {"unknown"}
            assert (provider_looks.PROVIDER_AWAY, "op") not in watch.looks.counters()


async def test_an_address_that_the_provider_may_not_have_is_not_connected_to(tmp_path: Path) -> None:
    """As any other call to it (SS01)."""
    one = replace(OP, development=False)
    async with raw_server(b"HTTP/1.1 200 OK\r\n\r\n") as raw, watching(tmp_path, one) as watch:
        watch.sent(raw.url)
        await until(lambda: watch.count("failed") == 1)
        assert raw.connections == 0


async def test_of_a_response_its_head_alone_is_read(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    async with raw_server(head, b"x" * 65536, repeat=16384) as raw, watching(tmp_path) as watch:
        watch.sent(raw.url)
        await until(lambda: watch.told == [("op", "up")])
        assert raw.requests[0].startswith(b"GET / HTTP/1.1\r\n")
        assert b"cookie" not in raw.requests[0].lower()
        # What the kernel holds of one connection, and not a thousand million.
        assert raw.sent < 64 << 20


async def test_one_that_hangs_delays_no_other_s_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_looks, "LOOK_SECONDS", 60.0)
    slow = [replace(OP, name=f"slow-{number}") for number in range(50)]
    held = asyncio.Event()

    async def hangs(request: web.BaseRequest) -> web.StreamResponse:
        await held.wait()
        return web.Response()

    async with web_server(hangs) as hanging, web_server(answering(lambda: 200)) as port:
        async with watching(tmp_path, OP, *slow) as watch:
            for _ in range(3):
                for one in slow:
                    watch.sent(f"http://127.0.0.1:{hanging}/", one.name, people=9)
            watch.sent(f"http://127.0.0.1:{port}/")
            await until(lambda: watch.told == [("op", "up")])
            await until(lambda: len(watch.looks._under_way) == len(slow))  # one at a time for each
        held.set()


async def test_people_who_come_back_spare_the_looks(tmp_path: Path) -> None:
    async with web_server(answering(lambda: 200)) as port, watching(tmp_path) as watch:
        watch.sent(f"http://127.0.0.1:{port}/")
        await until(lambda: watch.count("answered") == 2)
        watch.looks.heard({"op": SignInNews(back=time.monotonic(), sent=0)})
        done = watch.count("answered") + len(watch.looks._under_way)
        await asyncio.sleep(0.2)
        assert watch.count("answered") == done, "nobody is missing"


DOCUMENT = "/.well-known/openid-configuration"


async def test_where_nobody_could_be_sent_the_document_is_looked_at_or_what_is_known_already(tmp_path: Path) -> None:
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response()

    async with web_server(answer) as port, watching(tmp_path, replace(OP, issuer=f"http://127.0.0.1:{port}")) as watch:
        watch.sent("")
        await until(lambda: {*asked} == {DOCUMENT})
        watch.sent(f"http://localhost:{port}/sign-in")
        await until(lambda: asked[-1] == "/sign-in")
        watch.sent("")
        asked.clear()
        await until(lambda: asked)
        assert {*asked} == {"/sign-in"}


@pytest.mark.parametrize(
    ("sign_in", "address"),
    [
        ("", f"https://op.example{DOCUMENT}"),
        ("https://op.example/authorize", f"https://op.example{DOCUMENT}"),
        ("https://op.example:8443/authorize", "https://op.example:8443/authorize"),
        ("https://login.op.example/authorize", "https://login.op.example/authorize"),
        ("https://op.example.evil.example/authorize", "https://op.example.evil.example/authorize"),
    ],
)
def test_of_an_openid_provider_its_document_is_looked_at_where_that_is_on_its_server(
    sign_in: str, address: str
) -> None:
    assert looked_at(provider(issuer="https://op.example"), sign_in) == address


def test_of_a_saml_provider_its_own_metadata_are_looked_at_and_no_federation_s() -> None:
    sign_in = "https://idp.example/sso?x=1"
    own = MetadataUrl("https://idp.example/metadata", "entity", ())
    assert looked_at(replace(PROVIDER, metadata=own), sign_in) == own.url
    for where in (replace(own, kind="aggregate"), replace(own, url="https://f.example/idp"), MetadataFile(b"")):
        assert looked_at(replace(PROVIDER, metadata=where), sign_in) == sign_in
        assert looked_at(replace(PROVIDER, metadata=where), "") == ""


async def test_a_gateway_at_which_nobody_signs_in_looks_at_nobody(tmp_path: Path) -> None:
    async with watching(tmp_path) as watch:
        watch.looks.heard({"op": SignInNews(wanted=True)})
        watch.looks.heard({"nobody": SignInNews(sent=1, address="http://127.0.0.1:1/")})
        await asyncio.sleep(0.1)
        assert watch.looks.counters() == {}


async def test_what_was_reached_once_is_known_at_the_next_start(tmp_path: Path) -> None:
    """After a loss of power, a gateway may be back before the provider is."""
    async with web_server(answering(lambda: 200)) as port:
        address = f"http://127.0.0.1:{port}/"
        async with watching(tmp_path) as watch:
            watch.sent(address)
            await until(watch.file.exists)
    async with watching(tmp_path) as watch:
        watch.sent(address)
        await until(lambda: watch.told[-1:] == [("op", "away")])
    async with watching(tmp_path) as watch:
        watch.sent(f"{address}elsewhere")
        await until(lambda: watch.count("failed") >= 3)
        assert watch.told == [("op", "unknown")], "another address"


async def test_what_browsers_reach_and_looks_do_not_is_unknown_at_the_next_start(tmp_path: Path) -> None:
    async with web_server(answering(lambda: 200)) as port:
        address = f"http://127.0.0.1:{port}/"
        async with watching(tmp_path) as watch:
            watch.sent(address)
            await until(watch.file.exists)
    async with watching(tmp_path) as watch:
        before = time.monotonic()
        watch.sent(address)
        await until(lambda: watch.told[-1:] == [("op", "away")])
        watch.looks.heard({"op": SignInNews(back=before, sent=0)})
        assert watch.told[-1] == ("op", "away"), "an answer from before it died"
        watch.looks.heard({"op": SignInNews(back=time.monotonic(), sent=0)})
        await until(lambda: json.loads(watch.file.read_text()) == {})
        assert watch.told[-1] == ("op", "unknown")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"op": 1}', '"x"'])
async def test_a_file_that_makes_no_sense_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "reached.json").write_text(content)
    async with web_server(answering(lambda: 200)) as port, watching(tmp_path) as watch:
        watch.sent(f"http://127.0.0.1:{port}/")
        await until(lambda: watch.told == [("op", "up")])


async def test_without_room_for_the_file_looks_go_on(tmp_path: Path) -> None:
    (tmp_path / "reached.new").mkdir()
    async with web_server(answering(lambda: 200)) as port, watching(tmp_path) as watch:
        watch.sent(f"http://127.0.0.1:{port}/")
        await until(lambda: watch.count("answered") >= 2)
        assert not watch.file.exists()


async def test_a_provider_that_a_reload_takes_away_is_forgotten(tmp_path: Path) -> None:
    async with web_server(answering(lambda: 200)) as port, watching(tmp_path) as watch:
        watch.sent(f"http://127.0.0.1:{port}/")
        await until(lambda: watch.told == [("op", "up")])
        await watch.looks.use(())
        assert watch.looks.verdicts() == {}
