"""Who is not active any more has no session when the directory is answered, and gets none."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import AttributeSource
from gateway.model.scim import ScimClient
from gateway.portal.flow.active_people import ActivePeople
from gateway.portal.scim.users import ScimUsers
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, Installation
from tests.portal.scim.people import CLIENT, OFF, ON, PATCH_OP, TOKEN, USER, asked, created, opens, patched, signed_in


@pytest.fixture
async def told(here: Installation) -> Installation:
    here.lists(CLIENT)
    return here


async def refused(here: Installation, user: str = "alice") -> str:
    """The page that a person sees who signs in."""
    reply = await here.browser(user).get(here.url(ACTES))
    assert reply.status == 403, reply.text
    return reply.text


async def test_a_person_signs_in_is_deactivated_and_comes_back(told: Installation) -> None:
    alice, bob = await signed_in(told), await signed_in(told, "bob")
    seat = await told.sessions.load(ACTES, alice.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    id = await created(told)
    assert await opens(told, alice), "a directory that tells of a person ends nothing"
    reply = await patched(told, id, OFF)
    assert reply.status == 200, reply.text
    assert json.loads(reply.body)["active"] is False
    assert not seat.live
    assert told.revoker.told[-1] == (seat.session_id,)
    assert not await opens(told, alice)
    assert await opens(told, bob)
    assert "Your organisation ended your access" in await refused(told)
    assert (await patched(told, id, ON)).status == 200
    await signed_in(told)
    assert told.codes().count("login.deactivated") == 1


async def test_every_session_of_theirs_ends_on_every_host(told: Installation) -> None:
    one, two = await signed_in(told), await signed_in(told)
    await one.get(told.url(PERMIS, "/_ecluse/login"))
    elsewhere = await signed_in(told, host=ELECTIONS)
    await patched(told, await created(told), OFF)
    assert [await opens(told, browser) for browser in (one, two)] == [False, False]
    assert await opens(told, elsewhere, ELECTIONS), "another provider's person of the same name"


@pytest.mark.parametrize("how", ["put", "delete", "post", "okta"])
async def test_in_every_way_in_which_directories_say_it(told: Installation, how: str) -> None:
    alice = await signed_in(told)
    if how == "post":
        await created(told, "Alice", active=False)
    else:
        id = await created(told)
        if how == "put":
            document = {"schemas": [USER], "userName": "alice", "active": False}
            assert (await asked(told, "PUT", f"/Users/{id}", document)).status == 200
        elif how == "delete":
            reply = await asked(told, "DELETE", f"/Users/{id}")
            assert (reply.status, reply.body) == (204, b"")
            assert (await asked(told, "GET", f"/Users/{id}")).status == 404
        else:
            assert (await patched(told, id, {"op": "replace", "value": {"active": False}})).status == 200
    assert not await opens(told, alice)
    await refused(told)


async def test_a_user_who_is_not_taken_ends_nothing(told: Installation) -> None:
    alice = await signed_in(told)
    await created(told)
    document = {"schemas": [USER], "userName": "alice", "active": False}
    assert (await asked(told, "POST", "/Users", document)).status == 409
    assert await opens(told, alice)
    await signed_in(told)


PUT = {"schemas": [USER], "userName": "alice", "externalId": "a1", "active": False}


@pytest.mark.parametrize(
    "document",
    [
        {"externalId": None},
        {"userName": None},
        {"externalId": 5},
        {"userName": "bob"},
        {"externalId": "b1"},
        {"externalId": "", "active": "False"},
        {"schemas": None},
        {"schemas": ["x"]},
    ],
)
async def test_a_put_that_ends_access_does_so_whatever_else_is_missing_wrong_or_taken(
    here: Installation, document: dict[str, object]
) -> None:
    """RFC 7644 3.5.1: a client may leave attributes out."""
    here.lists(replace(CLIENT, named_by="externalId", person="uid"))
    alice = await signed_in(here)
    id = await created(here, "alice", externalId="alice")
    await created(here, "bob", externalId="b1")
    sent = {name: value for name, value in (PUT | document).items() if value is not None}
    reply = await asked(here, "PUT", f"/Users/{id}", sent)
    assert reply.status in (400, 409), reply.text
    assert not await opens(here, alice)
    await refused(here)
    assert json.loads((await asked(here, "GET", f"/Users/{id}")).body)["active"] is False
    assert [line["what"] for line in here.logged() if line["event"] == "scim.told"][2] == "deactivated"
    assert "scim.refused" in [line["event"] for line in here.logged()]


@pytest.mark.parametrize(
    "operations",
    [
        (OFF, {"op": "remove", "path": "externalId"}),
        ({"op": "remove", "path": "userName"}, OFF),
        ({"op": "replace", "path": "activ", "value": False}, OFF),
        ({"op": "replace", "value": {"id": "9", "active": False}},),
        (OFF, "no operation"),
        (ON, {"op": "replace", "path": "userName", "value": ""}, OFF),
        ({"op": "replace", "path": "", "value": {"active": False}},),
        ({"op": "replace", "path": USER, "value": {"active": False}},),
        (*[{"op": "replace", "path": "title", "value": ""}] * 100, OFF),
    ],
)
async def test_so_does_a_patch(here: Installation, operations: tuple[object, ...]) -> None:
    here.lists(replace(CLIENT, named_by="externalId", person="uid"))
    alice = await signed_in(here)
    id = await created(here, "alice", externalId="alice")
    assert (await patched(here, id, *operations)).status == 400
    assert not await opens(here, alice)
    await refused(here)


@pytest.mark.parametrize(
    "operations",
    [
        ({"op": "replace", "path": "active", "value": 0},),
        (OFF, {"op": "replace", "path": "activ", "value": True}, ON),
        ({"op": "remove", "path": "active"},),
        ({"op": "none", "path": "active", "value": False},),
        ({"op": "replace", "path": "active.x", "value": False},),
    ],
)
async def test_what_does_not_say_that_access_ends_ends_none(told: Installation, operations: tuple[object, ...]) -> None:
    alice = await signed_in(told)
    id = await created(told)
    assert (await patched(told, id, *operations)).status == 400
    for document in (PUT | {"active": 0}, [PUT], PUT | {"active": None, "userName": ""}):
        assert (await asked(told, "PUT", f"/Users/{id}", document)).status == 400
    assert await opens(told, alice)


@pytest.mark.parametrize("how", ["put", "patch", "delete"])
@pytest.mark.parametrize("fault", ["query", "type", "schemas"])
async def test_access_ends_whatever_is_wrong_around_the_message(told: Installation, how: str, fault: str) -> None:
    alice = await signed_in(told)
    id = await created(told)
    document = {"put": PUT, "patch": {"schemas": [PATCH_OP], "Operations": [OFF]}, "delete": None}[how]
    if document is not None and fault == "schemas":
        document = {name: value for name, value in document.items() if name != "schemas"}
    query = "?attributes=id&excludedAttributes=meta" if fault == "query" else ""
    kind = {"Content_Type": "text/plain"} if fault == "type" else {}
    reply = await asked(told, how.upper(), f"/Users/{id}{query}", document, **kind)
    assert reply.status == (204 if how == "delete" else 415 if fault == "type" else 400), reply.text
    assert not await opens(told, alice)
    await refused(told)


@pytest.mark.parametrize("how", ["put", "delete"])
async def test_a_user_from_before_people_were_named_by_external_id_is_ended_by_the_new_one(
    told: Installation, how: str
) -> None:
    id = await created(told)
    told.lists(replace(CLIENT, named_by="externalId"))
    alice = await signed_in(told)
    if how == "delete":
        assert (await asked(told, "DELETE", f"/Users/{id}")).status == 204
        assert (await asked(told, "GET", f"/Users/{id}")).status == 404
        assert await opens(told, alice), "no name of hers is known"
    else:
        reply = await asked(told, "PUT", f"/Users/{id}", PUT | {"externalId": "alice"})
        assert (reply.status, json.loads(reply.body)["active"]) == (200, False), reply.text
        assert not await opens(told, alice)
        await refused(told)


async def test_who_was_deleted_comes_back_when_they_are_told_of_again(told: Installation) -> None:
    id = await created(told)
    await asked(told, "DELETE", f"/Users/{id}")
    await refused(told)
    assert await created(told) != id
    await signed_in(told)


async def test_what_changes_nothing_of_it_keeps_them_out(told: Installation) -> None:
    id = await created(told, active=False)
    document = {"schemas": [USER], "userName": "alice", "externalId": "a1"}
    assert (await asked(told, "PUT", f"/Users/{id}", document)).status == 200
    assert (await patched(told, id, {"op": "Replace", "path": "displayName", "value": "Alice"})).status == 200
    await refused(told)
    assert json.loads((await asked(told, "GET", f"/Users/{id}")).body)["active"] is False


async def test_a_person_who_is_renamed_is_still_the_one_who_has_signed_in(told: Installation) -> None:
    alice = await signed_in(told)
    id = await created(told)
    rename = {"op": "Replace", "path": "userName", "value": "alice.dupont"}
    assert (await patched(told, id, rename)).status == 200
    assert await opens(told, alice)
    assert (await patched(told, id, OFF)).status == 200
    assert not await opens(told, alice)


@pytest.mark.parametrize("how", ["patch", "delete"])
async def test_who_signs_in_by_the_name_that_they_had_is_the_one_who_was_renamed(told: Installation, how: str) -> None:
    """A provider may say the old one for a while."""
    id = await created(told)
    rename = {"op": "Replace", "path": "userName", "value": "alice.dupont"}
    assert (await patched(told, id, rename)).status == 200
    alice = await signed_in(told)
    reply = await (patched(told, id, OFF) if how == "patch" else asked(told, "DELETE", f"/Users/{id}"))
    assert reply.status in (200, 204), reply.text
    assert not await opens(told, alice)
    await refused(told)
    # The name is another person's from here on.
    await created(told)
    await signed_in(told)


async def test_a_person_who_is_renamed_and_deactivated_at_once_is_out_under_both_names(told: Installation) -> None:
    alice = await signed_in(told)
    id = await created(told)
    assert (await patched(told, id, {"op": "Replace", "path": "userName", "value": "a.dupont"}, OFF)).status == 200
    assert not await opens(told, alice)
    await refused(told)


async def test_people_are_known_by_their_subject_also_from_before_the_directory_was_listed(
    here: Installation,
) -> None:
    alice = await signed_in(here)
    here.lists(replace(CLIENT, named_by="externalId", person="subject"))
    id = await created(here, "somebody", externalId="alice")
    assert await opens(here, alice)
    await patched(here, id, OFF)
    assert not await opens(here, alice)
    await refused(here)


async def test_a_user_without_what_people_are_known_by_is_refused(here: Installation) -> None:
    here.lists(replace(CLIENT, named_by="externalId", person="subject"))
    reply = await asked(here, "POST", "/Users", {"schemas": [USER], "userName": "alice"})
    assert (reply.status, json.loads(reply.body)["scimType"]) == (400, "invalidValue")


async def test_nobody_comes_in_of_whom_the_directory_could_not_have_spoken(told: Installation) -> None:
    told.lists(replace(CLIENT, person="mail"))
    await refused(told)
    assert "login.mapping" in told.codes()


async def test_a_directory_ends_no_session_of_another_organisation(here: Installation) -> None:
    """Two towns that sign in by one provider, each with its own directory, which name the same people."""
    ours, theirs = "21350238800019", "24350013900189"
    mapped = {"uid": AttributeSource(("preferred_username",)), "siret": AttributeSource(("siret",))}
    here.change_provider("metropole", tenant_attribute="siret", attributes=mapped)
    here.metropole.tamper = lambda claims: claims | {"siret": siret}
    other = "token-of-another-directory-012345"
    here.lists(
        replace(CLIENT, tenants=frozenset({ours})),
        ScimClient("autre", "metropole", (other.encode(),), person="uid", tenants=frozenset({theirs})),
    )
    siret = ours
    alice = await signed_in(here)
    id = await created(here, token=other)
    # She acts for the other one too, in another browser.
    siret = theirs
    elsewhere = await signed_in(here)
    siret = ours
    assert (await patched(here, id, OFF, token=other)).status == 200
    assert await opens(here, alice)
    assert not await opens(here, elsewhere)
    await signed_in(here)
    siret = theirs
    await refused(here)
    # Nor does it see the other's users.
    assert (await asked(here, "GET", f"/Users/{id}")).status == 404
    assert (await asked(here, "DELETE", f"/Users/{id}")).status == 404
    assert json.loads((await asked(here, "GET", "/Users")).body)["totalResults"] == 0


async def test_what_is_told_while_a_sign_in_is_under_way_counts(
    told: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first look and the session: it is written, and ended before any browser has it."""
    id = await created(told)
    confirm = ActivePeople.confirm

    async def late(self: ActivePeople, made: Any) -> None:
        assert (await patched(told, id, OFF)).status == 200
        # As if the directory had spoken before the session was written, and had found none to end.
        assert await told.sessions.of_subject(made.session.identity.issuer, "alice") == ()
        await confirm(self, made)

    monkeypatch.setattr(ActivePeople, "confirm", late)
    await refused(told)
    assert told.revoker.told[-1] != ()


