"""Looks at the providers to which people are being sent, for all workers. One process owns it: the supervisor.

A look is one GET on a new connection, whose head alone is read: what a browser would meet first. 502, 503 and 504 say
that what answers does not serve (RFC 9110 15.6.3 to 15.6.5). Any other status is an answer, 500 too: an address of
sign-ins, asked without a sign-in, may answer so where all is well.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from gateway.federation.addresses import Resolver
from gateway.federation.client import AWAY, ProviderClient
from gateway.federation.metadata_source import same_server
from gateway.federation.provider_standing import ProviderStanding, ProviderVerdict, SignInNews
from gateway.model.errors import GatewayError
from gateway.model.provider import MetadataUrl, OidcProvider, Provider
from gateway.model.quoting import quoted
from gateway.oidc.discovery import discovery_request
from gateway.oidc.documents import Call
from gateway.ops.log import Log

# Two looks that hang, and the pause between them, are over well within ten seconds.
LOOK_SECONDS = 3.0
# Each provider has one at most, and for three seconds at most.
AT_ONCE = 100

LOOKS = "ecluse_provider_looks_total"
PROVIDER_AWAY = "ecluse_provider_away"


class ProviderLooks:
    """To be made inside the running loop. `file`: where the addresses that a look has reached are kept; None: nowhere.
    `tell`: called with a provider's verdict after each look and each change."""

    def __init__(self, file: Path | None, log: Log, tell: Callable[[str, ProviderVerdict], None]) -> None:
        self._file = file
        self._log = log
        self._tell = tell
        self._providers: dict[str, Provider] = {}
        self._standings: dict[str, ProviderStanding] = {}
        self._reached: dict[str, str] = {}
        self._is_written = True
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._counts: dict[tuple[str, ...], float] = {}
        self._woken = asyncio.Event()

    async def use(self, providers: Iterable[Provider]) -> None:
        """These from now on. Never raises: without its file, what was reached before is not known."""
        before, self._providers = self._providers, {each.name: each for each in providers}
        if not before:
            self._reached = await asyncio.to_thread(_read, self._file)
        for name in [name for name in self._standings if name not in self._providers]:
            del self._standings[name]

    def heard(self, news: Mapping[str, SignInNews]) -> None:
        """From a worker, by provider."""
        now = time.monotonic()
        for name, of_it in news.items():
            standing = self._standings.get(name)
            provider = self._providers.get(name)
            if provider is None:
                continue
            address = looked_at(provider, of_it.get("address", ""), None if standing is None else standing.address)
            if standing is None and not (address and of_it.get("sent")):
                continue
            if standing is None or (address and standing.address != address):
                standing = ProviderStanding(address, reached=self._reached.get(name) == address)
            if of_it.get("back"):
                standing = standing.came_back()
            if sent := of_it.get("sent", 0):
                standing = standing.sent(sent, now)
            if of_it.get("wanted"):
                standing = standing.wanted(now)
            self._take(name, standing)
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled: looks where a look is due. With nobody sent anywhere, it waits."""
        while True:
            self._woken.clear()
            if not self._is_written:
                self._is_written = True
                await asyncio.to_thread(_write, self._file, dict(self._reached))
            now = time.monotonic()
            for name, standing in tuple(self._standings.items()):
                self._take(name, standing.rested(now))
            due = sorted(
                (standing.due_at, name) for name, standing in self._standings.items() if name not in self._under_way
            )
            for at, name in due[: AT_ONCE - len(self._under_way)]:
                if at <= now:
                    self._start(name)
            following = [at for at, name in due if name not in self._under_way and at < float("inf")]
            with suppress(TimeoutError):
                # Where as many looks as may be are under way, the end of one wakes this.
                full = len(self._under_way) >= AT_ONCE
                async with asyncio.timeout(max(0.0, following[0] - now) if following and not full else None):
                    await self._woken.wait()

    async def close(self) -> None:
        under_way = tuple(self._under_way.values())
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)

    def verdicts(self) -> dict[str, ProviderVerdict]:
        return {name: standing.verdict for name, standing in self._standings.items()}

    def counters(self) -> dict[tuple[str, ...], float]:
        """For the metrics of the supervisor. A provider of which nothing is known has no value."""
        known = {name: verdict for name, verdict in self.verdicts().items() if verdict != "unknown"}
        return {**self._counts, **{(PROVIDER_AWAY, name): float(known[name] == "away") for name in known}}

    def _start(self, name: str) -> None:
        look = self._look(self._providers[name], self._standings[name].address)
        self._under_way[name] = task = asyncio.get_running_loop().create_task(look)
        task.add_done_callback(lambda _: self._ended(name))

    def _ended(self, name: str) -> None:
        del self._under_way[name]
        self._woken.set()

    async def _look(self, provider: Provider, address: str) -> None:
        trouble = await _trouble(provider, address)
        key = (LOOKS, provider.name, "failed" if trouble else "answered")
        self._counts[key] = self._counts.get(key, 0) + 1
        standing = self._standings.get(provider.name)
        # A reload, or another address, may have come meanwhile.
        if standing is None or standing.address != address:
            return
        self._take(provider.name, standing.looked(not trouble, time.monotonic()), trouble)
        self._tell(provider.name, self._standings[provider.name].verdict)
        if not trouble and self._reached.get(provider.name) != address:
            self._reached[provider.name] = address
            self._is_written = False

    def _take(self, name: str, standing: ProviderStanding, trouble: str = "") -> None:
        before = self._standings.get(name)
        self._standings[name] = standing
        if before is not None and before.reached and not standing.reached:
            # Browsers get there and looks do not: the next start is not to go by what once was.
            self._reached.pop(name, None)
            self._is_written = False
        was: ProviderVerdict = "unknown" if before is None else before.verdict
        if standing.verdict == was:
            return
        if standing.verdict == "away":
            self._log.event("provider.away", provider=name, detail=trouble)
        elif was == "away":
            self._log.event("provider.back", provider=name, detail=f"{standing.verdict} again")
        self._tell(name, standing.verdict)


def looked_at(provider: Provider, sign_in: str, known: str | None = None) -> str:
    """What is looked at where people are sent to `sign_in`: a document on that server, if there is one, and else that
    very address, where a look is a sign-in that says nothing. `sign_in` empty: it is not known. Then `known`, what was
    looked at before; else the document of an OpenID provider, and nothing of a SAML one."""
    if not sign_in and known is not None:
        return known
    document = ""
    if isinstance(provider, OidcProvider):
        document = discovery_request(provider).url
        sign_in = sign_in or document
    elif isinstance(where := provider.metadata, MetadataUrl) and where.kind == "entity":
        # Metadata of a federation say nothing of one provider.
        document = where.url
    return document if document and same_server(document, sign_in) else sign_in


async def _trouble(provider: Provider, address: str) -> str:
    """Empty where the address answers; else what a person would meet there. What is looked up, connected or shaken
    hands with is this look's own: no other provider's look waits for it."""
    resolver = Resolver()
    reach = provider.ca, provider.client_certificate, provider.development or provider.private_addresses
    client = ProviderClient(*reach, resolver, LOOK_SECONDS)
    try:
        status = await client.status(Call("look", "GET", address, (("Accept", "*/*"),)))
    except GatewayError as error:
        return error.detail
    finally:
        await client.close()
        await resolver.close()
    return f"{quoted(address)} answered with status {status}" if status in AWAY else ""


def _read(file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(address) for name, address in found.items()} if isinstance(found, dict) else {}


def _write(file: Path | None, reached: Mapping[str, str]) -> None:
    """Whole or not at all. Where it cannot be written, the next start learns it by looks of its own."""
    if file is None:
        return
    beside = file.with_suffix(".new")
    with suppress(OSError):
        beside.write_text(json.dumps(reached))
        os.replace(beside, file)
