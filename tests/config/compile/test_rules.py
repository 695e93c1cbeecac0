# ruff: noqa: E501 - a case is a line
import pytest

from gateway.config.compile.plan import OrganisationList
from gateway.config.compile.rules import Named, build_condition, build_rule
from gateway.model.decision import RuleRef
from gateway.policy.conditions import All, Any_, Anyone, Claim, Condition, Group, Not, SignedIn
from gateway.policy.persons import Organisations, Tenant
from gateway.policy.values import Equals, Exists, Suffix, Within


@pytest.mark.parametrize(
    ("written", "condition"),
    [
        ("anyone", Anyone()),
        ("signed_in", SignedIn()),
        ({"group": "a"}, Group("a")),
        ({"claim": {"name": "mail", "equals": "a"}}, Claim("mail", Equals("a"))),
        ({"claim": {"in": ["a", "b"], "name": "mail"}}, Claim("mail", Within(frozenset({"a", "b"})))),
        ({"claim": {"name": "mail", "suffix": "@a"}}, Claim("mail", Suffix("@a"))),
        ({"claim": {"name": "mail", "exists": True}}, Claim("mail", Exists())),
        ({"any": ["anyone", {"group": "a"}]}, Any_((Anyone(), Group("a")))),
        ({"all": ["anyone", {"not": "signed_in"}]}, All((Anyone(), Not(SignedIn())))),
    ],
)
def test_a_condition_is_built_as_it_is_written(written: object, condition: Condition) -> None:
    assert build_condition(written, Named()) == condition


@pytest.mark.parametrize(
    "written", [None, True, 7, "everyone", {}, {"group": 1}, {"any": "a"}, {"claim": {"name": "a"}}, {"grop": "a"}, ["anyone"],
                {"claim": {"name": "a", "exists": False}}],
)  # fmt: skip
def test_nothing_else_is_a_condition(written: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        build_condition(written, Named())


def test_a_rule_knows_its_place() -> None:
    written = {"line": 18, "path": "/admin/**", "methods": ["GET"], "allow": {"group": "a"}, "refusal": "Non."}
    rule = build_rule("policies/apps/permis.yaml", written, Named())
    assert (rule.ref, rule.methods, rule.allow, rule.deny, rule.refusal, rule.shadow) == (
        RuleRef("policies/apps/permis.yaml", 18, "/admin/**"), frozenset({"GET"}), Group("a"), None, "Non.", False,
    )  # fmt: skip
    assert build_rule("x", {"line": 1, "path": "/**", "deny": "anyone"}, Named()).deny == Anyone()


def test_communes_are_looked_up_once() -> None:
    """Thousands of communes would be looked through, or the organisations of one gathered anew, at each decision."""
    named = Named()
    named.add_organisations(OrganisationList("nord", [("215903501", "59350"), ("215905050", "59512")]))
    built = build_condition({"tenant": {"insee": ["59350", "59512", "59350"]}}, named)
    both = Organisations("", frozenset(), frozenset({"215903501", "215905050"}))
    assert built == Tenant("insee 59350, 59512, 59350", (both,))
    assert named.commune("59350") is named.commune("59350")
    assert named.commune("75056") is None
    twice = build_condition({"tenant": {"list": ["nord", "nord"]}}, named)
    assert twice == Tenant("list nord, nord", (named.list("nord"),))
