"""Names to addresses, through a resolver that fails, is silent, or says something else."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from gateway.proxy.upstream.resolver import UpstreamResolver
from tests.patience import PATIENCE
from tests.proxy.applications import application
from tests.proxy.gateways import ask, files, gateway

ONE, TWO = "192.0.2.1", "192.0.2.2"
PUBLIC = ask(b"GET /public/a")


class Resolver:
    """`says`: the addresses, or None for silence, or an error."""

    def __init__(self, says: tuple[str, ...] | OSError | None) -> None:
        self.says = says
        self.asked: list[str] = []

    async def __call__(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        if self.says is None:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        if isinstance(self.says, OSError):
            raise self.says
        return self.says or ()


@pytest.fixture
def asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time: nothing is fresh, and no silence is remembered."""
    monkeypatch.setattr("gateway.proxy.upstream.resolver._FRESH", 0.0)
    monkeypatch.setattr("gateway.proxy.upstream.resolver._AGAIN", 0.0)


def made(resolver: Resolver) -> UpstreamResolver:
    return UpstreamResolver(asyncio.get_running_loop(), resolver)


async def test_a_name_is_asked_once_for_all_who_wait_and_kept_for_a_while() -> None:
    resolver = Resolver((ONE, TWO))
    addresses = made(resolver)
    assert await asyncio.gather(*(addresses.of("app") for _ in range(20))) == [(ONE, TWO)] * 20
    assert await addresses.of("app") == (ONE, TWO)
    assert await addresses.of("other") == (ONE, TWO)
    assert resolver.asked == ["app", "other"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "2001:db8::1"])
async def test_an_address_is_asked_of_nobody(address: str) -> None:
    resolver = Resolver(None)
    assert await made(resolver).of(address) == (address,)
    assert resolver.asked == []