@pytest.mark.parametrize("ended", ["patch", "delete"])
@pytest.mark.parametrize("told_too", ["patch", "put", "rename", "case"])
async def test_a_message_about_something_else_lets_nobody_in_who_was_ended_meanwhile(
    told: Installation, monkeypatch: pytest.MonkeyPatch, ended: str, told_too: str
) -> None:
    """Two messages about one person at once: the user of the second one was read before the first one was done."""
    id, change = await created(told), ScimUsers.change

    async def late(self: ScimUsers, *args: Any, **named: Any) -> Any:
        monkeypatch.setattr(ScimUsers, "change", change)
        reply = await (patched(told, id, OFF) if ended == "patch" else asked(told, "DELETE", f"/Users/{id}"))
        assert reply.status in (200, 204), reply.text
        return await change(self, *args, **named)

    monkeypatch.setattr(ScimUsers, "change", late)
    renamed = {"rename": "alice.dupont", "case": "ALICE"}
    if told_too == "put":
        document = {"schemas": [USER], "userName": "alice", "externalId": "a1"}
        reply = await asked(told, "PUT", f"/Users/{id}", document)
    elif told_too == "patch":
        reply = await patched(told, id, {"op": "Replace", "path": "externalId", "value": "a1"})
    else:
        reply = await patched(told, id, {"op": "Replace", "path": "userName", "value": renamed[told_too]})
    assert (reply.status, json.loads(reply.body)["active"]) == (200, False)
    await refused(told)
    if told_too == "rename":
        await refused(told, "alice.dupont")


