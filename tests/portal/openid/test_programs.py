"""Programs with a token: told once, kept for a short while, bounded."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from joserfc import jwt

from gateway.config.api import Api
from gateway.directories.lookups import Directories
from gateway.federation.federation import Federation
from gateway.model.errors import GatewayError
from gateway.model.provider import ApiAccess, AttributeSource, OidcProvider
from gateway.model.scim import ScimClient
from gateway.oidc.access_token import AccessToken, process_introspection_response
from gateway.policy.routes import PathSet
from gateway.portal.openid import programs as module
from gateway.portal.openid.programs import Programs
from gateway.stores.people.told_forms import SeenPerson
from tests.directories.samples import Kept
from tests.oidc.samples import json_answer
from tests.portal.installation import ACTES, Installation

STRANGER, PROGRAM = "192.0.2.1", "198.51.100.7"
ACCESS = ApiAccess(frozenset({"urn:actes"}), frozenset(), frozenset({"RS256"}), introspection=True)


class Asked:
    """The federation, with the number of times that it was asked."""

    def __init__(self, here: Installation) -> None:
        self.federation = Federation(here.clock.monotonic)
        self.number = 0

    async def access_token(self, *arguments: object) -> object:
        self.number += 1
        return await self.federation.access_token(*arguments)  # type: ignore[arg-type]


@pytest.fixture
async def asked(here: Installation) -> AsyncIterator[Asked]:
    here.change_provider("metropole", api=ACCESS)
    here.change("actes", api=Api(("metropole",), PathSet(("/**",))))
    made = Asked(here)
    yield made
    await made.federation.close()


def callers_of(here: Installation, asked: Asked) -> Programs:
    return Programs(
        federation=asked,  # type: ignore[arg-type]
        directories=Directories(Path(here.state) / "directories", log=here.log, now=here.clock.now, kept=Kept()),
        active_people=here.active_people,
        snapshot=lambda: here.snapshot,
        now=here.clock.now,
        monotonic=here.clock.monotonic,
    )


def token(here: Installation, **changes: object) -> bytes:
    now = int(here.clock.now())
    claims = {
        "iss": here.metropole.issuer, "aud": "urn:actes", "sub": "service", "client_id": "c", "jti": "j",
        "iat": now, "exp": now + 600, "preferred_username": "service",
    }  # fmt: skip
    return jwt.encode({"alg": "RS256", "kid": "k1", "typ": "at+jwt"}, claims | changes, here.metropole.key).encode()


async def refused(callers: Programs, raw: bytes, owner: str = "metropole") -> str:
    with pytest.raises(GatewayError) as error:
        await callers.identify("actes", ACTES, raw, owner, STRANGER)
    assert raw.decode("latin-1") not in error.value.detail
    return error.value.code.id


async def test_it_is_looked_at_once_and_then_known(here: Installation, asked: Asked) -> None:
    callers, raw = callers_of(here, asked), token(here)
    assert callers.cached("actes", raw, "") is None
    seat = await callers.identify("actes", ACTES, raw, "", STRANGER)
    assert seat.identity.attributes["uid"] == ("service",)
    assert callers.cached("actes", raw, "") is seat
    assert callers.cached("permis", raw, "") is None, "each application has its own"
    assert raw not in repr(vars(callers)).encode()


async def test_not_for_longer_than_a_few_minutes_nor_than_it_lives(here: Installation, asked: Asked) -> None:
    callers, long, short = callers_of(here, asked), token(here), token(here, exp=int(here.clock.now()) + 10)
    for raw in (long, short):
        await callers.identify("actes", ACTES, raw, "", STRANGER)
    here.clock.ahead = 11
    assert callers.cached("actes", short, "") is None
    assert callers.cached("actes", long, "") is not None
    here.clock.ahead = 301
    assert callers.cached("actes", long, "") is None


async def test_what_streams_for_it_may_go_on_to_its_end(here: Installation, asked: Asked) -> None:
    callers, long, short = callers_of(here, asked), token(here), token(here, exp=int(here.clock.now()) + 10)
    ends = [
        (await callers.identify("actes", ACTES, raw, "", STRANGER)).hard_deadline - here.clock.monotonic()
        for raw in (long, short)
    ]
    assert [round(end) for end in ends] == [600, 10]


async def test_a_new_policy_looks_again(here: Installation, asked: Asked) -> None:
    callers, raw = callers_of(here, asked), token(here)
    await callers.identify("actes", ACTES, raw, "", STRANGER)
    here.snapshot = replace(here.snapshot, revision="2")
    assert callers.cached("actes", raw, "") is None


async def test_a_refused_one_is_not_asked_about_by_each_of_its_calls(here: Installation, asked: Asked) -> None:
    callers, raw = callers_of(here, asked), token(here, aud="urn:other")
    for _ in range(5):
        assert await refused(callers, raw) == "api.token"
    assert asked.number == 1
    here.clock.ahead = 6
    await refused(callers, raw)
    assert asked.number == 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"opaque" * 2000, "api.token"),
        (b"a.b.c", "oidc.id_token.form"),
        (b"opaque", "oidc.discovery.endpoint"),
        (b"\xff\xfe", "api.token"),
        (b"opaque more", "api.token"),
        (b"opa\tque", "api.token"),
    ],
)
async def test_what_is_no_token_of_anybody(here: Installation, asked: Asked, raw: bytes, code: str) -> None:
    assert await refused(callers_of(here, asked), raw) == code


async def test_of_a_provider_that_the_application_takes_none_of(here: Installation, asked: Asked) -> None:
    raw = jwt.encode(
        {"alg": "RS256", "kid": "k1", "typ": "at+jwt"}, {"iss": here.departement.issuer}, here.departement.key
    ).encode()
    assert await refused(callers_of(here, asked), raw) == "api.token"
    assert asked.number == 0


async def test_an_answer_of_the_provider_is_kept_for_half_a_minute(here: Installation, asked: Asked) -> None:
    async def introspect(provider: OidcProvider, api: ApiAccess, raw: str, now: float) -> AccessToken:
        asked.number += 1
        claims = {"active": True, "sub": "service", "aud": "urn:actes", "exp": now + 600, "preferred_username": "s"}
        return process_introspection_response(provider, api, json_answer(claims), now)

    asked.access_token = introspect  # type: ignore[method-assign]
    callers = callers_of(here, asked)
    await callers.identify("actes", ACTES, b"opaque", "metropole", STRANGER)
    here.clock.ahead = 29
    assert callers.cached("actes", b"opaque", "metropole") is not None
    here.clock.ahead = 31
    assert callers.cached("actes", b"opaque", "metropole") is None


# --- whose it is


async def test_an_opaque_one_of_no_owner_is_shown_to_nobody(here: Installation, asked: Asked) -> None:
    assert await refused(callers_of(here, asked), b"opaque", "") == "api.token"
    assert await refused(callers_of(here, asked), b"opaque", "departement") == "api.token"
    assert asked.number == 0


async def test_what_one_provider_has_accepted_is_not_the_others(
    here: Installation, asked: Asked, slowly: asyncio.Event
) -> None:
    slowly.set()
    callers = callers_of(here, asked)
    await callers.identify("actes", ACTES, b"opaque", "metropole", STRANGER)
    assert callers.cached("actes", b"opaque", "metropole") is not None
    assert callers.cached("actes", b"opaque", "departement") is None
    assert callers.cached("actes", b"opaque", "") is None


@pytest.mark.parametrize(("without", "siret", "tenant"), [(True, None, None), (True, "s", "s"), (False, "s", "s")])
async def test_a_token_that_names_no_organisation_acts_for_none_where_the_file_says_so(
    here: Installation, asked: Asked, without: bool, siret: str | None, tenant: str | None
) -> None:
    known = here.snapshot.providers["metropole"]
    mapped = {**known.attributes, "siret": AttributeSource(("siret",))}
    here.change_provider(
        "metropole", api=replace(ACCESS, without_tenant=without), tenant_attribute="siret", attributes=mapped
    )
    raw = token(here, **({} if siret is None else {"siret": siret}))
    assert (await callers_of(here, asked).identify("actes", ACTES, raw, "", STRANGER)).tenant == tenant


async def test_elsewhere_it_is_refused(here: Installation, asked: Asked) -> None:
    here.change_provider("metropole", tenant_attribute="siret")
    assert await refused(callers_of(here, asked), token(here)) == "login.mapping"


async def test_what_is_kept_is_bounded(here: Installation, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 3)
    callers = callers_of(here, asked)
    for number in range(8):
        await callers.identify("actes", ACTES, token(here, jti=f"j{number}"), "", STRANGER)
        await refused(callers, token(here, aud=f"urn:{number}"))
    assert len(callers._seats) <= 3
    assert len(callers._refused) <= 3


# --- many at once


@pytest.fixture
def slowly(asked: Asked) -> asyncio.Event:
    """The provider answers once this is set, and everybody is `service`."""
    answers = asyncio.Event()

    async def introspect(provider: OidcProvider, api: ApiAccess, raw: str, now: float) -> AccessToken:
        asked.number += 1
        await answers.wait()
        claims = {"active": True, "sub": "service", "aud": "urn:actes", "exp": now + 600, "preferred_username": "s"}
        return process_introspection_response(provider, api, json_answer(claims), now)

    asked.access_token = introspect  # type: ignore[method-assign]
    return answers


async def test_the_first_calls_of_a_program_ask_once(here: Installation, asked: Asked, slowly: asyncio.Event) -> None:
    callers = callers_of(here, asked)
    calls = [asyncio.create_task(callers.identify("actes", ACTES, b"opaque", "metropole", STRANGER)) for _ in range(20)]
    await asyncio.sleep(0)
    # Who goes away takes the answer from nobody.
    calls[0].cancel()
    slowly.set()
    seats = await asyncio.gather(*calls[1:])
    assert len({id(seat) for seat in seats}) == 1
    assert asked.number == 1


async def test_what_strangers_bring_is_asked_about_within_bounds(
    here: Installation, asked: Asked, slowly: asyncio.Event
) -> None:
    """So that sign-ins at that provider, which share the connections to it, are not kept waiting."""
    callers = callers_of(here, asked)
    calls = [
        asyncio.create_task(callers.identify("actes", ACTES, b"opaque-%d" % number, "metropole", STRANGER))
        for number in range(100)
    ]
    for _ in range(5):
        # Each begins, and has somebody look; who looks begins.
        await asyncio.sleep(0)
    assert asked.number == module._ASKED_AT_ONCE
    assert {call.exception().code.id for call in calls if call.done()} == {"login.provider_unreachable"}
    slowly.set()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(each, GatewayError) for each in done) == module._ASKED_AT_ONCE
    # And nobody is held against it for long.
    assert await callers.identify("actes", ACTES, b"opaque-99", "metropole", STRANGER)


@pytest.mark.parametrize("client", [PROGRAM, STRANGER])
async def test_a_flood_of_made_up_tokens_keeps_nobody_waiting_whose_token_was_accepted_before(
    here: Installation, asked: Asked, slowly: asyncio.Event, client: str
) -> None:
    """A program that is known by its address may bring a new token; one that is known by its token has moved."""
    callers = callers_of(here, asked)
    slowly.set()
    await callers.identify("actes", ACTES, b"opaque", "metropole", PROGRAM)
    here.clock.ahead = module._ASKED_KEPT + 1
    assert callers.cached("actes", b"opaque", "metropole") is None
    slowly.clear()
    flood = [
        asyncio.create_task(callers.identify("actes", ACTES, b"made-up-%d" % number, "metropole", STRANGER))
        for number in range(100)
    ]
    for _ in range(5):
        await asyncio.sleep(0)
    assert asked.number == 1 + module._ASKED_AT_ONCE
    raw = b"its-next" if client == PROGRAM else b"opaque"
    call = asyncio.create_task(callers.identify("actes", ACTES, raw, "metropole", client))
    for _ in range(5):
        await asyncio.sleep(0)
    assert asked.number == 2 + module._ASKED_AT_ONCE
    slowly.set()
    assert (await call).identity.subject == "service"
    await asyncio.gather(*flood, return_exceptions=True)


async def test_a_known_address_is_known_for_a_while_and_has_a_bound_too(
    here: Installation, asked: Asked, slowly: asyncio.Event
) -> None:
    callers = callers_of(here, asked)
    slowly.set()
    await callers.identify("actes", ACTES, b"opaque", "metropole", PROGRAM)
    slowly.clear()
    for ahead, most in ((0, module._KNOWN_BESIDE), (module._KNOWN_FOR + 1, module._ASKED_AT_ONCE)):
        here.clock.ahead, asked.number = ahead, 0
        calls = [
            asyncio.create_task(callers.identify("actes", ACTES, b"%d-%d" % (ahead, number), "metropole", PROGRAM))
            for number in range(50)
        ]
        for _ in range(5):
            await asyncio.sleep(0)
        assert asked.number == most
        for call in calls:
            call.cancel()


async def test_a_token_of_a_person_whom_a_directory_deactivated_is_refused(here: Installation, asked: Asked) -> None:
    client = ScimClient("annuaire", "metropole", (b"t" * 32,), person="uid")
    here.lists(client)
    await here.told.set_active(client, "service", active=False)
    assert await refused(callers_of(here, asked), token(here)) == "login.deactivated"
    await here.told.set_active(client, "service", active=True)
    await callers_of(here, asked).identify("actes", ACTES, token(here), "metropole", STRANGER)


async def test_a_token_that_does_not_say_who_it_is_of_is_of_whom_has_signed_in_with_its_subject(
    here: Installation, asked: Asked
) -> None:
    client = ScimClient("annuaire", "metropole", (b"t" * 32,), person="uid")
    here.lists(client)
    raw = token(here, sub="subject-of-alice", preferred_username=None)
    assert await refused(callers_of(here, asked), raw) == "login.mapping", "nobody has signed in with it"
    await here.told.saw_as(client, SeenPerson(here.metropole.issuer, "subject-of-alice"), ("old", "alice"))
    await callers_of(here, asked).identify("actes", ACTES, raw, "metropole", STRANGER)
    await here.told.set_active(client, "alice", active=False)
    assert await refused(callers_of(here, asked), raw) == "login.deactivated"
    other = token(here, sub="subject-of-bob", preferred_username=None)
    assert await refused(callers_of(here, asked), other) == "login.mapping"


async def test_a_sign_in_leaves_by_what_a_token_of_the_same_person_is_judged(here: Installation, asked: Asked) -> None:
    client = ScimClient("annuaire", "metropole", (b"t" * 32,), person="uid")
    here.lists(client)
    browser = here.browser("alice")
    assert (await browser.get(here.url(ACTES))).status == 200
    seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    raw = token(here, sub=seat.identity.subject, preferred_username=None)
    await callers_of(here, asked).identify("actes", ACTES, raw, "metropole", STRANGER)
    await here.told.set_active(client, "alice", active=False)
    assert await refused(callers_of(here, asked), raw) == "login.deactivated"


async def test_a_token_of_the_program_itself_is_of_no_person(here: Installation, asked: Asked) -> None:
    """RFC 9068 2.2: its subject is the client."""
    here.lists(ScimClient("annuaire", "metropole", (b"t" * 32,), person="uid"))
    its_own = token(here, sub="c", preferred_username=None)
    await callers_of(here, asked).identify("actes", ACTES, its_own, "metropole", STRANGER)


async def test_a_person_whose_subject_is_the_id_of_a_client_is_still_a_person(here: Installation, asked: Asked) -> None:
    """Who has signed in with it, and registers a client of that name, is no client."""
    client = ScimClient("annuaire", "metropole", (b"t" * 32,), person="uid")
    here.lists(client)
    await here.told.saw_as(client, SeenPerson(here.metropole.issuer, "c"), ("alice",))
    await here.told.set_active(client, "alice", active=False)
    raw = token(here, sub="c", preferred_username=None)
    assert await refused(callers_of(here, asked), raw) == "login.deactivated"


@pytest.mark.parametrize("claims", [{"preferred_username": None}, {}], ids=["no name", "a name"])
async def test_a_token_without_an_organisation_is_judged_by_the_directories_that_saw_its_person(
    here: Installation, asked: Asked, claims: dict[str, object]
) -> None:
    ours, theirs = (
        ScimClient(name, "metropole", (name.encode() * 16,), person="uid", tenants=frozenset({siret}))
        for name, siret in (("ours", "21350238800019"), ("theirs", "24350013900189"))
    )
    mapped = {**here.snapshot.providers["metropole"].attributes, "siret": AttributeSource(("siret",))}
    here.change_provider(
        "metropole", api=replace(ACCESS, without_tenant=True), tenant_attribute="siret", attributes=mapped
    )
    here.lists(ours, theirs)
    raw, alice = token(here, sub="alice", **claims), SeenPerson(here.metropole.issuer, "alice")
    await callers_of(here, asked).identify("actes", ACTES, raw, "metropole", STRANGER)
    await here.told.saw_as(ours, alice, ("alice",))
    await here.told.set_active(theirs, "alice", active=False)
    await callers_of(here, asked).identify("actes", ACTES, raw, "metropole", STRANGER)
    await here.told.set_active(ours, "alice", active=False)
    assert await refused(callers_of(here, asked), raw) == "login.deactivated"
    await here.told.saw_as(theirs, alice, ("alice.b",))
    await callers_of(here, asked).identify("actes", ACTES, raw, "metropole", STRANGER)
    await here.told.set_active(theirs, "alice.b", active=False)
    assert await refused(callers_of(here, asked), raw) == "login.deactivated"
