"""One perimeter and one tenant for whatever is proven, and by whichever way: sign-ins, newer tokens, programs."""

import asyncio
from dataclasses import replace

import pytest

from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.provider import Perimeter
from gateway.model.session import Session, Tokens
from gateway.portal.flow.establish import program_seat, renewed
from tests.identity.providers import provider
from tests.portal.installation import ACTES, Installation
from tests.portal.openid.test_callback import answered, nobody
from tests.portal.saml.region import Region, region_installed

BOUNDED = provider(
    {"uid": "uid", "unit": "unit"}, tenant="unit", perimeter=Perimeter(attributes={"uid": frozenset({"alice"})})
)
ALICE = Identity("metropole", BOUNDED.issuer, "s-1", {"uid": ("alice",), "unit": ("7",)})
OLDER, NEWER = Tokens("refresh-0", 100, 0), Tokens("refresh-1", 400, 1)
SESSION = Session("id", ALICE, "7", 0, 43200, 1800, "id.token.old", None, None, OLDER)


def with_uid(uid: str) -> Identity:
    return replace(ALICE, attributes={**ALICE.attributes, "uid": (uid,)})


def code_of(error: pytest.ExceptionInfo[GatewayError]) -> str:
    return error.value.code.id


# --- sign-ins


async def test_a_person_without_the_one_tenant_that_the_file_asks_for_has_no_session(here: Installation) -> None:
    here.change_provider("metropole", tenant_attribute="siret")
    browser = here.browser()
    nobody(here, browser, await browser.get(await answered(here, browser)))
    assert here.codes() == ["login.mapping"]


async def test_what_was_parked_is_held_against_the_file_of_the_moment_at_which_a_session_is_made() -> None:
    async with region_installed() as region:
        person = region.person()
        asked = await region.asked(person)
        parked = await region.answer(person, region.response(asked), asked.relay_state)
        assert parked.status == 303
        region.change(perimeter=Perimeter(attributes={"uid": frozenset({"bob"})}))
        assert (await person.follow(parked)).status == 403
        assert region.here.codes() == ["login.outside_perimeter"]
        assert not await signed_in(region)


async def signed_in(region: Region) -> bool:
    return any(event["event"] == "login.succeeded" for event in region.here.logged())


async def test_ten_answers_at_once_are_ten_sessions_each_of_its_own_person(here: Installation) -> None:
    people = [f"user-{number}" for number in range(10)]
    browsers = [here.browser(name) for name in people]
    callbacks = [await answered(here, browser) for browser in browsers]
    replies = await asyncio.gather(*(browser.get(url) for browser, url in zip(browsers, callbacks, strict=True)))
    assert [reply.text for reply in replies] == [f"actes for {name}" for name in people]


# --- newer tokens


def test_newer_tokens_change_nobody_where_the_provider_was_not_asked_who_it_is() -> None:
    after = renewed(SESSION, BOUNDED, None, NEWER, None)
    assert after == replace(SESSION, tokens=NEWER)
    assert renewed(SESSION, BOUNDED, None, NEWER, "id.token.new").id_token == "id.token.new"


def test_who_the_provider_says_it_is_by_now_is_bounded_as_at_the_sign_in() -> None:
    with pytest.raises(GatewayError) as refused:
        renewed(SESSION, BOUNDED, with_uid("bob"), NEWER, None)
    assert code_of(refused) == "login.outside_perimeter"


def test_newer_tokens_leave_a_person_with_the_organisation_that_they_have_chosen() -> None:
    choosing = replace(BOUNDED, chooses_tenant=True)
    several = replace(ALICE, attributes={"uid": ("alice",), "unit": ("8", "7")})
    after = renewed(SESSION, choosing, several, NEWER, None)
    assert (after.tenant, after.identity.attributes["unit"]) == ("7", ("7",))
    with pytest.raises(GatewayError) as gone:
        renewed(SESSION, choosing, replace(ALICE, attributes={"uid": ("alice",), "unit": ("8", "9")}), NEWER, None)
    assert code_of(gone) == "login.mapping"
    with pytest.raises(GatewayError):
        renewed(SESSION, BOUNDED, several, NEWER, None)


def test_a_session_never_moves_to_another_tenant() -> None:
    elsewhere = replace(ALICE, attributes={**ALICE.attributes, "unit": ("8",)})
    with pytest.raises(GatewayError) as refused:
        renewed(SESSION, BOUNDED, elsewhere, NEWER, None)
    assert code_of(refused) == "oidc.refresh.subject"


# --- programs


def test_a_program_is_bounded_as_a_person_is_and_no_store_knows_of_its_seat() -> None:
    seat = program_seat(BOUNDED, ALICE, ACTES, deadline=30.0, end=300.0, tenant_optional=False)
    assert (seat.cookie, seat.session_id, seat.idle, seat.identity, seat.tenant) == (b"", "", 0.0, ALICE, "7")
    with pytest.raises(GatewayError) as refused:
        program_seat(BOUNDED, with_uid("bob"), ACTES, deadline=30.0, end=300.0, tenant_optional=True)
    assert code_of(refused) == "login.outside_perimeter"
