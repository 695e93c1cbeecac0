import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import scim_codes
from gateway.scim.projection import projection_of
from gateway.scim.query import (
    MOST_RESULTS,
    SEARCH_REQUEST,
    UserNamed,
    UserQuery,
    list_response,
    read_filter,
    read_query,
    read_search,
)
from gateway.scim.user import USER
from tests.scim.samples import outcome, refused, told


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "anne"',
        'username Eq "anne"',
        'userName  eq  "anne"',
        f'{USER}:userName eq "anne"',
        'userName eq "\\u0061nne"',
    ],
)
def test_a_person_is_found_by_the_name_that_their_directory_has(text: str) -> None:
    assert read_filter(text) == UserNamed("userName", "anne")


def test_or_by_its_own_id() -> None:
    assert read_filter('externalId eq "A 1"') == UserNamed("externalId", "A 1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        "userName eq anne",
        "userName eq 'anne'",
        'userName co "anne"',
        'userName ne "anne"',
        'userName eq "anne" or userName pr',
        'not (userName eq "anne")',
        '(userName eq "anne")',
        'userName eq "anne" ',
        'displayName eq "anne"',
        'userName.value eq "anne"',
        'userName eq "anne\\"',
        'userName eq "\\ud800"',
        'userName eq "a\nb"',
        'userName eq "' + "a" * 1024 + '"',
    ],
)
def test_no_other_filter_is_understood(text: str) -> None:
    assert refused(lambda: read_filter(text))[0] is scim_codes.FILTER


@given(st.text(max_size=100))
def test_any_value_comes_back_as_it_was_written(value: str) -> None:
    written = json.dumps(value)
    if len(written) < 900:
        assert outcome(lambda: read_filter(f"externalId eq {written}")) in (
            UserNamed("externalId", value),
            scim_codes.FILTER,
        )


@given(st.text(alphabet='userNameextrlId eqco"\\ ()or', max_size=40))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    found = outcome(lambda: read_filter(text))
    assert found is scim_codes.FILTER or (
        isinstance(found, UserNamed) and found.attribute in ("userName", "externalId")
    )


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        ({}, UserQuery(None, 1, MOST_RESULTS)),
        ({"startIndex": "1", "count": "2"}, UserQuery(None, 1, 2)),
        ({"startIndex": "0", "count": "-1"}, UserQuery(None, 1, 0)),
        ({"startIndex": "-7", "count": "100000"}, UserQuery(None, 1, MOST_RESULTS)),
        ({"filter": 'userName eq "a"', "sortBy": "id"}, UserQuery(UserNamed("userName", "a"), 1, MOST_RESULTS)),
    ],
)
def test_a_page_is_read(parameters: dict[str, str], query: UserQuery) -> None:
    assert read_query(parameters) == query


@pytest.mark.parametrize("number", ["", "x", "1.5", "٣", "1" * 10, " 1"])
def test_a_number_is_a_number(number: str) -> None:
    assert refused(lambda: read_query({"count": number}))[0] is scim_codes.VALUE


def test_a_list_says_how_many_there_are() -> None:
    assert list_response([{"id": "7"}], total=9, start=3) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 9,
        "startIndex": 3,
        "itemsPerPage": 1,
        "Resources": [{"id": "7"}],
    }


def test_a_search_asks_for_the_same_in_its_body() -> None:
    asked = {"filter": 'userName eq "anne"', "startIndex": 0, "count": 1000, "attributes": ["userName"], "sortBy": "id"}
    found = read_search(told({"schemas": [SEARCH_REQUEST], **asked}))
    assert found == UserQuery(UserNamed("userName", "anne"), 1, MOST_RESULTS, projection_of(["username"], None))
    assert read_search(told({"schemas": [SEARCH_REQUEST]})) == read_query({})
    assert read_search(told({"schemas": [SEARCH_REQUEST], "excludedAttributes": None, "count": -1})).count == 0


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ({"schemas": [USER]}, scim_codes.SYNTAX),
        ({"filter": 7}, scim_codes.FILTER),
        ({"filter": "userName pr"}, scim_codes.FILTER),
        ({"count": "10"}, scim_codes.VALUE),
        ({"count": True}, scim_codes.VALUE),
        ({"startIndex": 1.5}, scim_codes.VALUE),
        ({"startIndex": 10**9}, scim_codes.VALUE),
        ({"attributes": "userName"}, scim_codes.VALUE),
        ({"attributes": [7]}, scim_codes.VALUE),
        ({"excludedAttributes": ["a"] * 65}, scim_codes.VALUE),
        ({"attributes": ["id"], "excludedAttributes": ["id"]}, scim_codes.VALUE),
    ],
)
def test_a_search_that_says_something_else_is_refused(member: dict[str, object], code: object) -> None:
    assert refused(lambda: read_search(told({"schemas": [SEARCH_REQUEST], **member})))[0] is code
