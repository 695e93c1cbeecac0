"""Heads by the layout of their header: the names of its lines, in order. The treatment of a line is decided once per
layout. After that a head costs a look-up and a few moves of whole lists, without a loop over its lines.

Only wire/headers.py judges names. A layout holds names, never values.
"""

from collections.abc import Callable, Collection
from typing import Final, Protocol

from gateway.wire.headers import (
    CLEAR_SITE_DATA,
    CONNECTION,
    CONTENT_LENGTH,
    COOKIE,
    EDITED,
    FORWARDED_AS_READ,
    FRONT_ORDER,
    HOST,
    METHOD_OVERRIDE,
    SET_COOKIE,
    TRANSPORT_SECURITY,
    UNSEEN,
    Verdict,
)
from gateway.wire.response_guard import CACHE_DIRECTIVES, directs_caches

Names = tuple[bytes, ...]
Positions = tuple[int, ...]

# Strangers fill the memory: it is small, and starts again when it is full.
_MOST_LINES: Final = 48
_LONGEST_NAME: Final = 64


# Lines that are read and forwarded: a response with them may still be forwarded unchanged (response_head.py).
_USUAL: Final = frozenset({CONTENT_LENGTH, SET_COOKIE, CLEAR_SITE_DATA, TRANSPORT_SECURITY})


# Lines that the application's file has to allow.
_GUARDED: Final = frozenset({CLEAR_SITE_DATA, TRANSPORT_SECURITY, FRONT_ORDER})

_UNDER_THEIR_OWN_NAMES: Final = frozenset({METHOD_OVERRIDE, FRONT_ORDER, EDITED})


class LinePolicy(Protocol):
    """HeaderPolicy or ResponsePolicy."""

    @property
    def table(self) -> dict[bytes, Verdict]: ...

    def learn(self, name: bytes) -> Verdict: ...


class HeaderLayout:
    """The layout of a head, by its header names. Positions are indexes of lines.

    `skeleton`: b"\\r\\nName: " and an empty value in turn; b"" for a line that is not forwarded.
    `cut`: the lines that are not forwarded.
    `rare`: (position, verdict) of lines that are read, except Host, Cookie and Connection.
    `dropped`: names of lines that are dropped unread.
    `length`, `sets`: the spelling of Content-Length and Set-Cookie, where nothing else is rare and neither repeats;
    else b"".
    `guarded`: names of lines whose value may be refused (wire/response_guard.py).
    `directs`: positions of lines that may direct caches.
    """

    __slots__ = (
        "connections",
        "cookies",
        "cut",
        "directs",
        "dropped",
        "guarded",
        "length",
        "rare",
        "sets",
        "skeleton",
    )

    def __init__(self, names: Names, policy: LinePolicy) -> None:
        self.skeleton: list[bytes] = []
        self.cookies: Positions = ()
        self.connections: Positions = ()
        self.cut: Positions = ()
        self.rare: tuple[tuple[int, int], ...] = ()
        self.dropped: Names = ()
        verdicts = [policy.table.get(name, UNSEEN) or policy.learn(name) for name in names]
        for place, name in enumerate(names):
            self._add(place, name, verdicts[place])
        self.length, self.sets = self._usual_names(names)
        self.guarded = self._guarded_names(names)
        self.directs = tuple(place for place, name in enumerate(names) if name.lower() in CACHE_DIRECTIVES)

    def _usual_names(self, names: Names) -> tuple[bytes, bytes]:
        found = {verdict: names[place] for place, verdict in self.rare}
        if self.dropped or len(found) < len(self.rare) or not found.keys() <= _USUAL:
            return b"", b""
        return found.get(CONTENT_LENGTH, b""), found.get(SET_COOKIE, b"")

    def _guarded_names(self, names: Names) -> Names:
        return tuple(names[place] for place, verdict in self.rare if verdict in _GUARDED)

    def _add(self, place: int, name: bytes, verdict: Verdict) -> None:
        line = verdict if isinstance(verdict, bytes) else b""
        if verdict is None:
            self.dropped += (name,)
        elif verdict == COOKIE:
            self.cookies += (place,)
        elif verdict == CONNECTION:
            self.connections += (place,)
        elif isinstance(verdict, int) and verdict != HOST:
            self.rare += ((place, verdict),)
            own = verdict in _UNDER_THEIR_OWN_NAMES
            line = b"\r\n%b: " % name if own else FORWARDED_AS_READ.get(verdict, b"")
        if not line:
            self.cut += (place,)
        self.skeleton += (line, b"")

    def lines(self, values: list[bytes]) -> list[bytes]:
        """The forwarded lines. Empties the values of the other lines: read those values first."""
        for place in self.cut:
            values[place] = b""
        lines = self.skeleton[:]
        lines[1::2] = values
        return lines

    def is_directed(self, values: Collection[bytes]) -> bool:
        """Whether the lines tell caches who may store the response. `values`: of all lines."""
        return bool(self.directs) and any(directs_caches(tuple(values)[place]) for place in self.directs)

    def read_rare(self, values: list[bytes], into: dict[int, bytes]) -> None:
        for place, verdict in self.rare:
            value = values[place]
            into[verdict] = into[verdict] + b", " + value if verdict in into else value


class HeaderLayouts:
    """The layouts under one policy. `known` is looked up first; `learn` does the rest."""

    __slots__ = ("_most", "_policy", "known")

    def __init__(self, policy: LinePolicy, most: int) -> None:
        self._policy = policy
        self._most = most
        self.known: dict[Names, HeaderLayout] = {}

    def learn(self, names: Names) -> HeaderLayout:
        layout = HeaderLayout(names, self._policy)
        if memorable(names):
            if len(self.known) >= self._most:
                self.known.clear()
            self.known[names] = layout
        return layout


def memorable(names: Names) -> bool:
    return len(names) <= _MOST_LINES and max(map(len, names), default=0) <= _LONGEST_NAME


def joined(values: list[bytes], places: Positions, by: bytes) -> bytes | None:
    """The joined value of a header that may have several lines; None: absent."""
    if not places:
        return None
    return values[places[0]] if len(places) == 1 else by.join([values[place] for place in places])


class _Parser(Protocol):
    def feed_data(self, data: bytes) -> None: ...


class HeaderLines:
    """The lines of a head in order, with a parser of its own: names may repeat.

    `stops`: the parser's exception at an Upgrade, after the last line. The parser's errors pass through.
    """

    __slots__ = ("names", "values")

    def __init__(self, head: bytes, parser: "Callable[[HeaderLines], _Parser]", stops: type[Exception]) -> None:
        self.names: list[bytes] = []
        self.values: list[bytes] = []
        try:
            parser(self).feed_data(head)
        except stops:
            pass

    def on_header(self, name: bytes, value: bytes) -> None:
        self.names.append(name)
        self.values.append(value.rstrip())
