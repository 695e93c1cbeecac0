"""Conditions on the request itself. A request is all there: what it does not hold is false, not unknown.

What two readers could take two ways is unknown: values that differ, names that some server folds into the one asked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import ClassVar
from urllib.parse import unquote_to_bytes

from gateway.model.codes import POLICY_CONDITION
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.policy.facts import Facts
from gateway.policy.truth import Truth, agreed, truth_of
from gateway.policy.values import ValueTest, check_members, check_text, value_truth

_HEADER_NAME = re.compile(r"[a-z0-9-]{1,64}")
_SEPARATORS = re.compile("[&;]")
# PHP makes `_` of a blank and a dot in a name, and cuts it at `[`; others know no case.
_FOLDED = re.compile(r"[ .]")


@dataclass(frozen=True, slots=True)
class Network:
    """Where the client is, as told by the connection or by a listed proxy."""

    of_identity: ClassVar[bool] = False
    of_request: ClassVar[bool] = True
    networks: frozenset[IPv4Network | IPv6Network]

    def __post_init__(self) -> None:
        check_members(self.networks)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if facts.asked is None or facts.asked.client is None:
            return Truth.UNKNOWN
        client = facts.asked.client
        return truth_of(any(client in network for network in self.networks))


@dataclass(frozen=True, slots=True)
class Method:
    """Known as soon as the rule is: an outcome is kept for one method. GET includes HEAD."""

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
            raise GatewayError(POLICY_CONDITION, f"`{self.name}`: a header's name is made of letters, digits and -")

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if facts.asked is None:
            return Truth.UNKNOWN
        values = [value for name, value in facts.asked.headers if name == self.name]
        return _agreed(self.test, values)


@dataclass(frozen=True, slots=True)
class Query:
    """One parameter of the query."""

    of_identity: ClassVar[bool] = False
    of_request: ClassVar[bool] = True
    name: str
    test: ValueTest

    def __post_init__(self) -> None:
        check_text(self.name)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if facts.asked is None:
            return Truth.UNKNOWN
        query = facts.asked.query
        try:
            if any(name != self.name and _fold(name) == _fold(self.name) for name, _ in _pairs(query, _SEPARATORS)):
                return Truth.UNKNOWN
            values = {
                tuple(value for name, value in _pairs(query, separators) if name == self.name)
                for separators in (_SEPARATORS, _AMPERSAND)
            }
        except ValueError:
            return Truth.UNKNOWN
        return _agreed(self.test, list(values.pop())) if len(values) == 1 else Truth.UNKNOWN


_AMPERSAND = re.compile("&")


def _agreed(test: ValueTest, values: list[str]) -> Truth:
    return agreed(value_truth(test, value) for value in values) if values else Truth.FALSE


def _pairs(query: str, separators: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Decoded once, as a form is; ValueError for what is not UTF-8 or holds a NUL."""
    for piece in separators.split(query):
        name, _, value = piece.partition("=")
        yield _decoded(name), _decoded(value)


def _decoded(text: str) -> str:
    decoded = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    if "\0" in decoded:
        raise ValueError("a NUL")
    return decoded


def _fold(name: str) -> str:
    return _FOLDED.sub("_", name.strip().partition("[")[0]).casefold()
