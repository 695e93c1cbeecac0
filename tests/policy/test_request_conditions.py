"""What is asked of the request: all of it is there, and what could be read two ways is unknown."""

from ipaddress import ip_address, ip_network

import pytest

from gateway.model.errors import GatewayError
from gateway.policy.conditions import Condition, evaluate
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.request_conditions import Header, Method, Network, Query
from gateway.policy.truth import Truth
from gateway.policy.values import Equals, Exists, Matches, Within

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


def asked(
    client: str = "", query: str = "", headers: tuple[tuple[str, str], ...] = (), now: float = 0, path: str = "/"
) -> Facts:
    return Facts("GET", None, RequestFacts(ip_address(client) if client else None, headers, path, query, now))


@pytest.mark.parametrize(
    ("client", "expected"),
    [("10.1.2.3", TRUE), ("11.0.0.1", FALSE), ("2001:db8::1", TRUE), ("2001:db9::1", FALSE), ("", UNKNOWN)],
)
def test_where_the_client_is(client: str, expected: Truth) -> None:
    inside = Network(frozenset({ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")}))
    assert evaluate(inside, None, asked(client)) is expected


@pytest.mark.parametrize(
    ("method", "expected"), [("GET", TRUE), ("HEAD", TRUE), ("POST", FALSE), ("get", FALSE), ("", UNKNOWN)]
)
def test_get_includes_head(method: str, expected: Truth) -> None:
    assert evaluate(Method(frozenset({"GET"})), None, Facts(method)) is expected
    assert evaluate(Method(frozenset({"HEAD"})), None, Facts("GET")) is FALSE


@pytest.mark.parametrize(
    ("values", "expected"),
    [((), FALSE), (("1",), TRUE), (("0",), FALSE), (("1", "1"), TRUE), (("1", "0"), UNKNOWN), (("1, 0",), FALSE)],
)
def test_a_header_that_comes_twice_has_to_say_one_thing(values: tuple[str, ...], expected: Truth) -> None:
    headers = (("accept", "1"), *(("x-mode", value) for value in values))
    assert evaluate(Header("x-mode", Equals("1")), None, asked(headers=headers)) is expected
    assert evaluate(Header("x-mode", Exists()), None, asked(headers=headers)) is (TRUE if values else FALSE)


@pytest.mark.parametrize("other", ["x.mode", "x_mode", "x!mode", "xmode"])
def test_a_header_that_a_cgi_program_reads_as_this_one_is_unknown(other: str) -> None:
    for headers in (((other, "1"),), (("x-mode", "1"), (other, "1"))):
        assert evaluate(Header("x-mode", Exists()), None, asked(headers=headers)) is UNKNOWN


@pytest.mark.parametrize("name", ["X-Mode", "", "x_mode", "x mode", "a" * 65])
def test_no_header(name: str) -> None:
    with pytest.raises(GatewayError):
        Header(name, Exists())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", FALSE),
        ("mode=print", TRUE),
        ("x=1&mode=print&y", TRUE),
        ("mode=%70rint", TRUE),
        ("%6dode=print", TRUE),
        ("mode=edit", FALSE),
        ("mode", FALSE),
        ("modes=print", FALSE),
        ("mode=print&mode=print", TRUE),
        ("mode=print&mode=edit", UNKNOWN),
        ("mode=edit&mode=print", UNKNOWN),
        ("Mode=print", UNKNOWN),
        ("mode=print&MODE=edit", UNKNOWN),
        ("mode[]=edit&mode=print", UNKNOWN),
        ("mode=print;mode=edit", UNKNOWN),
        ("x=1;mode=edit", UNKNOWN),
        ("x=1;y=2&mode=print", TRUE),
        ("mode=%ff", UNKNOWN),
        ("%ff=1&mode=print", UNKNOWN),
        ("mode=print%00", UNKNOWN),
        ("mode=%2570rint", FALSE),
        ("mode=print+", FALSE),
        # qs (Express) reads a parameter `mode=print]`.
        ("mode=print]=x", UNKNOWN),
        ("mode=print%5d=x", UNKNOWN),
        ("x=print]=x&mode=print", TRUE),
        # ASP.NET reads `mode`.
        ("%u006dode=edit&mode=print", UNKNOWN),
        ("%u006dode=edit", UNKNOWN),
        ("mode=%u0070rint", UNKNOWN),
        # Tomcat drops such a parameter.
        ("mode=print%", UNKNOWN),
        ("mode=print&q=100%", TRUE),
    ],
)
def test_a_parameter_that_two_servers_could_read_two_ways_is_unknown(query: str, expected: Truth) -> None:
    assert evaluate(Query("mode", Equals("print")), None, asked(query=query)) is expected


@pytest.mark.parametrize(
    "query",
    ["user.id=1", "user%20id=1", "user+id=1", "user_id[x]=1", "user[id=1", "user%5Bid=1", "user%5bid.=1", "+user[id=1",
     "[user_id]=1", "user_id]=1", "user_id.x=1", "user_id:int=1"],
)  # fmt: skip
def test_a_name_that_some_server_folds_is_unknown(query: str) -> None:
    for beside in ("", "&user_id=0", "&x=1"):
        assert evaluate(Query("user_id", Equals("1")), None, asked(query=query + beside)) is UNKNOWN
        assert evaluate(Query("user_id", Exists()), None, asked(query=query + beside)) is UNKNOWN


def test_what_stands_behind_a_thousand_parameters_is_unknown() -> None:
    for query in ("x&" * 1000 + "mode=print", "mode=print" + "&x" * 1000, "x;" * 1000 + "y"):
        assert evaluate(Query("mode", Exists()), None, asked(query=query)) is UNKNOWN
    assert evaluate(Query("mode", Exists()), None, asked(query="x&" * 999 + "mode=print")) is TRUE


CONDITIONS: list[Condition] = [
    Network(frozenset({ip_network("10.0.0.0/8")})),
    Header("x-mode", Within(frozenset({"1"}))),
    Query("mode", Matches("a+")),
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_without_a_request_it_is_unknown(condition: Condition) -> None:
    assert evaluate(condition, None, Facts("GET")) is UNKNOWN
    assert condition.of_request
    assert not condition.of_identity


def test_a_method_is_known_before_the_request() -> None:
    assert not Method(frozenset({"GET"})).of_request
