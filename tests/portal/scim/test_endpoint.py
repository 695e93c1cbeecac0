"""Which directory asks, and for what: RFC 7644, and nothing to anybody else."""

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from tests.portal.installation import ACTES, PORTAL, Installation
from tests.portal.scim.people import CLIENT, OFF, PATCH_OP, TOKEN, USER, asked, created, patched

OTHER = "token-of-another-directory-012345"
PATCH = {"schemas": [PATCH_OP]}


@pytest.fixture
async def told(here: Installation) -> Installation:
    here.lists(CLIENT, replace(CLIENT, name="autre", provider="departement", tokens=(OTHER.encode(),)))
    return here


async def test_it_is_off_where_no_directory_is_listed(here: Installation) -> None:
    reply = await asked(here, "GET", "/Users")
    assert reply.status == 404
    assert "scim" not in reply.text


async def test_it_is_on_the_portals_host_alone(told: Installation) -> None:
    url = told.url(ACTES, "/_ecluse/scim/v2/Users")
    reply = await told.browser().send("GET", url, headers={"Authorization": f"Bearer {TOKEN}"})
    assert reply.status == 404


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer wrong-token-of-nobody-0123456789",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN} {TOKEN}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        "Bearer " + "x" * 600,
    ],
)
async def test_nobody_else_is_told_anything(told: Installation, line: str) -> None:
    id = await created(told)
    for path in ("/Users", f"/Users/{id}", "/ServiceProviderConfig", "/nothing"):
        reply = await asked(told, "GET", path, token="", **({"Authorization": line} if line else {}))
        assert reply.status == 401
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="scim"'
        assert json.loads(reply.body)["detail"] == "scim.token (request-1)"
        assert reply.headers["Cache-Control"] == "no-store"
    assert (await patched(told, id, OFF, token="")).status == 401
    assert told.codes().count("scim.token") == 5
    assert told.counters.all()["ecluse_scim_requests_total", "refused"] == 5


async def test_the_scheme_knows_no_case_and_a_second_token_counts(told: Installation) -> None:
    assert (await asked(told, "GET", "/Users", token="", Authorization=f"bEARER {TOKEN}")).status == 200
    told.lists(replace(CLIENT, tokens=(b"n" * 32, TOKEN.encode())))
    for token in (TOKEN, "n" * 32):
        assert (await asked(told, "GET", "/Users", token=token)).status == 200


async def test_a_user_is_created_shown_found_and_listed(told: Installation) -> None:
    reply = await asked(told, "POST", "/Users", {"schemas": [USER], "userName": "Alice", "externalId": "a1"})
    user = json.loads(reply.body)
    base = f"http://{PORTAL}:{told.port}/_ecluse/scim/v2"
    assert reply.status == 201
    assert reply.headers["Content-Type"] == "application/scim+json"
    assert reply.location == user["meta"]["location"] == f"{base}/Users/{user['id']}"
    assert (user["userName"], user["externalId"], user["active"]) == ("Alice", "a1", True)
    assert json.loads((await asked(told, "GET", f"/Users/{user['id']}")).body) == user
    for query in (
        "filter=userName%20eq%20%22alice%22",
        "filter=userName+eq+%22ALICE%22&startIndex=1&count=1",
        "filter=externalId%20eq%20%22a1%22",
        "startIndex=1&count=100",
        "",
    ):
        listed = json.loads((await asked(told, "GET", f"/Users?{query}")).body)
        assert (listed["totalResults"], listed["Resources"]) == (1, [user]), query
    for query in ("filter=externalId%20eq%20%22A1%22", "filter=userName%20eq%20%22bob%22"):
        listed = json.loads((await asked(told, "GET", f"/Users?{query}")).body)
        assert (listed["totalResults"], listed["itemsPerPage"], listed["Resources"]) == (0, 0, []), query
    head = await asked(told, "HEAD", f"/Users/{user['id']}")
    assert (head.status, head.body) == (200, b"")


async def test_of_a_user_as_much_is_shown_as_is_wanted(told: Installation) -> None:
    id = await created(told, externalId="a1")
    one, several = f"/Users/{id}", "/Users?count=5&"
    for path in (f"{one}?attributes=active", f"{several}attributes=active"):
        shown = json.loads((await asked(told, "GET", path)).body)
        user = shown if "id" in shown else shown["Resources"][0]
        assert user == {"schemas": [USER], "id": id, "active": True}, path
    reply = await asked(told, "PATCH", f"{one}?excludedAttributes=meta,userName", PATCH | {"Operations": [OFF]})
    assert json.loads(reply.body) == {"schemas": [USER], "id": id, "externalId": "a1", "active": False}
    # What is asked for in no way that can be met changes nothing.
    renames = PATCH | {"Operations": [{"op": "replace", "path": "externalId", "value": "b1"}]}
    for method, document in (("PATCH", renames), ("GET", None)):
        reply = await asked(told, method, f"{one}?attributes=id&excludedAttributes=active", document)
        assert (reply.status, json.loads(reply.body)["scimType"]) == (400, "invalidValue")
    assert json.loads((await asked(told, "GET", one)).body)["externalId"] == "a1"


