"""Questions of fronts that need no parser: those that differ from one that led to an allowance by values alone.

A front asks on a few connections about everybody, in the same lines. A worker remembers the names of a question's
lines, without values (as `known_heads` splits them), and which value is the method, the target, the host and the
secret. The head of the browser's request has to be known too. An entry ends with its snapshot and says nothing about
a person: the sender's address and secret are checked, and every value is read, each time.
"""

from collections.abc import Sequence
from itertools import compress
from typing import Final, NamedTuple

from gateway.access.remembered import Newcomers, Remembered
from gateway.access.virtual_host import VirtualHost
from gateway.proxy.http1.request_heads import RequestHeads, RequestLayout
from gateway.proxy.known_heads import OWN_NAME, KnownHeads, are_split, parts, split
from gateway.proxy.lane import HostLane
from gateway.wire.fronts import PATH, SECRET, Front
from gateway.wire.hop_by_hop import HOP_BY_HOP

_MOST: Final = 256
_BELOW: Final = PATH + b"/"
_CONNECTIONS: Final = frozenset({b"Connection: keep-alive", b"Connection: Keep-Alive", b"connection: keep-alive"})


class FrontQuestion(NamedTuple):
    """A question as read.

    `text`: the request line.
    `lines`: the further lines, as b"Name: value".
    `lane`: the lane of the question's own host.
    `number`: the tables' number.
    """

    front: Front
    text: bytes
    lines: Sequence[bytes]
    lane: HostLane
    number: int


class KnownQuestion:
    """A remembered question.

    `secret`, `method`, `target`, `host`: the indices of these values; -1: not among the values.
    `goes`: by value, whether it is the browser's.
    `inner`: the head of the browser's request, as a key of KnownHeads.
    `own_host`: the question's own Host, which is the browser's host where `host` is -1.
    `dropped`: names of the browser's lines that the application never sees; `inner` has no such lines.
    `there`: the lane of that application.
    `stripped`: the lanes that count stripped lines.
    `let_in`: as in KnownHead.
    """

    __slots__ = (
        "dropped", "front", "goes", "host", "inner", "lane", "let_in", "method", "own_host", "secret", "stripped",
        "target", "there",
    )  # fmt: skip

    def __init__(
        self, asked: FrontQuestion, names: Sequence[bytes], there: HostLane, dropped: Sequence[bytes], *, let_in: bool
    ) -> None:
        """`names`: of the values, in lower case."""
        front = self.front = asked.front
        self.lane, self.there, self.dropped, self.let_in = asked.lane, there, dropped, let_in
        places = {name: place for place, name in enumerate(names)}
        self.secret = places[SECRET]
        self.method, self.target = places.get(front.method, -1), places.get(front.target, -1)
        self.host = places.get(front.host, -1)
        left_out = {SECRET, front.method, front.target, front.host, *map(bytes.lower, dropped)}
        self.goes = [name not in left_out for name in names]
        self.inner = self.own_host = b""
        self.stripped: tuple[HostLane, ...] = ()

    def holds_for(self, lane: HostLane) -> bool:
        """Whether the lines mean the same for `lane`: the values may name another application than `there`."""
        return lane is self.there or not self.dropped

    def line_of(self, text: bytes) -> bytes:
        """The browser's request line from the question's own line; b"": not a usual line. Raises GatewayError."""
        line = self.lane.lines.get(text) or self.lane.read_line(text)
        path, raw = _BELOW + self.front.name.encode("ascii"), line.target.raw
        # A path of a different front is no question of this front.
        if not line.minor or line.authority is not None or not raw.startswith(path + b"/"):
            return b""
        return b"%b %b HTTP/1.1" % (line.method, raw[len(path) :])


class KnownQuestions:
    """`questions`: by their lines without values, behind the request line unless a header has the method."""

    __slots__ = ("_heads", "_known", "_remembered", "questions")

    def __init__(self, newcomers: Newcomers, heads: RequestHeads, known: KnownHeads) -> None:
        self._heads, self._known = heads, known
        self._remembered: Remembered[bytes, KnownQuestion] = Remembered(newcomers, _MOST)
        self.questions = self._remembered.values

    def keep(
        self, asked: FrontQuestion, host: VirtualHost[HostLane], dropped: Sequence[bytes], *, person: bool
    ) -> None:
        """Remembers a question that led to an allowance.

        `host`: the host of the browser's request.
        `dropped`: names of the request's lines that the application never sees.
        `person`: whether the browser's sender is signed in.
        """
        names = tuple(line.partition(b":")[0] for line in asked.lines)
        lower = [name.lower() for name in names]
        key, values = split(b"\r\n%b\r\n\r\n" % b"\r\n".join(asked.lines))
        connection = [line for line, name in zip(asked.lines, lower, strict=True) if name == b"connection"]
        if host.is_divided or not are_split(names, key, values) or not _CONNECTIONS.issuperset(connection):
            return
        own = [name.lower() for name in names if OWN_NAME.fullmatch(name) is not None]
        question = KnownQuestion(asked, own, host.lane, dropped, let_in=person)
        unseen = {*map(bytes.lower, dropped)}
        seen = [line for line, name in zip(asked.lines, lower, strict=True) if name not in unseen]
        # Without the request line, which differs each time.
        block = asked.front.original(seen, b"GET", b"/").partition(b"\r\n")[2]
        lines = block.removesuffix(b"\r\n\r\n").split(b"\r\n")
        question.inner, (question.own_host, *passed) = parts(b"\r\n" + block)
        # A question with further lines, such as the length of a body, is no usual question.
        if [*compress(values, question.goes)] != passed or not self._keep_head(lines, host, person=person):
            return
        of_question = RequestLayout(names, asked.lane.policy).dropped
        counted = ((asked.lane, of_question), (host.lane, dropped))
        question.stripped = tuple(lane for lane, off in counted if any(name.lower() not in HOP_BY_HOP for name in off))
        self._remembered.add(asked.text + key if asked.front.method else key, question)

    def _keep_head(self, lines: Sequence[bytes], host: VirtualHost[HostLane], *, person: bool) -> bool:
        """Remembers the browser's head and returns True, if its layout is opaque."""
        names = tuple(line.partition(b":")[0] for line in lines)
        heads = self._heads
        head = heads.by_names.get(names) or heads.learn(names)
        layout = heads.layouts.get((head, host.lane.policy)) or heads.learn_layout(head, host.lane.policy)
        if layout.opaque:
            self._known.keep(head, layout, host.lane.policy, lines, person=person)
        return layout.opaque