async def test_a_store_that_cannot_say_lets_nobody_in_and_the_directory_hears_so(
    told: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await created(told)

    async def away(*_: object) -> int:
        raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")

    monkeypatch.setattr(told.store, "mark", away)
    reply = await patched(told, id, OFF)
    assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    assert json.loads(reply.body)["status"] == "503"
    assert (await told.browser().get(told.url(ACTES))).status == 503


async def test_where_the_end_of_sessions_fails_it_is_told_again(
    told: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, id = await signed_in(told), await created(told)
    end = told.sessions.end

    async def fails(*_: object) -> tuple[str, ...]:
        raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")

    monkeypatch.setattr(told.sessions, "end", fails)
    assert (await patched(told, id, OFF)).status == 503
    await refused(told)
    monkeypatch.setattr(told.sessions, "end", end)
    assert (await patched(told, id, OFF)).status == 200
    assert not await opens(told, alice)


async def test_where_the_mark_cannot_be_written_their_sessions_end_all_the_same(
    told: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, id = await signed_in(told), await created(told)

    async def fails(*_: object, active: bool) -> None:
        raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")

    monkeypatch.setattr(told.told, "set_active", fails)
    assert (await patched(told, id, OFF)).status == 503, "the directory tells it again"
    assert not await opens(told, alice)


async def test_many_at_once(told: Installation) -> None:
    names = [f"user{number}" for number in range(12)]
    browsers = [await signed_in(told, name) for name in names]
    ids = await asyncio.gather(*(created(told, name) for name in names))
    await asyncio.gather(*(patched(told, id, OFF) for id in ids))
    assert not any([await opens(told, browser) for browser in browsers])
    assert TOKEN not in json.dumps(told.logged())