@pytest.mark.parametrize("path", ["/Users/.search", "/.search"])
async def test_a_search_finds_what_a_get_does(told: Installation, path: str) -> None:
    id = await created(told)
    await created(told, "bob")
    for query in ({}, {"filter": 'userName eq "Alice"'}, {"startIndex": 2, "count": 1, "attributes": ["userName"]}):
        search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], **query}
        found = await asked(told, "POST", path, search)
        parameters = {name: ",".join(one) if isinstance(one, list) else str(one) for name, one in query.items()}
        got = await asked(told, "GET", f"/Users?{urlencode(parameters)}")
        assert (found.status, found.headers["Content-Type"]) == (200, "application/scim+json")
        assert json.loads(found.body) == json.loads(got.body)
    assert json.loads((await asked(told, "POST", path, {"schemas": [USER]})).body)["scimType"] == "invalidSyntax"
    assert (await asked(told, "GET", path)).status == 405
    assert (await asked(told, "GET", f"/Users/{id}")).status == 200


async def test_a_directory_sees_its_own_users_alone(told: Installation) -> None:
    id = await created(told)
    assert (await asked(told, "GET", f"/Users/{id}", token=OTHER)).status == 404
    assert (await patched(told, id, OFF, token=OTHER)).status == 404
    assert (await asked(told, "DELETE", f"/Users/{id}", token=OTHER)).status == 404
    found = await asked(told, "GET", "/Users?filter=userName%20eq%20%22alice%22", token=OTHER)
    assert json.loads(found.body)["totalResults"] == 0
    assert await created(told, token=OTHER) == id, "numbers of its own"


async def test_a_second_user_of_one_name_is_none(told: Installation) -> None:
    await created(told)
    reply = await asked(told, "POST", "/Users", {"schemas": [USER], "userName": "ALICE"})
    assert (reply.status, json.loads(reply.body)["scimType"]) == (409, "uniqueness")


@pytest.mark.parametrize(
    "path", ["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", f"/Schemas/{USER}"]
)
async def test_what_it_can_do_is_said(told: Installation, path: str) -> None:
    reply = await asked(told, "GET", path)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/scim+json")
    assert (await asked(told, "POST", path, {})).status == 405


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/Groups", 404, "scim.address"),
        ("POST", "/Bulk", 404, "scim.address"),
        ("GET", "/Me", 404, "scim.address"),
        ("GET", "/users", 404, "scim.address"),
        ("GET", "/Users/", 404, "scim.address"),
        ("GET", "/Users/0", 404, "scim.address"),
        ("GET", "/Users/..%2f1", 404, "scim.address"),
        ("GET", "/Users/1/2", 404, "scim.address"),
        ("GET", "/Users/999", 404, "scim.user"),
        ("DELETE", "/Users/999", 404, "scim.user"),
        ("DELETE", "/Users", 405, "scim.method"),
        ("POST", "/Users/1", 405, "scim.method"),
        ("GET", "/Users?filter=userName%20co%20%22a%22", 400, "scim.filter"),
        ("GET", "/Users?count=many", 400, "scim.value"),
        ("GET", "/Users?count=1&count=2", 400, "portal.parameters"),
    ],
)
async def test_what_is_not_there_is_refused_by_its_own_code(
    told: Installation, method: str, path: str, status: int, code: str
) -> None:
    await created(told)
    reply = await asked(told, method, path)
    error = json.loads(reply.body)
    assert (reply.status, error["status"]) == (status, str(status))
    assert error["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert told.codes()[-1] == code
    if status == 405:
        assert method not in reply.headers["Allow"].split(", ")


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{}", "application/scim+json", 400, "scim.syntax"),
        (b"", "application/json", 400, "scim.syntax"),
        (b"userName=alice", "application/x-www-form-urlencoded", 415, "scim.media_type"),
        (b'{"schemas": []}', "text/plain", 415, "scim.media_type"),
        (b'{"active": false, "ACTIVE": true}', "application/json; charset=utf-8", 400, "scim.syntax"),
    ],
)
async def test_what_is_sent_is_json_that_reads_one_way(
    told: Installation, body: bytes, kind: str, status: int, code: str
) -> None:
    reply = await asked(told, "POST", "/Users", body, Content_Type=kind)
    assert (reply.status, told.codes()[-1]) == (status, code)


async def test_the_log_says_which_directory_told_what(told: Installation) -> None:
    await patched(told, await created(told), OFF)
    lines = [line for line in told.logged() if line["event"] == "scim.told"]
    assert [(line["client_name"], line["what"], line["provider"]) for line in lines] == [
        ("annuaire", "created", "metropole"),
        ("annuaire", "deactivated", "metropole"),
    ]
    assert {(line["user"], "person" in line) for line in lines} == {("1", False)}, "nobody has signed in by this name"
    assert not [line for line in lines if "alice" in json.dumps(line)]
