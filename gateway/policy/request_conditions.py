"""Conditions on the request itself. The whole request is known, so what it does not have is false, not unknown.

Unknown is what two servers could read differently: repeated values that differ, and names that some server folds into
the name of the condition.
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
# PHP turns blanks and dots of a name into `_`, and cuts it at `[`. Other servers ignore case.
_FOLDED = re.compile(r"[ .]")


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
        client = facts.asked.client
        return truth_of(any(client in network for network in self.networks))


@dataclass(frozen=True, slots=True)
class Method:
    """The method is one of these; GET includes HEAD. Decisions are kept per method, so it turns on no request."""

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
    """A parameter of the query passes the test."""

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
    """Names and values, decoded once as in a form. Raises ValueError for text that is not UTF-8, or has a NUL."""
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
