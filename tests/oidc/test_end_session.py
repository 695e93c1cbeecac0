from dataclasses import replace
from typing import Any

import pytest

from gateway.model.provider import ProviderLogout
from gateway.oidc.end_session import LONGEST_ADDRESS, end_session_request
from tests.oidc.samples import METADATA, PROVIDER

BACK = "https://portail.example/_ecluse/logged-out"
WITH = replace(METADATA, end_session_endpoint="https://op.metropole.example/end")


def test_the_token_of_the_person_goes_to_its_own_provider_with_what_is_registered_there_and_nothing_more() -> None:
    asked = end_session_request(PROVIDER, WITH, "a.b.c", "s1", BACK)
    assert asked is not None
    assert asked.url == "https://op.metropole.example/end"
    assert asked.fields == (("id_token_hint", "a.b.c"), ("post_logout_redirect_uri", BACK), ("state", "s1"))
    assert "a.b.c" not in repr(asked)


def test_without_a_token_the_client_says_who_asks() -> None:
    asked = end_session_request(PROVIDER, WITH, None, "s1", BACK)
    assert asked is not None
    assert asked.fields[0] == ("client_id", "ecluse")


def test_a_provider_that_wants_it_is_told_the_client_beside_the_token() -> None:
    wanting = replace(PROVIDER, logout=ProviderLogout(client_id=True))
    for token, names in (("a.b.c", ["id_token_hint", "client_id"]), (None, ["client_id"])):
        asked = end_session_request(wanting, WITH, token, "s1", BACK)
        assert asked is not None
        assert [name for name, _ in asked.fields] == [*names, "post_logout_redirect_uri", "state"]


@pytest.mark.parametrize(
    ("method", "size", "by_address"),
    [("auto", 100, True), ("auto", LONGEST_ADDRESS, False), ("get", LONGEST_ADDRESS, True), ("post", 100, False)],
)
def test_by_address_where_it_is_short_enough_or_the_file_says_so(method: Any, size: int, by_address: bool) -> None:
    provider = replace(PROVIDER, logout=ProviderLogout(method=method))
    asked = end_session_request(provider, WITH, "a" * size, "s1", BACK)
    assert asked is not None
    assert asked.goes_by_address(provider) is by_address


def test_the_limit_is_of_the_whole_address() -> None:
    asked = end_session_request(PROVIDER, WITH, "", "s1", BACK)
    assert asked is not None
    rest = len(asked.as_address)
    for size, fits in ((LONGEST_ADDRESS - rest, True), (LONGEST_ADDRESS - rest + 1, False)):
        asked = end_session_request(PROVIDER, WITH, "a" * size, "s1", BACK)
        assert asked is not None
        assert asked.goes_by_address(PROVIDER) is fits


def test_a_provider_without_the_endpoint_is_not_asked() -> None:
    assert end_session_request(PROVIDER, METADATA, "a.b.c", "s1", BACK) is None


def test_the_endpoints_own_query_is_kept_in_an_address() -> None:
    asked = end_session_request(PROVIDER, replace(WITH, end_session_endpoint="https://op/end?realm=1"), "a", "s", "b c")
    assert asked is not None
    assert asked.as_address == "https://op/end?realm=1&id_token_hint=a&post_logout_redirect_uri=b+c&state=s"
