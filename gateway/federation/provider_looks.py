"""Probes the providers to which people are being sent, for all workers. One process, the supervisor, owns the probes.

A probe, here a look, is one GET on a new connection. A look reads the head of the response alone: the first thing a
browser would meet. The statuses 502, 503 and 504 mean unavailable (RFC 9110 15.6.3 to 15.6.5). Any other status counts
as an answer, including 500: a healthy sign-in page may respond with 500 to a request without a sign-in.
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

# Seconds. Two hanging looks and the pause between them end well within ten seconds.
LOOK_SECONDS = 3.0
# Concurrent looks. A provider has at most one, of at most three seconds.
AT_ONCE = 100

LOOKS = "ecluse_provider_looks_total"
PROVIDER_AWAY = "ecluse_provider_away"


class ProviderLooks:
    """Schedules the looks. Create an instance inside the running loop.

    `file`: stores the addresses that a look has reached; None: no file.
    `tell`: called with a provider's verdict after a look and after a change.
    """

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
        """Replaces the set of providers. Never raises: an unreadable file means that no address counts as reached
        before.
        """
        before, self._providers = self._providers, {each.name: each for each in providers}
        if not before:
            self._reached = await asyncio.to_thread(_read, self._file)
        for name in [name for name in self._standings if name not in self._providers]:
            del self._standings[name]

    def heard(self, news: Mapping[str, SignInNews]) -> None:
        """Takes a worker's news, by provider."""
        now = time.monotonic()
        for name, of_it in news.items():
            standing = self._standings.get(name)
            provider = self._providers.get(name)
            if provider is None:
                continue
            address = looked_at(provider, of_it.get("address", ""), None if standing is None else standing.address)
            # Everybody who was sent may be back already: then `sent` is 0.
            if standing is None and not (address and "sent" in of_it):
                continue
            if standing is None or (address and standing.address != address):
                standing = ProviderStanding(address, reached=self._reached.get(name) == address)
            if (asked_at := of_it.get("back")) is not None:
                standing = standing.came_back(asked_at)
            if sent := of_it.get("sent", 0):
                standing = standing.sent(sent, now)
            if of_it.get("wanted"):
                standing = standing.wanted(now)
            self._take(name, standing)
        self._woken.set()

    async def run(self) -> None:
        """Looks at providers whose look is due, until cancelled. Sleeps while no person is being sent to a provider."""
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
                # With the maximum of looks running, the end of a look wakes this loop.
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
        """The supervisor's metrics. A provider with the verdict "unknown" has no value."""
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
        # Meanwhile a reload may have removed the provider, or news may have changed the address.
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
            # Browsers reach the address and looks do not: the next start must not rely on the old success.
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
    """Returns the address to look at for people sent to `sign_in`.

    Prefers a document on the same server, else returns `sign_in`; a look at `sign_in` is a sign-in without parameters.
    `sign_in`: the sign-in address; empty: unknown. Then the result is `known`, else the discovery document of an OpenID
    provider; a SAML provider has no address then.
    `known`: the address looked at before; None: no look before.
    """
    if not sign_in and known is not None:
        return known
    document = ""
    if isinstance(provider, OidcProvider):
        document = discovery_request(provider).url
        sign_in = sign_in or document
    elif isinstance(where := provider.metadata, MetadataUrl) and where.kind == "entity":
        # A federation's metadata server says nothing about a single provider.
        document = where.url
    return document if document and same_server(document, sign_in) else sign_in


async def _trouble(provider: Provider, address: str) -> str:
    """Looks at `address`. Returns the trouble that a person would meet there; empty: the address answers.

    The look has its own resolver and connection, so that a look never waits for the look at a second provider.
    """
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
    """Replaces the file as a whole. After a failed write, the next start learns the addresses from new looks."""
    if file is None:
        return
    beside = file.with_suffix(".new")
    with suppress(OSError):
        beside.write_text(json.dumps(reached))
        os.replace(beside, file)
