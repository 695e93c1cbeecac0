"""Names to addresses, through a resolver that fails, is silent, or says something else."""

import asyncio

import pytest

from gateway.proxy.addresses import Addresses
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
def nothing_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.proxy.addresses._FRESH", 0.0)


def made(resolver: Resolver) -> Addresses:
    return Addresses(asyncio.get_running_loop(), resolver)


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
    says: tuple[str, ...] | OSError | None, nothing_is_fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.proxy.addresses._PATIENCE", PATIENCE if says else 0.05)
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


async def test_what_could_not_be_reached_is_asked_anew_and_kept_all_the_same() -> None:
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
    monkeypatch.setattr(Addresses, "_by_the_system", lambda _, host: resolver(host))
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
