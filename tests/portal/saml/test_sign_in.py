"""From an application to a SAML provider and back, by POST: with the cookies that a browser brings, and no others."""

import asyncio
from dataclasses import replace

import pytest

from gateway.model.levels import Need, ProviderLevels
from gateway.model.provider import Perimeter
from gateway.model.transaction import Transaction
from gateway.policy.levels import USUAL_LADDER, Ladder
from gateway.stores.records import TicketKey
from gateway.stores.tickets.at_hand import AtHand
from tests.portal.installation import ELECTIONS, PERMIS, PORTAL, OutOfReach
from tests.portal.saml.region import ENTITY, IDP, KEY, OTHER_KEY, Region, brought, metadata
from tests.saml.idp import NS, at, one

CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


async def test_a_person_signs_in_and_comes_back_to_where_they_were_going(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked), asked.relay_state)
    # The POST came from another site: no cookie with it, and no session of it.
    assert b"\r\nCookie:" not in reply.sent
    assert not reply.all("Set-Cookie")
    assert reply.location.startswith(region.here.url(PORTAL, "/_ecluse/saml/finish?p="))
    finish = await person.step("GET", reply.location, initiator=f"{IDP}/sso")
    assert any(line.startswith("__Host-ecluse=") for line in finish.all("Set-Cookie"))
    page = await person.follow(finish)
    assert page.url == region.here.url(PERMIS, "/dossier?id=7")
    told = await person.step("GET", region.here.url(PERMIS, "/_ecluse/session"))
    assert told.json()["headers"]["X-Remote-User"] == "alice"
    assert told.json()["provider"] == "region"


async def test_an_answer_that_the_browser_held_says_nothing_of_the_provider_now(region: Region) -> None:
    """The provider may have died since: what counts is when it was asked."""
    person, clock = region.person(), region.here.clock
    asked = await region.asked(person)
    sent, response = clock.monotonic(), region.response(asked)
    clock.ahead += 120
    await person.follow(await region.answer(person, response, asked.relay_state))
    assert region.here.standings.news()["region"]["back"] <= sent
    region.change(unsolicited=True)
    unasked = region.response(None)
    sent, clock.ahead = clock.monotonic(), clock.ahead + 60
    await person.follow(await region.answer(person, unasked, None))
    assert region.here.standings.news()["region"]["back"] <= sent


async def test_the_request_tells_the_provider_no_more_than_it_needs(region: Region) -> None:
    asked = await region.asked(region.person())
    message = asked.message
    assert asked.location == f"{IDP}/sso" == message.get("Destination")
    assert message.get("AssertionConsumerServiceURL") == region.acs
    assert one(message, "a:Issuer").text == region.sp.entity_id
    # By reference, never by value: nothing of the address is in it.
    assert asked.relay_state is not None
    assert len(asked.relay_state) == 43
    assert message.get("ForceAuthn") is None
    other = await region.asked(region.person())
    assert (other.relay_state, other.message.get("ID")) != (asked.relay_state, message.get("ID"))


async def test_for_another_account_the_provider_is_told_to_ask_anew(region: Region) -> None:
    person = region.person()
    await region.signed_in(person)
    asked = await region.asked(person, "/_ecluse/login?to=/&other_account=1")
    assert asked.message.get("ForceAuthn") == "true"


async def test_of_several_providers_that_of_the_session_is_asked_anew_at_once(region: Region) -> None:
    person = region.person()
    await region.signed_in(person)
    region.here.change("permis", providers=("departement", "region"))
    asked = await region.asked(person, "/_ecluse/login?to=/&other_account=1")
    assert (asked.location, asked.message.get("ForceAuthn")) == (f"{IDP}/sso", "true")
    chooser = await person.follow(
        await person.step("GET", region.here.url(PERMIS, "/_ecluse/login?to=/&other_account=organisation"))
    )
    assert "Choose your sign-in service" in chooser.text


