"""The sign-out addresses of an application: path patterns, some with parameters of the query."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.policy.patterns import Pattern, parse_pattern
from gateway.policy.routes import PathSet

_PART: Final = re.compile(r"[A-Za-z0-9_./:~-]+=[A-Za-z0-9_./:~-]+")
_MOST_PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class SignOutLink:
    """`parameters`: names and values that the query must contain. Empty: the path alone decides."""

    pattern: Pattern
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.parameters)
        return f"{self.pattern.text}?{query}" if query else self.pattern.text


def parse_link(text: str) -> SignOutLink:
    """`/doku.php?do=logout`, or a path pattern. Raises GatewayError(policy_codes.PATTERN) with the reason."""
    path, mark, query = text.partition("?")
    pattern = parse_pattern(path, named=True)
    parts = query.split("&") if mark else []
    if len(parts) > _MOST_PARTS or not all(map(_PART.fullmatch, parts)):
        raise GatewayError(
            policy_codes.PATTERN,
            f"after `?` stand up to {_MOST_PARTS} parameters with their values: `?do=logout`, no pattern",
        )
    return SignOutLink(pattern, tuple((name, value) for name, _, value in (part.partition("=") for part in parts)))


@dataclass(frozen=True, slots=True)
class QueryLinks:
    """Sign-out addresses with parameters: a path, and the parameters that the query must have."""

    links: tuple[tuple[PathSet, frozenset[tuple[bytes, bytes]]], ...]

    @classmethod
    def of(cls, links: Iterable[SignOutLink], case_insensitive: bool) -> "QueryLinks":
        return cls(
            tuple(
                (
                    PathSet((link.pattern.text,), case_insensitive),
                    frozenset((name.encode(), value.encode()) for name, value in link.parameters),
                )
                for link in links
            )
        )

    def have_path(self, segments: tuple[str, ...]) -> bool:
        """Whether the path is a sign-out address under some query."""
        return any(paths.find(segments) is not None for paths, _ in self.links)

    def have(self, segments: tuple[str, ...], query: bytes) -> bool:
        """Whether the request is a sign-out of the application. The query is read as PHP and most servers do.

        A parameter that comes twice counts with both values: an application may take either.
        """
        sent: frozenset[tuple[bytes, bytes]] | None = None
        for paths, wanted in self.links:
            if paths.find(segments) is not None:
                sent = _parameters(query) if sent is None else sent
                if wanted <= sent:
                    return True
        return False


def _parameters(query: bytes) -> frozenset[tuple[bytes, bytes]]:
    parts = (part.partition(b"=") for part in re.split(rb"[&;]", query))
    return frozenset((_decoded(name), _decoded(value)) for name, _, value in parts)


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
