"""What a rule asks of the caller, in three values: a condition that cannot be told is unknown, never false.

All of it is total: evaluating cannot fail, so that no error can turn into a way through.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from gateway.model.codes import POLICY_CONDITION
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mail import mail_domain

GROUPS = "groups"
DEEPEST = 32


class Truth(Enum):
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Equals:
    value: str

    def __post_init__(self) -> None:
        _check_text(self.value)


@dataclass(frozen=True, slots=True)
class Within:
    values: frozenset[str]

    def __post_init__(self) -> None:
        _check_members(self.values)
        for value in self.values:
            _check_text(value)


@dataclass(frozen=True, slots=True)
class Suffix:
    """The end of a value, from a separator on. `@corp.example` and `.corp.example` compare domains: any case."""

    text: str

    def __post_init__(self) -> None:
        _check_text(self.text)
        if self.text[0].isalnum():
            raise GatewayError(
                POLICY_CONDITION,
                f"suffix `{self.text}` begins with a letter or a digit, so that `evil{self.text}` would end with it: "
                "begin it with the separator, such as `@` or `.`",
            )


@dataclass(frozen=True, slots=True)
class Exists:
    pass


ClaimTest = Equals | Within | Suffix | Exists


@dataclass(frozen=True, slots=True)
class Anyone:
    pass


@dataclass(frozen=True, slots=True)
class SignedIn:
    pass


@dataclass(frozen=True, slots=True)
class Group:
    """One of the values of the attribute `groups`."""

    name: str

    def __post_init__(self) -> None:
        _check_text(self.name)


@dataclass(frozen=True, slots=True)
class Claim:
    """`name` is an attribute's, after mapping; one value that passes is enough."""

    name: str
    test: ClaimTest

    def __post_init__(self) -> None:
        _check_text(self.name)


@dataclass(frozen=True, slots=True)
class All:
    conditions: tuple["Condition", ...]

    def __post_init__(self) -> None:
        _check_members(self.conditions)
        _check_depth(self)


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - `Any` is typing's
    conditions: tuple["Condition", ...]

    def __post_init__(self) -> None:
        _check_members(self.conditions)
        _check_depth(self)


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"

    def __post_init__(self) -> None:
        _check_depth(self)


Condition = Anyone | SignedIn | Group | Claim | All | Any_ | Not


def evaluate(condition: Condition, identity: Identity | None) -> Truth:
    """Kleene's logic; `identity` None means that nobody is signed in, so that who it is, is unknown."""
    match condition:
        case Anyone():
            return Truth.TRUE
        case SignedIn():
            return Truth.UNKNOWN if identity is None else Truth.TRUE
        case Group():
            values = _values(identity, GROUPS)
            return Truth.UNKNOWN if values is None else _truth(condition.name in values)
        case Claim():
            values = _values(identity, condition.name)
            return Truth.UNKNOWN if values is None else _test(condition.test, values)
        case All():
            return _all(evaluate(part, identity) for part in condition.conditions)
        case Any_():
            return _any(evaluate(part, identity) for part in condition.conditions)
        case Not():
            return _not(evaluate(condition.condition, identity))
        case _:
            assert_never(condition)


def turns_on_identity(condition: Condition) -> bool:
    """Whether signing in could change what the condition says."""
    match condition:
        case Anyone():
            return False
        case SignedIn() | Group() | Claim():
            return True
        case All() | Any_():
            return any(turns_on_identity(part) for part in condition.conditions)
        case Not():
            return turns_on_identity(condition.condition)
        case _:
            assert_never(condition)


def _values(identity: Identity | None, name: str) -> tuple[str, ...] | None:
    """None: unknown. What the provider left out is unknown even where a part of it came."""
    if identity is None or name in identity.left_out:
        return None
    return identity.attributes.get(name)


def _test(test: ClaimTest, values: tuple[str, ...]) -> Truth:
    match test:
        case Equals():
            return _truth(test.value in values)
        case Within():
            return _truth(not test.values.isdisjoint(values))
        case Suffix():
            return _any(_ends(value, test.text) for value in values)
        case Exists():
            return Truth.TRUE
        case _:
            assert_never(test)


def _ends(value: str, suffix: str) -> Truth:
    """An e-mail address that could be read two ways (`a@evil.test@corp.example`) cannot be told."""
    if suffix[0] == "@" or (suffix[0] == "." and "@" in value):
        domain = mail_domain(value)
        return Truth.UNKNOWN if domain is None else _truth(f"@{domain}".endswith(suffix.lower()))
    if suffix[0] == ".":
        return _truth(value.lower().endswith(suffix.lower()))
    return _truth(value.endswith(suffix))


def _truth(holds: bool) -> Truth:
    return Truth.TRUE if holds else Truth.FALSE


def _all(parts: Iterable[Truth]) -> Truth:
    found = Truth.TRUE
    for part in parts:
        if part is Truth.FALSE:
            return part
        if part is Truth.UNKNOWN:
            found = part
    return found


def _any(parts: Iterable[Truth]) -> Truth:
    found = Truth.FALSE
    for part in parts:
        if part is Truth.TRUE:
            return part
        if part is Truth.UNKNOWN:
            found = part
    return found


def _not(truth: Truth) -> Truth:
    if truth is Truth.UNKNOWN:
        return truth
    return Truth.FALSE if truth is Truth.TRUE else Truth.TRUE


def _check_text(text: str) -> None:
    """Mapped values are NFC (identity.mapping): a condition in another form would never meet them."""
    if not text:
        raise GatewayError(POLICY_CONDITION, "an empty text is equal to nothing")
    if not unicodedata.is_normalized("NFC", text):
        raise GatewayError(POLICY_CONDITION, f"`{text}` has accents apart from their letters: write it in NFC")


def _check_members(members: Iterable[object]) -> None:
    """`all` of nothing would be true for everyone."""
    if not any(True for _ in members):
        raise GatewayError(POLICY_CONDITION, "an empty list says nothing: name at least one")


def _check_depth(condition: Condition) -> None:
    """So that evaluating never runs out of stack."""
    if _depth(condition) > DEEPEST:
        raise GatewayError(POLICY_CONDITION, f"conditions are nested more than {DEEPEST} deep")


def _depth(condition: Condition) -> int:
    match condition:
        case All() | Any_():
            return 1 + max(_depth(part) for part in condition.conditions)
        case Not():
            return 1 + _depth(condition.condition)
        case _:
            return 1