async def test_by_post_the_request_goes_in_a_form_that_sends_itself(region: Region) -> None:
    region.change(request_binding="post")
    person = region.person()
    reply = await person.step("GET", region.here.url(PERMIS, "/"))
    while reply.location:
        reply = await person.step("GET", reply.location, initiator=reply.url)
    asked = brought(reply)
    assert asked.location == f"{IDP}/sso-post" == asked.message.get("Destination")
    assert asked.message.find("ds:Signature", NS) is not None
    page = await person.follow(await region.answer(person, region.response(asked), asked.relay_state))
    assert page.url == region.here.url(PERMIS, "/")


async def test_what_the_file_asks_for_is_asked_and_checked(region: Region) -> None:
    region.change(force_authn=True, authn_context=(CONTEXT,))
    person = region.person()
    asked = await region.asked(person)
    assert asked.message.get("ForceAuthn") == "true"
    assert one(asked.message, "//a:AuthnContextClassRef").text == CONTEXT
    old = region.response(asked, authn_instant="2020-01-01T00:00:00Z")
    assert (await region.answer(person, old, asked.relay_state)).status == 403
    asked = await region.asked(person)
    weak = region.response(asked, context="urn:oasis:names:tc:SAML:2.0:ac:classes:Password")
    assert (await region.answer(person, weak, asked.relay_state)).status == 403
    assert region.here.codes() == ["saml.authn_instant", "saml.authn_context"]


async def test_an_encrypted_assertion_is_opened_with_our_key(region: Region) -> None:
    region.change(encrypted=True)
    person = region.person()
    asked = await region.asked(person)
    answer = await region.answer(person, region.response(asked, encrypted=True), asked.relay_state)
    assert (await person.follow(answer)).url.endswith("/dossier?id=7")


async def test_the_chooser_offers_both_protocols_alike(region: Region) -> None:
    here = region.here
    here.change("permis", providers=("region", "metropole"))
    page = await region.person().open(here.url(PERMIS, "/"))
    assert "Région" in page.text
    assert "Metropolis" in page.text
    person = region.person()
    page = await person.open(here.url(PERMIS, "/"))
    chosen = next(link for link in page.links() if link.endswith("provider=region"))
    asked = brought(await person.step("GET", chosen, initiator=page.url))
    assert asked.message.tag.endswith("AuthnRequest")


async def test_a_session_lasts_no_longer_than_the_provider_says(region: Region) -> None:
    clock, person = region.here.clock, region.person()
    await region.signed_in(person, session_end=at(clock.now() + 600))
    told = await person.step("GET", region.here.url(PERMIS, "/_ecluse/session"))
    assert 500 < told.json()["expires_in"] <= 600
    clock.ahead += 601
    assert (await person.script(region.here.url(PERMIS, "/_ecluse/session"))).status == 401


async def test_a_sign_in_to_the_portal_itself_ends_on_a_page(region: Region) -> None:
    person = region.person()
    reply = await person.step("GET", region.here.url(PORTAL, "/_ecluse/login?provider=region"))
    asked = brought(reply)
    page = await person.follow(await region.answer(person, region.response(asked), asked.relay_state))
    assert page.status == 200
    assert "signed in" in page.text


# --- who may not ------------------------------------------------------------------------------------------------------


async def test_an_answer_is_good_for_the_browser_that_asked_and_burns_in_another(region: Region) -> None:
    alice, mallory = region.person(), region.person()
    await mallory.step("GET", region.here.url(PERMIS, "/"))
    asked = await region.asked(alice)
    reply = await region.answer(alice, region.response(asked), asked.relay_state)
    stolen = await mallory.step("GET", reply.location, initiator=f"{IDP}/sso")
    assert stolen.status == 400
    assert not stolen.all("Set-Cookie")
    assert (await alice.step("GET", reply.location)).status == 400
    assert region.here.codes() == ["login.other_browser", "login.transaction_gone"]


