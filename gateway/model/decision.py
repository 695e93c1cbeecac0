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
    """`refusal`: the app file's text for the person; empty without a text.
    `detail`: a further explanation for the operator; may be empty."""

    rule: RuleRef | None
    reason: Code
    refusal: Words = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The person must sign in first: there is no session, or the application does not accept the session's provider,
    or the sign-in is too weak or too old.

    `need`: the demands of the rule that the session does not meet.
    """

    rule: RuleRef | None
    reason: Code
    need: Need = NO_NEED


Decision = Allow | Deny | Challenge
