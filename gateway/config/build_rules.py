"""Access rules of a plan to rules of policy."""

from typing import cast

from gateway.config.plan import RulePlan
from gateway.model.decision import RuleRef
from gateway.policy.conditions import All, Any_, Anyone, Claim, Condition, Group, Not, SignedIn
from gateway.policy.patterns import parse_pattern
from gateway.policy.rules import Rule
from gateway.policy.values import Equals, Exists, Suffix, ValueTest, Within


def build_rule(file: str, plan: RulePlan) -> Rule:
    methods, allow, deny = plan["methods"], plan["allow"], plan["deny"]
    return Rule(
        ref=RuleRef(file, plan["line"], plan["path"]),
        pattern=parse_pattern(plan["path"]),
        methods=None if methods is None else frozenset(methods),
        allow=None if allow is None else build_condition(allow),
        deny=None if deny is None else build_condition(deny),
        refusal=plan["refusal"],
    )


def build_condition(written: object) -> Condition:
    """From the form that the files have; ValueError for any other."""
    match written:
        case "anyone":
            return Anyone()
        case "signed_in":
            return SignedIn()
        case {"group": str(name)}:
            return Group(name)
        case {"claim": {"name": str(name), **test}}:
            return Claim(name, _value_test(test))
        case {"any": list(parts)}:
            return Any_(tuple(map(build_condition, parts)))
        case {"all": list(parts)}:
            return All(tuple(map(build_condition, parts)))
        case {"not": part}:
            return Not(build_condition(part))
        case _:
            raise ValueError(f"not a condition: {written!r}")


def _value_test(written: dict[object, object]) -> ValueTest:
    match written:
        case {"equals": str(text)}:
            return Equals(text)
        case {"in": list(texts)}:
            return Within(frozenset(cast(list[str], texts)))
        case {"suffix": str(text)}:
            return Suffix(text)
        case {"exists": True}:
            return Exists()
        case _:
            raise ValueError(f"not a test of a claim: {written!r}")