async def test_a_refused_answer_uses_the_request_up(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked, key=OTHER_KEY), asked.relay_state)
    assert reply.status == 403
    again = await region.answer(person, region.response(asked), asked.relay_state)
    assert again.location == region.here.url(PORTAL, "/_ecluse/saml/finish")
    assert (await person.follow(again)).status == 400
    assert region.here.codes()[-1] == "login.transaction_gone"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"recipient": "https://other.example/acs"}, "saml.recipient"),
        ({"audience": "urn:other"}, "saml.audience"),
        ({"in_response_to": "_another"}, "saml.in_response_to"),
        ({"confirmed_request": None}, "saml.in_response_to"),
        ({"confirmed_until": "2020-01-01T00:00:00Z"}, "saml.expired"),
    ],
)
async def test_a_failed_check_is_named_once_in_the_log(region: Region, values: dict[str, object], code: str) -> None:
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked, **values), asked.relay_state)
    assert reply.status == 403
    assert not reply.all("Set-Cookie")
    (line,) = [line for line in region.here.logged() if line.get("code")]
    assert (line["event"], line["code"], line["provider"], line["app"]) == ("login.refused", code, "region", "permis")
    assert line["reference"] in reply.text


async def test_an_assertion_works_once_even_for_two_requests(region: Region) -> None:
    """InResponseTo names one request; the same assertion for another one is a replay of the provider's own."""
    region.change(unsolicited=True)
    person = region.person()
    response = region.response(None, session_end=None)
    assert (await person.follow(await region.answer(person, response, None))).status == 200
    again = await person.follow(await region.answer(person, response, None))
    assert again.status == 403
    assert region.here.codes() == ["saml.replayed"]


async def test_an_assertion_id_is_used_once_though_each_answers_a_request_of_ours(region: Region) -> None:
    """It is found used in the step that would have ended the sign-in: nothing of that is written."""
    replies = []
    for person in (region.person(), region.person()):
        asked = await region.asked(person)
        response = region.response(asked, assertion_id="_used-twice")
        replies.append(await person.follow(await region.answer(person, response, asked.relay_state)))
    assert [reply.status for reply in replies] == [200, 403]
    assert region.here.codes() == ["saml.replayed"]
    assert len(region.here.store.sessions) == 1


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_of_a_response_that_finishes_at_once_in_two_tabs_one_is_signed_in(
    region: Region, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    """Also where a worker finishes it that has not put it into the store. The other one is no replay."""
    if elsewhere:
        monkeypatch.setattr(AtHand, "find", lambda *_: None)
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked), asked.relay_state)
    pages = await asyncio.gather(*(person.step("GET", reply.location) for _ in range(2)))
    assert sorted(page.status for page in pages) == [303, 400]
    assert region.here.codes() == ["login.transaction_gone"]
    assert len(region.here.store.sessions) == 1


