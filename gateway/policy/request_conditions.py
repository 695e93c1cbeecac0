"""Conditions on the request. The whole request is known: an absent header or parameter makes a condition false.

A condition is unknown where two servers could read the request differently: repeated values that differ, names that a
server folds into the condition's name, and a query that a server reads in part.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import ClassVar
from urllib.parse import unquote_to_bytes

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.names import LenientName, fold
from gateway.policy.facts import Facts
from gateway.policy.truth import Truth, agreed, truth_of
from gateway.policy.values import ValueTest, check_members, check_text, steps_of, value_truth

_HEADER_NAME = re.compile(r"[a-z0-9-]{1,64}")
_SEPARATORS = re.compile("[&;]")
_AMPERSAND = re.compile("&")
# PHP, qs (Express), Tomcat and Django read 1,000 parameters: what comes behind is not there, or the request is refused.
_MOST_PARAMETERS = 1000
# ASP.NET decodes `%u0061`. Other servers leave it, drop the parameter, or leave all of the name encoded.
_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
# Behind `name=`, qs reads `name=x]` as the name.
_MARKS = " +.:_()[]"
"""Separators in a name: each run of separators is read in Python. `%` may encode a separator."""
_SECOND_NAME = re.compile("(?:]|%5[Dd])=")


@dataclass(frozen=True, slots=True)
class Network:
    """The client's address, from the connection or from a trusted proxy, is in one of these networks."""

    of_identity: ClassVar[bool] = False
    of_request: ClassVar[bool] = True
    networks: frozenset[IPv4Network | IPv6Network]

    def __post_init__(self) -> None:
        check_members(self.networks)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if facts.asked is None or facts.asked.client is None:
            return Truth.UNKNOWN
        if not facts.afford(steps_of_networks(len(self.networks))):
            return Truth.UNKNOWN
        client = facts.asked.client
        return truth_of(any(client in network for network in self.networks))


@dataclass(frozen=True, slots=True)
class Method:
    """The method is in the list; GET includes HEAD. Decisions are kept per method: two requests never differ here."""

    of_identity: ClassVar[bool] = False
    of_request: ClassVar[bool] = False
    names: frozenset[str]

    def __post_init__(self) -> None:
        check_members(self.names)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        method = facts.method
        if not method:
            return Truth.UNKNOWN
        return truth_of(method in self.names or (method == "HEAD" and "GET" in self.names))


@dataclass(frozen=True, slots=True)
class Header:
    """`name`: lower case."""

    of_identity: ClassVar[bool] = False
    of_request: ClassVar[bool] = True
    name: str
    test: ValueTest

    def __post_init__(self) -> None:
        if _HEADER_NAME.fullmatch(self.name) is None:
            raise GatewayError(
                policy_codes.CONDITION, f"`{self.name}`: a header's name is made of letters, digits and -"
            )

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if facts.asked is None:
            return Truth.UNKNOWN
        if not facts.afford(400 + 150 * len(facts.asked.headers)):
            return Truth.UNKNOWN
        # CGI programs read `x.mode` as they read `x-mode`.
        folded = fold(self.name.encode())
        alike = [(name, value) for name, value in facts.asked.headers if fold(name.encode()) == folded]
        if any(name != self.name for name, _ in alike):
            return Truth.UNKNOWN
        return _agreed(self.test, [value for _, value in alike], facts)


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter of the query passes the test."""

    of_identity: ClassVar[bool] = False
    of_request: ClassVar[bool] = True
    name: str
    test: ValueTest
    parameter: LenientName = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_text(self.name)
        object.__setattr__(self, "parameter", LenientName(self.name))

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if facts.asked is None:
            return Truth.UNKNOWN
        query = facts.asked.query
        if not facts.afford(self._steps(query)):
            return Truth.UNKNOWN
        try:
            values = {self._values(query, separators) for separators in (_SEPARATORS, _AMPERSAND)}
        except ValueError:
            return Truth.UNKNOWN
        return _agreed(self.test, list(values.pop()), facts) if len(values) == 1 else Truth.UNKNOWN

    def _steps(self, query: str) -> int:
        """Steps (policy.budget) of reading the query with both separators."""
        pieces, escapes = 1 + query.count("&") + query.count(";"), query.count("%")
        marks = escapes + sum(map(query.count, _MARKS))
        return 800 * pieces + 10 * len(query) + 60 * escapes + 250 * min(marks, pieces * self.parameter.most_marks)

    def _values(self, query: str, separators: re.Pattern[str]) -> tuple[str, ...]:
        """Raises ValueError for a query that servers read differently."""
        found = []
        for name, written in _pairs(query, separators):
            value = _decoded(written)
            if name == self.name:
                if _NO_ESCAPE.search(written) or _SECOND_NAME.search(written):
                    raise ValueError("a value with a broken escape, or a bracket that may end the name")
                found.append(value)
            elif self.parameter.may_be(name):
                raise ValueError("a name that may be read as this one")
        return tuple(found)


def steps_of_networks(number: int) -> int:
    """Steps (policy.budget) of a condition with `number` networks."""
    return 200 + 60 * number


def _agreed(test: ValueTest, values: list[str], facts: Facts) -> Truth:
    if not values:
        return Truth.FALSE
    if not facts.afford(steps_of(test, values)):
        return Truth.UNKNOWN
    return agreed(value_truth(test, value) for value in values)


def _pairs(query: str, separators: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Names, decoded once as in a form, and values as they are written. Raises ValueError for a name that is not UTF-8
    in percent-encoding, or has a NUL, and for more parameters than servers read."""
    pieces = separators.split(query)
    if len(pieces) > _MOST_PARAMETERS:
        raise ValueError("more parameters than some server reads")
    for piece in pieces:
        name, _, value = piece.partition("=")
        if _NO_ESCAPE.search(name):
            raise ValueError("a name with a broken escape")
        yield _decoded(name), value


def _decoded(text: str) -> str:
    decoded = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    if "\0" in decoded:
        raise ValueError("a NUL")
    return decoded
