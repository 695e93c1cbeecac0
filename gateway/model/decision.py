"""The decisions of policy: a closed set of three, each with the deciding rule and the reason."""

from dataclasses import dataclass

from gateway.model.codes.code import Code
from gateway.model.levels import NO_NEED, Need
from gateway.model.theme import Words


@dataclass(frozen=True, slots=True)
class RuleRef:
    """Where a rule stands in the operator's files: `policies/apps/permis.yaml`, 18, and its path pattern."""

    file: str
    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Allow:
    rule: RuleRef
    reason: Code


@dataclass(frozen=True, slots=True)
class Deny:
    """`refusal`: the app file's own text for the person. `detail`: more for the operator. Empty where there is none."""

    rule: RuleRef | None
    reason: Code
    refusal: Words = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Sign in first: nobody is signed in, or not by a provider that this app listens to, or not well enough.

    `need`: what the sign-in has to be, where the rule asks for more than this session is.
    """

    rule: RuleRef | None
    reason: Code
    need: Need = NO_NEED


Decision = Allow | Deny | Challenge
