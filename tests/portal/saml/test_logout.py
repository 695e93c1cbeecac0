"""Single logout by every binding: begun by the person here, and begun by the provider."""

import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from lxml import etree
from saml2.samlp import STATUS_RESPONDER

from gateway.model.assertion import NameId
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.saml.bindings import post_form, redirect_url
from gateway.saml.names import STATUS_SUCCESS
from gateway.saml.own_messages import logout_request, logout_response
from gateway.saml.parties import KeyPair, ServiceProvider
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_envelope
from gateway.stores.records import Write
from tests.browser_like import Person, Response
from tests.patience import until
from tests.portal.application import Told, told_of_sign_outs
from tests.portal.installation import PERMIS, PORTAL, OutOfReach
from tests.portal.saml.region import ENTITY, IDP, KEY, OTHER_KEY, Asked, Region, brought, metadata
from tests.saml.idp import NS, one

SIGN_OUT = [("Sec-Fetch-Site", "same-origin")]


def as_provider(*keys: KeyPair) -> ServiceProvider:
    """The provider writes its messages as we do ours."""
    return ServiceProvider(ENTITY, "", "", "", "", keys or (KEY,))


def request(
    region: Region, *, who: str = "alice", indexes: tuple[str, ...] = (), to: str = "logout", id: str = "_slo1"
) -> bytes:
    return logout_request(
        as_provider(),
        destination=region.here.url(PORTAL, f"/_ecluse/saml/{to}"),
        id=id,
        now=region.here.clock.now(),
        name_id=NameId(who),
        session_indexes=indexes,
    )


def by_redirect(
    region: Region, message: bytes, parameter: str = "SAMLRequest", key: KeyPair = KEY, state: str | None = "back"
) -> str:
    location = region.here.url(PORTAL, "/_ecluse/saml/logout")
    return redirect_url(key, location, parameter, message, relay_state=state)  # type: ignore[arg-type]


async def is_signed_in(region: Region, person: Person) -> bool:
    return (await person.script(region.here.url(PERMIS, "/_ecluse/session"))).status == 200


async def signed_out(region: Region, person: Person, host: str = PORTAL) -> Response:
    return await person.post(region.here.url(host, "/_ecluse/logout"), "", headers=SIGN_OUT)


async def soap(region: Region, message: bytes) -> Response:
    url = region.here.url(PORTAL, "/_ecluse/saml/soap")
    return await region.person().step("POST", url, [("Content-Type", "text/xml; charset=utf-8")], body=message)


def answer_to(region: Region, asked: Asked, **more: object) -> bytes:
    id = asked.message.get("ID")
    assert id is not None
    return logout_response(
        as_provider(),
        destination=region.here.url(PORTAL, "/_ecluse/saml/logout"),
        id="_answer1",
        now=region.here.clock.now(),
        in_response_to=id,
        **more,  # type: ignore[arg-type]
    )


# --- begun here -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [PORTAL, PERMIS])
async def test_who_signs_out_here_is_signed_out_at_the_provider(region: Region, host: str) -> None:
    here = region.here
    here.change("permis", logout=replace(here.snapshot.apps["permis"].logout, scope="global"))
    person = region.person()
    await region.signed_in(person)
    page = await signed_out(region, person, host)
    # Our own sessions ended before anything was said.
    assert not await is_signed_in(region, person)
    assert page.status == 200
    asked = brought(page)
    assert asked.location == f"{IDP}/slo" == asked.message.get("Destination")
    assert one(asked.message, "a:NameID").text == "alice"
    assert one(asked.message, "p:SessionIndex").text == "_session-1"
    back = await region.sent(
        person, by_redirect(region, answer_to(region, asked), "SAMLResponse", state=asked.relay_state)
    )
    assert back.status == 200
    assert "was informed too" in back.text
    home = region.here.url(PERMIS, "/")
    assert (home in back.text) == (host == PERMIS)


async def test_by_post_both_ways(region: Region) -> None:
    region.here.saml_metadata.known["region"] = metadata(logout=metadata().logout[1:])
    person = region.person()
    await region.signed_in(person)
    asked = brought(await signed_out(region, person))
    assert asked.location == f"{IDP}/slo-post"
    assert asked.message.find("ds:Signature", NS) is not None
    fields = post_form(KEY, "SAMLResponse", answer_to(region, asked), relay_state=asked.relay_state)
    url = region.here.url(PORTAL, "/_ecluse/saml/logout")
    page = await person.post(url, urlencode(fields), initiator=f"{IDP}/slo")
    assert "was informed too" in page.text


@pytest.mark.parametrize(
    "more", [{"partial": True}, {"partial": True, "status": STATUS_RESPONDER}, {"status": STATUS_RESPONDER}]
)
async def test_what_was_not_signed_out_is_said(region: Region, more: dict[str, object]) -> None:
    person = region.person()
    await region.signed_in(person)
    asked = brought(await signed_out(region, person))
    answer = answer_to(region, asked, **more)
    page = await region.sent(person, by_redirect(region, answer, "SAMLResponse", state=asked.relay_state))
    assert page.status == 200
    assert "not everywhere" in page.text


