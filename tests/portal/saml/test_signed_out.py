"""Invariant 12, of what a provider asserted: who has signed out while it was parked is signed in by it no more."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gateway.model.scim import ScimClient
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_envelope
from gateway.stores.sessions.oversight import SessionOversight
from tests.browser_like import Person, Response
from tests.portal.installation import PERMIS, PORTAL, OutOfReach
from tests.portal.saml.region import ENTITY, IDP, KEY, Asked, Region
from tests.portal.saml.test_logout import CannotEnd, by_redirect, is_signed_in, request, signed_out, soap
from tests.portal.scim.people import OFF, TOKEN, created, patched

Way = Callable[[Region, Person], Awaitable[object]]


async def parked(region: Region, person: Person, asked: Asked | None, name: str = "alice") -> str:
    """The provider's page has sent its form, and the browser does not go on yet: where to."""
    state = None if asked is None else asked.relay_state
    reply = await region.answer(person, region.response(asked, name_id=name), state)
    assert "/_ecluse/saml/finish?p=" in reply.location
    return reply.location


async def went_on(region: Region, person: Person, location: str) -> Response:
    return await person.step("GET", location, initiator=f"{IDP}/sso")


async def by_the_button_beside_it(region: Region, person: Person) -> Response:
    home = await person.step("GET", region.here.url(PORTAL, "/_ecluse/home"))
    found = re.search('name="session" value="([0-9a-f]{32})"', home.text)
    assert found is not None, home.text
    url = region.here.url(PORTAL, "/_ecluse/sessions/end")
    return await person.post(url, f"session={found[1]}", headers=[("Sec-Fetch-Site", "same-origin")])


def of_index(region: Region, *indexes: str) -> bytes:
    return in_envelope(sign_enveloped(KEY, request(region, to="soap", indexes=indexes)))


async def by_an_operator(region: Region, _: Person) -> None:
    here = region.here
    oversight = SessionOversight(
        here.store, here.sessions, here.revoker, here.transactions,
        issuer_of=lambda _: ENTITY, log=here.log, now=here.clock.seconds,
    )  # fmt: skip
    listed = await oversight.answer({"what": "list", "where": {"issuer": ENTITY, "subject": "alice"}, "after": ""})
    ids = [session["id"] for session in listed["sessions"]]
    assert (await oversight.answer({"what": "revoke", "ids": ids}))["revoked"]


WAYS: dict[str, Way] = {
    "on the portal": signed_out,
    "on the application": lambda region, person: signed_out(region, person, PERMIS),
    "by the button beside the session": by_the_button_beside_it,
    "by the provider, through the browser": lambda region, person: region.sent(
        person, by_redirect(region, request(region))
    ),
    "by the provider itself": lambda region, _: soap(region, of_index(region)),
    "by the provider, of its session": lambda region, _: soap(region, of_index(region, "_session-1")),
    "by an operator": by_an_operator,
}


@pytest.mark.parametrize("begun_here", [True, False])
@pytest.mark.parametrize("way", WAYS)
async def test_invariant_12_what_was_parked_before_a_sign_out_signs_nobody_in(
    region: Region, way: str, begun_here: bool
) -> None:
    region.change(unsolicited=True)
    person = region.person()
    asked = await region.asked(person) if begun_here else None
    await region.signed_in(person)
    left = await parked(region, person, asked)
    region.here.clock.ahead += 1
    await WAYS[way](region, person)
    assert not region.here.store.sessions
    reply = await went_on(region, person, left)
    assert (reply.status, region.here.codes()[-1]) == (400, "login.transaction_gone")
    assert not region.here.store.sessions
    # It was used up.
    assert (await went_on(region, person, left)).status == 400
    # Who signs in anew is signed in.
    assert (await region.signed_in(person)).status == 200


async def test_a_sign_out_of_another_person_or_of_before_is_none_of_theirs(region: Region) -> None:
    alice, bob = region.person(), region.person()
    asked = await region.asked(bob)
    left = await parked(region, bob, asked, "bob")
    region.here.clock.ahead += 1
    await soap(region, of_index(region, "_session-1"))
    reply = await bob.follow(await went_on(region, bob, left))
    assert reply.status == 200
    region.here.clock.ahead += 1
    left = await parked(region, alice, await region.asked(alice))
    region.here.clock.ahead += 1
    assert (await alice.follow(await went_on(region, alice, left))).status == 200


