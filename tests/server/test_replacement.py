"""What may take the place of what is served: the same for a reload and for a restart."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gateway.config.compile.build import build_gateway
from gateway.model.store_server import Sentinels, StoreServer
from gateway.server.compiling import Live
from gateway.server.replacement import Refusal, refusal, standing_from, standing_of
from tests.config.samples import sample_plan

ONE, TWO, THREE = ("k1", b"0" * 32), ("k2", b"1" * 32), ("k3", b"2" * 32)
APP = """\
version: 1
app: {name}
hosts: [{hosts}]
upstream: {{url: http://127.0.0.1:9001}}
providers: [metropole]
translate: {{headers: {{X-Remote-User: {{from: uid}}}}}}
access: [{{path: /**, allow: signed_in}}]
"""


def live(hosts: Mapping[str, str], *keys: tuple[str, bytes], server: StoreServer | None = None) -> Live:
    """`hosts`: of each application, as its file has them."""
    # The application of every sample is not there.
    files: dict[str, str | None] = {"apps/permis.yaml": None, "apps/annuaire.yaml": None}
    files |= {f"apps/{name}.yaml": APP.format(name=name, hosts=its) for name, its in hosts.items()}
    plan = sample_plan(files)
    gateway = build_gateway(plan)
    return Live(plan, "", replace(gateway, store_keys=keys or gateway.store_keys, store_server=server))


async def read(plan: bytes, in_force: Mapping[str, str]) -> str:
    return ""


async def why(before: Live, after: Live, *, fewer_hosts: bool = False) -> Refusal:
    return await refusal(standing_of(before), after, read, fewer_hosts=fewer_hosts)


FOUR = {"one": "a.localhost, b.localhost", "two": "c.localhost", "three": "d.localhost"}


@pytest.mark.parametrize(
    ("left", "gone"),
    [
        (FOUR, 0),
        ({"one": "a.localhost, b.localhost"}, 2),
        ({"one": "a.localhost"}, 3),
        ({}, 4),
        ({"other": "x.localhost, y.localhost, z.localhost, w.localhost, v.localhost"}, 4),
        ({"renamed": "a.localhost, b.localhost, c.localhost, d.localhost, e.localhost"}, 0),
    ],
)
async def test_more_than_half_of_the_hosts_go_where_an_operator_means_it(left: dict[str, str], gone: int) -> None:
    told = await why(live(FOUR), live(left))
    if gone <= 2:
        assert told == Refusal()
        return
    assert told.code == "config.hosts_gone"
    names = ["a.localhost", "b.localhost", "c.localhost", "d.localhost"][-gone:]
    assert told.detail == (
        f"{gone} of 4 hosts would be gone: {', '.join(names)}. Is a part of the folder missing, or not mounted? "
        "If you intend this: `ecluse reload --yes`, or `ecluse restart --yes`"
    )
    assert await why(live(FOUR), live(left), fewer_hosts=True) == Refusal()


async def test_where_there_was_no_host_none_can_go_and_of_many_some_are_named() -> None:
    assert await why(live({}), live({})) == Refusal()
    many = live({"one": ", ".join(f"h{number:02}.localhost" for number in range(30))})
    told = (await why(many, live({}))).detail
    assert told.startswith("30 of 30 hosts would be gone: h00.localhost, ")
    assert "h09.localhost and 20 more. Is" in told
    assert "h10" not in told


async def test_a_store_key_is_known_before_it_seals_and_may_go_when_another_does() -> None:
    first, known, used = (live(FOUR, *keys) for keys in ((ONE,), (ONE, TWO), (TWO, ONE)))
    assert await why(first, known) == await why(known, used) == await why(used, live(FOUR, TWO)) == Refusal()
    for keys in ((TWO, ONE), (TWO,), (THREE, ONE, TWO)):
        for fewer_hosts in (False, True):
            told = await why(first, live(FOUR, *keys), fewer_hosts=fewer_hosts)
            assert told == Refusal(
                f"store: the key `{keys[0][0]}` would seal before every gateway has it: list it second first, then "
                "first (a keyring begins with the key before, by `ecluse key new --from`, and goes on by "
                "`ecluse key rotate`)",
                "config.store_keys",
            )


async def test_a_store_key_keeps_its_secret() -> None:
    told = await why(live(FOUR, ONE), live(FOUR, ("k1", b"1" * 32)))
    assert told.detail == "store: the key `k1` has another secret than before: give the new key a new id"


async def test_another_store_has_none_of_the_sessions_that_a_key_opens() -> None:
    server = StoreServer(addresses=(("10.0.0.6", 6379),))
    other = replace(server, prefix="other:")
    before = live(FOUR, ONE, server=server)
    assert await why(live(FOUR, ONE), live(FOUR, TWO, server=server)) == Refusal()
    assert await why(before, live(FOUR, TWO, server=other)) == Refusal()
    assert (await why(before, live(FOUR, TWO, server=server))).code == "config.store_keys"


@pytest.mark.parametrize(
    "moved",
    [
        {"addresses": (("10.0.0.6", 6379), ("10.0.0.7", 6379)), "cluster": True},
        {"addresses": (("10.0.0.9", 26379),), "sentinels": Sentinels("ecluse")},
        {"addresses": (("valkey.example", 6379),)},
    ],
)
async def test_other_addresses_may_lead_to_the_same_sessions(moved: dict[str, Any]) -> None:
    server = StoreServer(addresses=(("10.0.0.6", 6379),))
    before = live(FOUR, ONE, server=server)
    assert await why(before, live(FOUR, ONE, server=replace(server, **moved))) == Refusal()
    assert (await why(before, live(FOUR, TWO, server=replace(server, **moved)))).code == "config.store_keys"


async def test_the_files_of_directories_are_read_last() -> None:
    asked: list[Mapping[str, str]] = []

    async def reads(plan: bytes, in_force: Mapping[str, str]) -> str:
        asked.append(in_force)
        return "directory communes stays as it was: no such file"

    before = replace(standing_of(live(FOUR)), directories={"communes": "f1"})
    told = await refusal(before, live(FOUR), reads, fewer_hosts=False)
    assert told == Refusal("directory communes stays as it was: no such file", "config.directory")
    assert asked == [{"communes": "f1"}]


def test_it_is_told_without_secrets_and_read_as_it_was() -> None:
    standing = standing_of(live(FOUR, ONE, TWO))
    told = standing.as_json()
    assert standing_from(told) == standing
    assert b"0" * 32 not in str(told).encode()
    for other in (None, {}, [], {**told, "hosts": "a"}, {**told, "store_keys": 1}, {**told, "store": None}):
        assert standing_from(other) is None
