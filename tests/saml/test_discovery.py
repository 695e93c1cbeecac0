from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.saml.discovery import discovery_request
from tests.saml.parties import service_provider

SP = replace(
    service_provider(), discovery="https://ds.example/wayf", discovery_response="https://portal.example/discovery"
)


def test_the_request_names_us_and_where_people_come_back() -> None:
    asked = urlsplit(discovery_request(SP, {"t": "a&b=c"}))
    assert (asked.netloc, asked.path) == ("ds.example", "/wayf")
    query = parse_qs(asked.query)
    assert query == {"entityID": [SP.entity_id], "return": ["https://portal.example/discovery?t=a%26b%3Dc"]}
    assert parse_qs(urlsplit(query["return"][0]).query) == {"t": ["a&b=c"]}


@pytest.mark.parametrize("query", ["?style=fr", "?a=1&b=2"])
def test_an_address_with_a_query_keeps_it(query: str) -> None:
    asked = discovery_request(replace(SP, discovery=SP.discovery + query), {})
    assert asked.startswith(f"https://ds.example/wayf{query}&entityID=")
    assert parse_qs(urlsplit(asked).query)["return"] == ["https://portal.example/discovery"]
