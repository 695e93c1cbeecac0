import pytest

from gateway.policy.rules import meet
from tests.policy.short import rule


@pytest.mark.parametrize(
    ("methods", "method", "covered"),
    [
        (None, "GET", True),
        (None, "PROPFIND", True),
        ({"GET"}, "GET", True),
        ({"GET"}, "HEAD", True),
        ({"HEAD"}, "HEAD", True),
        ({"HEAD"}, "GET", False),
        ({"GET"}, "POST", False),
        ({"GET"}, "OPTIONS", False),
        ({"GET"}, "get", False),
        ({"GET", "POST"}, "POST", True),
        (set(), "GET", False),
    ],
)
def test_a_rule_covers_the_methods_that_it_names_and_get_covers_head(
    methods: set[str] | None, method: str, covered: bool
) -> None:
    assert rule("/a", methods=methods).covers(method) is covered


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (None, None, None),
        (None, {"GET"}, {"GET"}),
        ({"GET"}, {"POST"}, set()),
        ({"GET", "PUT"}, {"POST", "PUT"}, {"PUT"}),
        ({"GET"}, {"HEAD"}, {"HEAD"}),
        ({"GET"}, {"GET"}, {"GET", "HEAD"}),
    ],
)
def test_where_two_rules_meet(one: set[str] | None, other: set[str] | None, shared: set[str] | None) -> None:
    assert meet(rule("/a", methods=one), rule("/a", methods=other)) == shared
    assert meet(rule("/a", methods=other), rule("/a", methods=one)) == shared
