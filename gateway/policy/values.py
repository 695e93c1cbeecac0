"""Tests of one text: the value of an attribute, a header or a parameter."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, assert_never

import re2

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.model.mail import mail_domain
from gateway.policy.facts import Facts
from gateway.policy.truth import TRUE, UNKNOWN, Truth, truth_of

LONGEST_EXPRESSION = 2000
_EXPRESSION_MEMORY = 1 << 20
_SHORT_TEXT = 512
_SMALL_PROGRAM = 1000
"""Bytes, and instructions of RE2."""
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
    lowered: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_text(self.text)
        object.__setattr__(self, "lowered", self.text.lower())
        if self.text[0].isalnum():
            raise GatewayError(
                policy_codes.CONDITION,
                f"suffix `{self.text}` begins with a letter or a digit, so that `evil{self.text}` would end with it: "
                "begin it with the separator, such as `@` or `.`",
            )


@dataclass(frozen=True, slots=True)
class Matches:
    """An RE2 expression over the whole value."""

    source: str
    compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", compile_re2(self.source))


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
            return _ends(value, test)
        case Matches():
            return truth_of(test.compiled.fullmatch(value.encode()) is not None)
        case Sha256():
            return truth_of(hashlib.sha256(value.encode()).hexdigest() in test.digests)
        case Exists():
            return TRUE
        case _:
            assert_never(test)


def truths(test: ValueTest, values: Collection[str], facts: Facts) -> Iterator[Truth]:
    """The truth of the test for each value. Where the budget covers no more values, the last truth is unknown.

    An expression is charged value by value: between two values, the budget looks at the clock.
    """
    if not isinstance(test, Matches):
        if facts.afford(steps_of(test, values)):
            yield from (value_truth(test, value) for value in values)
        else:
            yield UNKNOWN
        return
    for value in values:
        if not facts.afford(steps_of(test, (value,))):
            yield UNKNOWN
            return
        yield value_truth(test, value)


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
            program = test.compiled.programsize
            return sum(
                usual_match_steps(program, len(value) if value.isascii() else 4 * len(value)) for value in values
            )
        case _:
            assert_never(test)


def usual_match_steps(program: int, size: int) -> int:
    """The steps (policy.budget) of one match where the budget has a clock. `program`: instructions of RE2. `size`:
    bytes of the text.

    RE2 makes the states of an automaton as it reads. With room for the states, a byte takes some 3 ns: a short text is
    charged for this case, and takes 4 ms at most without room.
    """
    if size <= _SHORT_TEXT and program <= _SMALL_PROGRAM:
        return 300 + size
    return most_match_steps(program, size)


def most_match_steps(program: int, size: int) -> int:
    """As `usual_match_steps`, at most: without room for the states, every instruction runs at every byte."""
    return 300 + size * (60 + 5 * min(size, program) // 2)


def compile_re2(source: str, *, groups: bool = False) -> Any:
    """An RE2 object over UTF-8 bytes. Raises GatewayError(policy_codes.CONDITION) with the construct that RE2
    refuses.

    `groups`: RE2 finds the places of groups, too.
    """
    if not source or len(source) > LONGEST_EXPRESSION:
        raise GatewayError(policy_codes.CONDITION, f"an expression has 1 to {LONGEST_EXPRESSION} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _EXPRESSION_MEMORY
    # RE2 would copy the place of every group at every letter.
    options.never_capture = not groups
    try:
        compiled = re2.compile(source.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        raise GatewayError(policy_codes.CONDITION, f"`{source}`: {reason} (expressions are RE2)") from None
    except UnicodeEncodeError:
        raise GatewayError(policy_codes.CONDITION, "an expression with half of a surrogate pair") from None
    if compiled.groups and not groups:
        # `never_capture` does not apply to groups with a name.
        raise GatewayError(policy_codes.CONDITION, f"`{source}`: a group has a name: write `(` for `(?P<name>`")
    return compiled


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


def _ends(value: str, suffix: Suffix) -> Truth:
    """Unknown for an e-mail address with two readings, such as `a@evil.test@corp.example`."""
    first = suffix.text[0]
    if first == "@" or (first == "." and "@" in value):
        domain = mail_domain(value)
        return UNKNOWN if domain is None else truth_of(f"@{domain}".endswith(suffix.lowered))
    if first == ".":
        return truth_of(value.lower().endswith(suffix.lowered))
    return truth_of(value.endswith(suffix.text))
