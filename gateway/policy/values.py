"""Tests of one text: the value of an attribute, a header or a parameter."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, assert_never

import re2

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.model.mail import mail_domain
from gateway.policy.automaton import automaton
from gateway.policy.truth import TRUE, UNKNOWN, Truth, any_of, truth_of

LONGEST_EXPRESSION = 2000
_EXPRESSION_MEMORY = 1 << 20
_LARGE_PROGRAM = 1000
"""Instructions. A larger program, such as the program of `\\pL`, has larger states, so fewer states fit."""
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Equals:
    value: str

    def __post_init__(self) -> None:
        check_text(self.value)


@dataclass(frozen=True, slots=True)
class Within:
    values: frozenset[str]

    def __post_init__(self) -> None:
        check_members(self.values)
        for value in self.values:
            check_text(value)


@dataclass(frozen=True, slots=True)
class Suffix:
    """The end of a value, from a separator on. `@corp.example` and `.corp.example` compare domains: any case."""

    text: str

    def __post_init__(self) -> None:
        check_text(self.text)
        if self.text[0].isalnum():
            raise GatewayError(
                policy_codes.CONDITION,
                f"suffix `{self.text}` begins with a letter or a digit, so that `evil{self.text}` would end with it: "
                "begin it with the separator, such as `@` or `.`",
            )


@dataclass(frozen=True, slots=True)
class Matches:
    """An RE2 expression over the whole value. `transitions`: see policy.automaton."""

    source: str
    compiled: Any = field(init=False, repr=False, compare=False)
    transitions: int | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", compile_re2(self.source))
        object.__setattr__(self, "transitions", automaton(self.source).transitions)


@dataclass(frozen=True, slots=True)
class Sha256:
    """A value of the person by its SHA-256 in hexadecimal: no file holds the value itself."""

    digests: frozenset[str]

    def __post_init__(self) -> None:
        check_members(self.digests)
        for digest in self.digests:
            if _DIGEST.fullmatch(digest) is None:
                raise GatewayError(policy_codes.CONDITION, "a SHA-256 is 64 hexadecimal digits, as sha256sum prints it")


@dataclass(frozen=True, slots=True)
class Exists:
    pass


ValueTest = Equals | Within | Suffix | Matches | Sha256 | Exists


def value_truth(test: ValueTest, value: str) -> Truth:
    match test:
        case Equals():
            return truth_of(test.value == value)
        case Within():
            return truth_of(value in test.values)
        case Suffix():
            return _ends(value, test.text)
        case Matches():
            return truth_of(test.compiled.fullmatch(value.encode()) is not None)
        case Sha256():
            return truth_of(hashlib.sha256(value.encode()).hexdigest() in test.digests)
        case Exists():
            return TRUE
        case _:
            assert_never(test)


def steps_of(test: ValueTest, values: Collection[str]) -> int:
    """The most steps (policy.budget) that testing the values takes."""
    match test:
        case Equals() | Within() | Exists():
            return sum(40 + len(value) // 64 for value in values)
        case Suffix():
            return sum(200 + len(test.text) // 8 + 2 * len(value) for value in values)
        case Sha256():
            return sum(300 + 2 * len(value) for value in values)
        case Matches():
            return _steps_of_match(test, values)
        case _:
            assert_never(test)


def _steps_of_match(test: Matches, values: Collection[str]) -> int:
    sizes = [len(value) if value.isascii() else 4 * len(value) for value in values]
    program: int = test.compiled.programsize
    if test.transitions is not None and program <= _LARGE_PROGRAM:
        # RE2 builds what it meets for the first time.
        return sum(300 + size for size in sizes) + 20 * min(sum(sizes), test.transitions)
    return sum(300 + size * (60 + 5 * min(size, program) // 2) for size in sizes)


def any_truth(test: ValueTest, values: Iterable[str]) -> Truth:
    return any_of(value_truth(test, value) for value in values)


def compile_re2(source: str, *, groups: bool = False) -> Any:
    """An RE2 object over UTF-8 bytes. Raises GatewayError(policy_codes.CONDITION) with the construct that RE2
    refuses.

    `groups`: RE2 finds the places of groups, too."""
    if not source or len(source) > LONGEST_EXPRESSION:
        raise GatewayError(policy_codes.CONDITION, f"an expression has 1 to {LONGEST_EXPRESSION} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _EXPRESSION_MEMORY
    # RE2 would copy the place of every group at every letter.
    options.never_capture = not groups
    try:
        return re2.compile(source.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        raise GatewayError(policy_codes.CONDITION, f"`{source}`: {reason} (expressions are RE2)") from None
    except UnicodeEncodeError:
        raise GatewayError(policy_codes.CONDITION, "an expression with half of a surrogate pair") from None


def check_text(text: str) -> None:
    """Mapped values are NFC (identity.mapping): a condition in another form would never match."""
    if not text:
        raise GatewayError(policy_codes.CONDITION, "an empty text is equal to nothing")
    if not unicodedata.is_normalized("NFC", text):
        raise GatewayError(policy_codes.CONDITION, f"`{text}` has accents apart from their letters: write it in NFC")


def check_members(members: Iterable[object]) -> None:
    """Refuse an empty list: `all` of nothing would be true for everybody. Raises
    GatewayError(policy_codes.CONDITION)."""
    if not any(True for _ in members):
        raise GatewayError(policy_codes.CONDITION, "an empty list says nothing: name at least one")


def _ends(value: str, suffix: str) -> Truth:
    """Unknown for an e-mail address with two readings, such as `a@evil.test@corp.example`."""
    if suffix[0] == "@" or (suffix[0] == "." and "@" in value):
        domain = mail_domain(value)
        return UNKNOWN if domain is None else truth_of(f"@{domain}".endswith(suffix.lower()))
    if suffix[0] == ".":
        return truth_of(value.lower().endswith(suffix.lower()))
    return truth_of(value.endswith(suffix))