async def test_an_application_that_signs_out_for_itself_tells_no_provider(region: Region) -> None:
    person = region.person()
    await region.signed_in(person)
    page = await signed_out(region, person, PERMIS)
    assert "may still keep you signed in" in page.text


@pytest.mark.parametrize("gone", ["endpoint", "metadata", "file"])
async def test_where_the_provider_cannot_be_told_the_page_says_no_more_than_is_so(region: Region, gone: str) -> None:
    person = region.person()
    await region.signed_in(person)
    if gone == "endpoint":
        region.here.saml_metadata.known["region"] = metadata(logout=())
    elif gone == "metadata":
        region.here.saml_metadata.known.clear()
    else:
        region.change(issuer="urn:another")
    page = await signed_out(region, person)
    assert page.status == 200
    assert "may still keep you signed in" in page.text
    assert not await is_signed_in(region, person)


async def test_an_answer_is_believed_once_from_whom_was_asked_under_their_key(region: Region) -> None:
    person = region.person()
    await region.signed_in(person)
    asked = brought(await signed_out(region, person))
    answer = answer_to(region, asked)
    forged = by_redirect(region, answer, "SAMLResponse", OTHER_KEY, asked.relay_state)
    page = await region.sent(person, forged)
    assert page.status == 200
    assert "did not confirm" in page.text
    assert region.here.logged()[-1]["code"] == "saml.binding.signature"
    # And whoever answers wrongly has used it up: the page claims nothing any more.
    good = by_redirect(region, answer, "SAMLResponse", state=asked.relay_state)
    page = await region.sent(person, good)
    assert page.status == 200
    assert "informed" not in page.text


@pytest.mark.parametrize("binding", ["redirect", "post"])
@pytest.mark.parametrize("wrong", ["to another request", "of another provider", "unsigned", "unreadable"])
async def test_who_has_signed_out_sees_no_sign_in_error_whatever_the_provider_answers(
    region: Region, wrong: str, binding: str
) -> None:
    """Our own sessions had ended before it was asked. What it has left open, the page cannot know."""
    person = region.person()
    await region.signed_in(person)
    asked = brought(await signed_out(region, person))
    answer = answer_to(region, asked)
    if wrong == "to another request":
        answer = answer.replace(asked.message.get("ID", "").encode(), b"_another")
    elif wrong == "of another provider":
        answer = answer.replace(ENTITY.encode(), b"urn:another")
    url = region.here.url(PORTAL, "/_ecluse/saml/logout")
    if binding == "redirect":
        back = by_redirect(region, answer, "SAMLResponse", state=asked.relay_state)
        if wrong == "unsigned":
            back = back.partition("&SigAlg")[0]
        elif wrong == "unreadable":
            back = f"{url}?SAMLResponse=x&RelayState={asked.relay_state}&SigAlg=&Signature="
        page = await region.sent(person, back)
    else:
        fields = dict(post_form(KEY, "SAMLResponse", answer, relay_state=asked.relay_state))
        if wrong == "unsigned":
            fields["SAMLResponse"] = base64.b64encode(answer).decode()
        elif wrong == "unreadable":
            fields["SAMLResponse"] = "x"
        page = await person.post(url, urlencode(fields), initiator=f"{IDP}/slo")
    assert page.status == 200
    assert "perhaps not everywhere" in page.text
    assert "did not confirm that you are signed out there" in page.text
    told = [line for line in region.here.logged() if line["event"] == "logout.refused"]
    assert len(told) == 1
    # It was used up, and a stranger who has no reference is shown what is wrong.
    assert (await region.sent(person, f"{url}?SAMLResponse=x&RelayState={asked.relay_state}")).status == 403


# --- begun by the provider --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("indexes", [(), ("_session-1",), ("_another", "_session-1")])
async def test_a_provider_ends_the_sessions_of_a_person_by_redirect(region: Region, indexes: tuple[str, ...]) -> None:
    alice, bob = region.person(), region.person()
    await region.signed_in(alice)
    await region.signed_in(bob, name_id="bob")
    reply = await region.sent(alice, by_redirect(region, request(region, indexes=indexes)))
    told = brought(reply)
    assert (told.parameter, told.relay_state) == ("SAMLResponse", "back")
    assert told.location == f"{IDP}/slo-return" == told.message.get("Destination")
    assert told.message.get("InResponseTo") == "_slo1"
    assert one(told.message, "//p:StatusCode").get("Value") == STATUS_SUCCESS
    assert not await is_signed_in(region, alice)
    # An index need not be unique among people: bob's session has the same.
    assert await is_signed_in(region, bob)
    assert [line["sessions"] for line in region.here.logged() if line["event"] == "logout.provider"] == [1]


async def test_by_post_the_answer_goes_back_in_a_form(region: Region) -> None:
    person = region.person()
    await region.signed_in(person)
    fields = post_form(KEY, "SAMLRequest", request(region), relay_state="back")
    url = region.here.url(PORTAL, "/_ecluse/saml/logout")
    told = brought(await person.post(url, urlencode(fields), initiator=f"{IDP}/slo"))
    assert (told.parameter, told.location, told.relay_state) == ("SAMLResponse", f"{IDP}/slo-post", "back")
    assert told.message.find("ds:Signature", NS) is not None
    assert not await is_signed_in(region, person)