async def test_what_another_worker_has_finished_is_not_at_hand_for_long(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that knows of no other's step lets nobody in, and says so on the page of what is over."""
    monkeypatch.setattr(AtHand, "forget", lambda *_: None)
    person = region.person()
    asked = await region.asked(person)
    form = (region.response(asked), asked.relay_state)
    reply = await region.answer(person, *form)
    assert (await person.follow(reply)).status == 200
    for again in (reply, await region.answer(person, *form)):
        page = await person.step("GET", again.location, initiator=f"{IDP}/sso")
        assert page.status == 400
        assert not page.all("Set-Cookie")
    assert region.here.codes() == ["login.transaction_gone"] * 2
    assert len(region.here.store.sessions) == 1


async def test_an_assertion_that_waits_beyond_its_time_signs_in_nobody(region: Region) -> None:
    """Parked several times while it is good, and finished when nobody remembers any more that it was used."""
    region.change(unsolicited=True)
    response, people = region.response(None, session_end=None), [region.person() for _ in range(3)]
    region.here.clock.ahead += 300 + 180 - 10
    parked = [await region.answer(person, response, None) for person in people]
    assert all("/_ecluse/saml/finish?p=" in reply.location for reply in parked)
    region.here.clock.ahead += 20
    ends = [await person.follow(reply) for person, reply in zip(people, parked, strict=True)]
    assert [end.status for end in ends] == [403, 403, 403]
    assert region.here.codes() == ["saml.expired"] * 3


async def test_what_the_provider_may_not_assert_is_not_parked(region: Region) -> None:
    region.change(perimeter=Perimeter(email_domains=frozenset({"region.example"})))
    person = region.person()
    asked = await region.asked(person)
    assert (await region.answer(person, region.response(asked), asked.relay_state)).status == 403
    assert region.here.codes() == ["login.outside_perimeter"]


async def test_an_app_listens_to_the_providers_of_its_file_alone(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    region.here.change("permis", providers=("metropole",))
    reply = await person.follow(await region.answer(person, region.response(asked), asked.relay_state))
    assert (reply.status, reply.all("Set-Cookie")) == (404, [])
    assert region.here.codes() == ["login.unknown_provider"]


async def test_a_provider_that_is_another_entity_by_now_lets_nobody_in(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked), asked.relay_state)
    region.change(issuer="https://other.example")
    assert (await person.step("GET", reply.location)).status == 404


async def test_a_store_out_of_reach_is_no_reason_to_let_anybody_in(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked), asked.relay_state)
    region.here.store.__class__ = OutOfReach
    OutOfReach.cut = True
    try:
        finish = await person.step("GET", reply.location)
    finally:
        OutOfReach.cut = False
    assert finish.status == 503
    assert not finish.all("Set-Cookie")


# --- the provider begins ----------------------------------------------------------------------------------------------


async def test_a_provider_begins_only_where_its_file_lets_it(region: Region) -> None:
    person = region.person()
    reply = await region.answer(person, region.response(None), "https://evil.example/")
    assert reply.status == 403
    assert region.here.codes() == ["saml.unsolicited"]


async def test_what_it_began_ends_where_its_file_no_longer_lets_it(region: Region) -> None:
    """The file changed between the provider's form and `finish`."""
    region.change(unsolicited=True)
    person = region.person()
    reply = await region.answer(person, region.response(None), None)
    region.change(unsolicited=False)
    page = await person.follow(reply)
    assert (page.status, region.here.codes()) == (403, ["saml.unsolicited"])
    assert not page.all("Set-Cookie")


async def test_where_it_may_begin_nobody_is_sent_where_it_says(region: Region) -> None:
    region.change(unsolicited=True)
    person = region.person()
    page = await person.follow(await region.answer(person, region.response(None), "https://evil.example/"))
    assert page.status == 200
    assert page.url.startswith(region.here.url(PORTAL, "/_ecluse/saml/finish"))
    assert "evil" not in page.text
    # And from there on an application is open.
    assert (await person.open(region.here.url(PERMIS, "/x"))).url == region.here.url(PERMIS, "/x")


async def test_what_the_provider_began_reloaded_ends_on_the_page_that_says_so(region: Region) -> None:
    """Not as a replay: nobody tried anything."""
    region.change(unsolicited=True)
    person = region.person()
    page = await person.follow(await region.answer(person, region.response(None), None))
    assert (page.status, (await person.step("GET", page.url)).status) == (200, 400)
    assert region.here.codes() == ["login.transaction_gone"]