@pytest.mark.parametrize("says", [None, OSError("no such name"), (TWO,)])
async def test_what_was_good_stays_where_the_resolver_has_nothing_newer(
    says: tuple[str, ...] | OSError | None, asked_again: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.proxy.upstream.resolver._PATIENCE", PATIENCE if says else 0.05)
    resolver = Resolver((ONE,))
    addresses = made(resolver)
    await addresses.of("app")
    resolver.says = says
    for _ in range(3):
        assert await addresses.of("app") == ((TWO,) if isinstance(says, tuple) else (ONE,))
    # A silent one holds one thread a name, however often it is asked for.
    assert len(resolver.asked) == (2 if says is None else 4)


async def test_a_name_that_never_was_good_is_the_resolvers_error() -> None:
    resolver = Resolver(OSError("no such name"))
    addresses = made(resolver)
    for _ in range(2):
        with pytest.raises(OSError, match="no such name"):
            await addresses.of("app")
    resolver.says = (ONE,)
    assert await addresses.of("app") == (ONE,)


async def test_who_gives_up_takes_the_answer_from_nobody_else() -> None:
    resolver = Resolver((ONE,))
    addresses = made(resolver)
    impatient = asyncio.create_task(addresses.of("app"))
    other = asyncio.create_task(addresses.of("app"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await other == (ONE,)


async def test_what_could_not_be_reached_is_asked_anew_and_kept_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.proxy.upstream.resolver._AGAIN", 0.0)
    resolver = Resolver((ONE,))
    addresses = made(resolver)
    await addresses.of("app")
    addresses.doubt("app")
    addresses.doubt("never heard of")
    resolver.says = OSError("no such name")
    assert await addresses.of("app") == (ONE,)
    resolver.says = (TWO,)
    assert await addresses.of("app") == (TWO,)
    assert len(resolver.asked) == 3


async def test_the_next_address_is_tried_and_an_unknown_name_is_a_502(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(("127.0.0.2", "127.0.0.1"))
    monkeypatch.setattr(UpstreamResolver, "_by_the_system", lambda _, host: resolver(host))
    async with application() as app:
        named = {name: text.replace("127.0.0.1:", "app.invalid:") for name, text in files(app.port).items()}
        changes = {"apps/permis.yaml": named["apps/permis.yaml"]}
        async with gateway(app, changes=changes) as gate:
            assert (await gate.once(PUBLIC)).status == 200
        resolver.says = OSError("no such name")
        async with gateway(app, changes=changes) as gate:
            assert (await gate.once(PUBLIC)).status == 502
            assert "no such name" in gate.log.named("upstream.failed")[0]["detail"]
    assert resolver.asked == ["app.invalid", "app.invalid"]


# --- a resolver of the system that stands still: faked where it is called, in the thread


@pytest.fixture
def standing_still(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names asked for. Those that begin with "stalled" are answered at the end of the test."""
    asked: list[str] = []
    go_on = threading.Event()

    def getaddrinfo(host: str, port: None, *, type: int) -> list[tuple[object, ...]]:
        asked.append(host)
        if host.startswith("stalled"):
            go_on.wait(PATIENCE)
        if host == "unknown":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, type, 6, "", ("127.0.0.1", 0)), (socket.AF_INET6, type, 6, "", ("::1", 0, 0, 0))]

    monkeypatch.setattr("gateway.proxy.upstream.resolver.socket.getaddrinfo", getaddrinfo)
    yield asked
    go_on.set()


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not met():
            await asyncio.sleep(0.01)


async def test_names_that_are_not_answered_keep_no_other_waiting(standing_still: list[str]) -> None:
    addresses = UpstreamResolver(asyncio.get_running_loop())
    stalled = [asyncio.create_task(addresses.of(f"stalled-{number}")) for number in range(12)]
    await until(lambda: len(standing_still) == 12)
    async with asyncio.timeout(60):
        assert await addresses.of("app") == ("127.0.0.1", "::1")
        with pytest.raises(OSError, match="not known"):
            await addresses.of("unknown")
    assert not any(task.done() for task in stalled)
    for task in stalled:
        task.cancel()


async def test_the_names_under_way_are_bounded_and_no_name_waits_for_a_place(
    standing_still: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.proxy.upstream.resolver._MOST", 8)
    addresses = UpstreamResolver(asyncio.get_running_loop())
    await addresses.of("app")
    stalled = [asyncio.create_task(addresses.of(f"stalled-{number}")) for number in range(8)]
    await until(lambda: len(standing_still) == 9)
    async with asyncio.timeout(60):
        with pytest.raises(OSError, match="8 other names"):
            await addresses.of("another")
        addresses.doubt("app")
        assert await addresses.of("app") == ("127.0.0.1", "::1")
    assert len(standing_still) == 9
    for task in stalled:
        task.cancel()


async def test_an_application_is_reached_while_the_names_of_others_are_not_answered(standing_still: list[str]) -> None:
    async with application() as app:
        texts = files(app.port)["apps/permis.yaml"]
        changes = {"apps/permis.yaml": texts.replace("127.0.0.1:", "app.invalid:")}
        for number in range(6):
            name = f"other{number}"
            text = texts.replace("127.0.0.1:", f"stalled-{number}:").replace("permis.localhost", f"{name}.localhost")
            changes[f"apps/{name}.yaml"] = text.replace("app: permis", f"app: {name}")
        async with gateway(app, changes=changes) as gate:
            waiting = [await gate.client() for _ in range(6)]
            for number, client in enumerate(waiting):
                client.send(PUBLIC.replace(b"permis.localhost", b"other%d.localhost" % number))
            await until(lambda: len(standing_still) == 6)
            assert (await gate.once(PUBLIC)).status == 200
            for client in waiting:
                client.close()


async def test_a_resolver_that_does_not_answer_is_not_waited_for_again_and_again() -> None:
    resolver = Resolver((ONE,))
    addresses = made(resolver)
    await addresses.of("app")
    addresses.doubt("app")
    resolver.says = OSError("servfail")
    assert [await addresses.of("app") for _ in range(5)] == [(ONE,)] * 5
    assert len(resolver.asked) == 2