async def test_a_sign_out_that_comes_again_ends_no_sign_in_that_began_after_it(region: Region) -> None:
    """Invariant 6: by the provider's clock on both sides, and no older one takes away what a later one has ended."""
    person = region.person()
    first, said_again = of_index(region, "_session-1"), of_index(region)
    region.here.clock.ahead += 1
    left = await parked(region, person, await region.asked(person))
    region.here.clock.ahead += 1
    for message in (first, said_again):
        assert (await soap(region, message)).status == 200
    assert (await person.follow(await went_on(region, person, left))).status == 200

    other = region.person()
    left = await parked(region, other, await region.asked(other))
    region.here.clock.ahead += 1
    for message in (of_index(region), said_again):
        assert (await soap(region, message)).status == 200
    assert (await went_on(region, other, left)).status == 400
    assert region.here.codes()[-1] == "login.transaction_gone"


async def test_a_directory_says_of_them_that_they_are_not_active(region: Region) -> None:
    region.here.lists(ScimClient("annuaire", "region", (TOKEN.encode(),), person="uid"))
    person = region.person()
    left = await parked(region, person, await region.asked(person))
    await patched(region.here, await created(region.here), OFF)
    assert (await person.follow(await went_on(region, person, left))).status == 403
    assert region.here.codes()[-1] == "login.deactivated"
    assert not region.here.store.sessions


async def test_what_a_worker_of_before_parked_is_older_than_any_sign_out(region: Region) -> None:
    """It did not write when that was."""
    person = region.person()
    asked = await region.asked(person)
    await signed_out(region, person)
    responses = region.here.transactions.saml_responses
    id = (await parked(region, person, asked)).partition("?p=")[2]
    older = await responses.take(id)
    assert older is not None
    written = await responses.put(replace(older, at=0), "192.0.2.1")
    url = region.here.url(PORTAL, f"/_ecluse/saml/finish?p={written}")
    assert (await went_on(region, person, url)).status == 400


@pytest.mark.parametrize("indexes", [(), ("_session-1",)])
async def test_invariant_12_what_the_browser_held_back_until_after_the_sign_out_signs_nobody_in(
    region: Region, indexes: tuple[str, ...]
) -> None:
    """The provider's page with its form was left open, and is sent when the provider has signed the person out."""
    person = region.person()
    asked = await region.asked(person)
    response = region.response(asked)
    region.here.clock.ahead += 1
    assert (await soap(region, of_index(region, *indexes))).status == 200
    region.here.clock.ahead += 1
    reply = await region.answer(person, response, asked.relay_state)
    reply = await went_on(region, person, reply.location)
    assert (reply.status, region.here.codes()[-1]) == (400, "login.transaction_gone")
    assert not region.here.store.sessions
    assert (await region.signed_in(person)).status == 200


@pytest.mark.parametrize("way", ["on the portal", "by the provider itself"])
async def test_invariant_12_a_mark_that_the_store_cannot_take_is_said(region: Region, way: str) -> None:
    """The mark would be lost with the worker that keeps it, and what was parked would go on."""
    person = region.person()
    await parked(region, person, await region.asked(person))
    region.here.store.__class__ = CannotEnd
    try:
        reply = await WAYS[way](region, person)
    finally:
        region.here.store.__class__ = OutOfReach
    assert isinstance(reply, Response)
    if way == "by the provider itself":
        assert (reply.status, b"soap:Server" in reply.body) == (500, True)
    else:
        page = await person.follow(reply)
        assert "cannot record this sign-out" in page.text


async def test_a_response_that_nobody_asked_for_leaves_nobody_else_in_the_browser(region: Region) -> None:
    """Invariant 12: whoever the provider says is there, the person before is there no more."""
    region.change(unsolicited=True)
    person = region.person()
    await region.signed_in(person)
    assert await is_signed_in(region, person)
    reply = await region.answer(person, region.response(None, name_id="bob"), None)
    assert (await person.follow(reply)).status == 200
    assert not await is_signed_in(region, person)