@pytest.fixture
async def told(region: Region) -> AsyncIterator[Told]:
    async with told_of_sign_outs(region.here, "permis") as told:
        yield told


async def test_over_soap_no_browser_is_needed(region: Region, told: Told) -> None:
    person = region.person()
    await region.signed_in(person)
    await until(lambda: region.here.sign_outs._writing is None)
    message = in_envelope(sign_enveloped(KEY, request(region, to="soap")))
    reply = await soap(region, message)
    assert reply.status == 200
    assert reply.header("Content-Type").startswith("text/xml")
    answer = etree.fromstring(reply.body)
    assert one(answer, "//p:LogoutResponse").get("InResponseTo") == "_slo1"
    assert one(answer, "//p:StatusCode").get("Value") == STATUS_SUCCESS
    await until(lambda: told.heads)
    assert b"X-Remote-User: alice" in told.lines()[0]
    # Invariant 12: every worker was told before the answer.
    assert [len(ids) for ids in region.here.revoker.told] == [1]
    assert not await is_signed_in(region, person)
    again = await soap(region, message)
    assert again.status == 200
    assert region.here.codes() == ["session.required"]


async def test_a_request_of_nobody_ends_nobodys_session(region: Region) -> None:
    person = region.person()
    await region.signed_in(person)
    unsigned = urlencode({"SAMLRequest": base64.b64encode(request(region)).decode()})
    url = region.here.url(PORTAL, "/_ecluse/saml/logout")
    refused = [
        await region.sent(person, by_redirect(region, request(region), key=OTHER_KEY)),
        await region.sent(person, by_redirect(region, request(region)).partition("&SigAlg")[0]),
        await person.post(url, unsigned, initiator=f"{IDP}/slo"),
        await person.post(url, "RelayState=a", initiator=f"{IDP}/slo"),
        await soap(region, in_envelope(request(region, to="soap"))),
        await soap(region, in_envelope(sign_enveloped(OTHER_KEY, request(region, to="soap")))),
        await soap(region, b"<soap"),
        # Meant for another of our endpoints, or for nobody in particular
        await soap(region, in_envelope(sign_enveloped(KEY, without_destination(request(region))))),
        await soap(region, in_envelope(sign_enveloped(KEY, request(region)))),
    ]
    assert {reply.status for reply in refused} <= {403, 500}
    # Nobody was about to sign in: what is said is that, and how to sign out here.
    for reply in refused[:4]:
        assert "You may still be signed in here" in reply.text
        assert [form.action for form in reply.forms()] == [region.here.url(PORTAL, "/_ecluse/logout")]
    assert await is_signed_in(region, person)
    lines = [line for line in region.here.logged() if line.get("code")]
    assert [line["event"] for line in lines] == ["logout.refused"] * len(refused)


def without_destination(message: bytes) -> bytes:
    root = etree.fromstring(message)
    del root.attrib["Destination"]
    return etree.tostring(root)


async def test_a_request_that_comes_again_ends_only_what_began_before_it_was_issued(region: Region) -> None:
    """Invariants 6 and 12."""
    person = region.person()
    await region.signed_in(person)
    region.here.clock.ahead += 1
    url = by_redirect(region, request(region))
    await region.sent(person, url)
    assert not await is_signed_in(region, person)
    region.here.clock.ahead += 1
    await region.signed_in(person)
    assert (await region.sent(person, url)).status == 303
    assert await is_signed_in(region, person)


@pytest.mark.parametrize("apart", [-900, 900], ids=["our clock is early", "our clock is late"])
async def test_a_clock_that_is_wrong_by_minutes_refuses_no_request(region: Region, apart: int) -> None:
    person = region.person()
    await region.signed_in(person)
    url = by_redirect(region, request(region))
    region.here.clock.ahead += apart
    assert (await region.sent(person, url)).status == 303
    assert not await is_signed_in(region, person)


async def test_what_the_store_cannot_take_has_ended_all_the_same_and_may_be_told_again(region: Region) -> None:
    person = region.person()
    await region.signed_in(person)
    message = in_envelope(sign_enveloped(KEY, request(region, to="soap")))
    region.here.store.__class__ = CannotEnd
    try:
        reply = await soap(region, message)
        assert not await is_signed_in(region, person)
    finally:
        region.here.store.__class__ = OutOfReach
    assert reply.status == 500
    assert b"soap:Server" in reply.body
    again = await soap(region, message)
    assert again.status == 200
    assert b"status:Success" in again.body


async def test_without_the_provider_s_metadata_the_message_may_come_again(region: Region) -> None:
    """SOAP 1.1, 4.4.1: a fault of the client says that the same message must not come again."""
    message = in_envelope(sign_enveloped(KEY, request(region, to="soap")))
    region.here.saml_metadata.known.clear()
    reply = await soap(region, message)
    assert (reply.status, b"soap:Server" in reply.body) == (500, True)


class CannotEnd(OutOfReach):
    async def perform(self, writes: Sequence[Write], now: int) -> bool:
        raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")