async def test_of_two_responses_to_one_request_that_finish_at_once_one_is_taken(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the portal itself, where no transaction is spent. Both have read the login before either spends it."""
    person = region.person()
    asked = brought(await person.step("GET", region.here.url(PORTAL, "/_ecluse/login?provider=region")))
    parked = [await region.answer(person, region.response(asked), asked.relay_state) for _ in range(2)]
    both_have_read, peek = asyncio.Barrier(2), region.here.store.peek_ticket

    async def peek_together(key: TicketKey, now: int) -> bytes | None:
        found = await peek(key, now)
        if key.kind == "saml_login":
            await both_have_read.wait()
        return found

    monkeypatch.setattr(region.here.store, "peek_ticket", peek_together)
    pages = await asyncio.gather(*(person.step("GET", reply.location) for reply in parked))
    assert sorted(page.status for page in pages) == [200, 400]
    assert region.here.codes() == ["login.transaction_gone"]


async def test_what_a_provider_began_before_this_store_did_may_have_been_used_in_another(region: Region) -> None:
    """Invariant 6. What answers a request of ours is no older than the request, which this store has."""
    region.change(unsolicited=True)
    person, asker = region.person(), region.person()
    asked = await region.asked(asker)
    store, moment = region.here.store, int(region.here.clock.seconds()) + 1
    store._refuses_before = moment
    for each in store.stores.values():
        each._refuses_before = moment
    page = await person.follow(await region.answer(person, region.response(None), None))
    assert (page.status, region.here.codes()) == (403, ["saml.replayed"])
    answered = await asker.follow(await region.answer(asker, region.response(asked), asked.relay_state))
    assert answered.status == 200


async def test_of_two_that_finish_at_once_one_is_signed_in(region: Region) -> None:
    region.change(unsolicited=True)
    person = region.person()
    reply = await region.answer(person, region.response(None), None)
    pages = await asyncio.gather(*(person.step("GET", reply.location) for _ in range(2)))
    assert sorted(page.status for page in pages) == [200, 400]
    assert region.here.codes() == ["login.transaction_gone"]


async def test_a_message_of_nobody_we_know_is_refused(region: Region) -> None:
    person = region.person()
    foreign = region.response(None).replace(ENTITY.encode(), b"https://unknown.example")
    assert (await region.answer(person, foreign, None)).status == 404


# --- back, reload, late, twice, keys ----------------------------------------------------------------------------------


async def test_reload_and_back_after_a_sign_in_end_on_a_page_that_says_so(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    response = region.response(asked)
    reply = await region.answer(person, response, asked.relay_state)
    await person.follow(await person.step("GET", reply.location))
    reload = await person.step("GET", reply.location)
    assert reload.status == 400
    assert "already" in reload.text or "signed in" in reload.text
    back = await person.follow(await region.answer(person, response, asked.relay_state))
    assert back.status == 400
    assert not back.all("Set-Cookie")


async def test_a_form_that_is_sent_twice_signs_in_once(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    response = region.response(asked)
    first = await region.answer(person, response, asked.relay_state)
    second = await region.answer(person, response, asked.relay_state)
    assert (await person.follow(second)).url.endswith("/dossier?id=7")
    assert (await person.step("GET", first.location)).status == 400


async def test_an_answer_after_ten_minutes_ends_on_a_page_with_a_way_on(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    region.here.clock.ahead += 601
    page = await person.follow(await region.answer(person, region.response(asked), asked.relay_state))
    assert page.status == 400
    assert region.here.codes() == ["login.transaction_gone"]


async def test_a_page_left_open_for_three_minutes_is_no_reason_to_refuse(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    region.here.clock.ahead += 180
    page = await person.follow(await region.answer(person, region.response(asked), asked.relay_state))
    assert page.url.endswith("/dossier?id=7")


async def test_what_is_parked_waits_a_minute(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked), asked.relay_state)
    region.here.clock.ahead += 61
    assert (await person.step("GET", reply.location)).status == 400


async def test_two_tabs_each_come_back_to_their_own_page(region: Region) -> None:
    person = region.person()
    one_tab, other_tab = await region.asked(person, "/a"), await region.asked(person, "/b")
    pages = [
        await person.follow(await region.answer(person, region.response(asked), asked.relay_state))
        for asked in (other_tab, one_tab)
    ]
    assert [page.url for page in pages] == [region.here.url(PERMIS, "/b"), region.here.url(PERMIS, "/a")]


async def test_a_key_that_is_new_is_looked_for_once(region: Region) -> None:
    region.here.saml_metadata.newer["region"] = metadata(KEY, OTHER_KEY)
    person = region.person()
    asked = await region.asked(person)
    page = await person.follow(await region.answer(person, region.response(asked, key=OTHER_KEY), asked.relay_state))
    assert page.url.endswith("/dossier?id=7")
    assert region.here.saml_metadata.refetches == 1


async def test_a_post_that_is_no_form_of_saml_is_refused(region: Region) -> None:
    person = region.person()
    for body, status in (
        ("", 400),
        ("RelayState=x", 400),
        ("SAMLResponse=%21", 400),
        ("SAMLResponse=a&SAMLResponse=b", 400),
    ):
        assert (await person.post(region.acs, body, initiator=f"{IDP}/sso")).status == status
    large = "SAMLResponse=" + "A" * (600 << 10)
    assert (await person.post(region.acs, large, initiator=f"{IDP}/sso")).status == 413
    assert (await person.step("GET", region.acs)).status == 405


async def test_a_frame_or_script_finishes_nothing(region: Region) -> None:
    person = region.person()
    asked = await region.asked(person)
    reply = await region.answer(person, region.response(asked), asked.relay_state)
    assert (await person.frame(reply.location)).status == 401
    assert (await person.script(reply.location)).status == 401
    assert (await person.follow(await person.step("GET", reply.location))).url.endswith("/dossier?id=7")


async def test_without_keys_of_ours_there_is_no_saml(region: Region) -> None:
    here = region.here
    here.snapshot = replace(here.snapshot, gateway=replace(here.snapshot.gateway, service_provider=None))
    assert (await region.person().step("GET", here.url(PORTAL, "/_ecluse/saml/metadata"))).status == 404
    here.change("elections", providers=("region",))
    assert (await region.person().open(here.url(ELECTIONS, "/"))).status == 404


async def test_people_who_choose_are_told_of_one_that_nobody_could_be_sent_to(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = region.here
    here.change("permis", providers=("region", "metropole"))
    told = "Does not answer for the moment"
    assert told not in (await region.person().open(here.url(PERMIS, "/"))).text
    monkeypatch.setattr(here.saml_metadata, "is_silent", lambda provider: provider.name == "region")
    page = await region.person().open(here.url(PERMIS, "/"))
    before, _, after = page.text.partition(told)
    assert (before.count("provider=region"), before.count("provider=metropole")) == (1, 0)
    assert "provider=metropole" in after


# --- a stronger sign-in -----------------------------------------------------------------------------------------------


async def test_what_a_rule_needs_is_asked_in_the_providers_words_and_checked(region: Region) -> None:
    strong = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"
    levels = ProviderLevels(can=frozenset({"acr"}), acr={strong: "eidas2", CONTEXT: "eidas1"})
    region.change(levels=levels)
    here = region.here
    here.snapshot = replace(here.snapshot, ladder=Ladder(USUAL_LADDER, {"region": levels}))
    binding = "b" * 64
    transaction = Transaction(
        "permis", PERMIS, "http", "/", binding, 0, here.clock.seconds(), need=Need(level="eidas2")
    )
    for context, status in ((CONTEXT, 403), (strong, 303)):
        person = region.person()
        id = await here.transactions.sign_ins.put(transaction, "127.0.0.1")
        asked = brought(await person.step("GET", here.url(PORTAL, f"/_ecluse/login?provider=region&t={id}")))
        assert one(asked.message, "//a:AuthnContextClassRef").text == strong
        reply = await region.answer(person, region.response(asked, context=context), asked.relay_state)
        assert reply.status == status
