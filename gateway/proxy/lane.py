"""What one application of one snapshot is on the fast lane: caches whose answers are ready bytes.

Everything here is a pure function of the snapshot and of bytes: a full cache is emptied, never wrong.
"""

from collections.abc import Callable, Iterator
from typing import Final

from gateway.access.decision import Passage, Question
from gateway.access.request_line import RequestLine, method_named, read_request_line
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import LIMIT_URL, POLICY_UNKNOWN
from gateway.model.decision import Allow, Challenge, Decision, Deny
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.policy.facts import RequestFacts
from gateway.policy.routes import Match
from gateway.proxy.accesslog import log_names, logged
from gateway.proxy.differences import Difference, difference
from gateway.proxy.pool import FRESH_SECONDS, Pool
from gateway.proxy.upstream import IDLE_SECONDS
from gateway.wire import response_guard
from gateway.wire.cookies import CookiePolicy
from gateway.wire.framing import REQUEST_LINE, request_line_fault
from gateway.wire.headers import HeaderPolicy
from gateway.wire.method_override import may_name
from gateway.wire.target import QUERY_END, Target

_WITH_CONTENT: Final = frozenset({b"POST", b"PUT", b"PATCH"})
# RFC 9110 9.2.2
_REPEATABLE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})

_LINE_REMEMBERED: Final = 320
_LINES: Final = 1024
_PASSAGES: Final = 512
_KEYS: Final = 4096
_DIFFERENCES: Final = 1000

ALLOW: Final = 0
DENY: Final = 1
CHALLENGE: Final = 2
ASK: Final = 3
_KINDS: Final = ("allow", "deny", "challenge")


NOT_ASKED: Final = Passage(Deny(None, POLICY_UNKNOWN), None)


class Spot:
    """One request line, read once. `authority`: the host of an absolute-form target, which has to be Host's too.
    `judged`: the method that rules are asked about, mostly `method`.
    `ours`: not for an application. `leaves`: neither, though it is the application's own: an address for signing out.
    `patience`: how long (s) a kept connection may have been idle to be taken for it.

    `key`: the same for all lines with one match (of each shadow, too) and one method. `minor`: HTTP/1.1, not 1.0;
    `plain`: that, and not HEAD. `line` and `ending`: what goes upstream at the two ends of a head without a body,
    always HTTP/1.1.
    """

    __slots__ = (
        "authority", "ending", "judged", "key", "leaves", "line", "method", "minor", "ours", "patience", "plain",
        "repeatable", "target",
    )  # fmt: skip

    def __init__(
        self,
        method: bytes,
        target: Target,
        *,
        minor: bool,
        authority: str | None,
        ours: bool,
        key: int,
        leaves: bool,
        judged: bytes = b"",
    ) -> None:
        self.method = method
        self.judged = judged or method
        self.target = target
        self.minor = minor
        self.authority = authority
        self.ours = ours or leaves
        self.leaves = leaves
        self.key = key
        self.line = b"%b %b HTTP/1.1" % (method, target.raw)
        # RFC 9110 8.6: some servers wait for a body where nothing says that there is none.
        self.ending = b"\r\nContent-Length: 0\r\n\r\n" if method in _WITH_CONTENT else b"\r\n\r\n"
        self.repeatable = method in _REPEATABLE
        self.patience = IDLE_SECONDS if self.repeatable else FRESH_SECONDS
        self.plain = minor and method != b"HEAD"

    def version(self) -> str:
        return "1.1" if self.minor else "1.0"


class Ready:
    """A passage in the form in which it is used. `tally`: one cell, counted up at each use. `question`: none. `person`:
    as the log names them; `logged`: what the access log says of it."""

    __slots__ = ("cookies", "decision", "headers", "kind", "logged", "person", "question", "tally")

    def __init__(self, passage: Passage, kind: int, tally: list[int], person: str) -> None:
        self.person = person
        self.logged = logged(passage.decision.rule, person)
        self.question: Asking | None = None
        self.decision: Decision = passage.decision
        self.kind = kind
        self.tally = tally
        self.headers = b"" if passage.injection is None else passage.injection.headers
        self.cookies = b"" if passage.injection is None else passage.injection.cookies


class Asking:
    """What stands for a passage where each request is asked anew: the answers made so far, by what was decided.

    `questions`: the live one, then those of the shadows.
    """

    __slots__ = ("_lane", "_person", "_questions", "_ready")

    def __init__(self, lane: "Lane", questions: tuple[Question, ...], person: str) -> None:
        self._lane = lane
        self._person = person
        self._questions = questions
        self._ready: dict[tuple[Decision, ...], Ready] = {}

    def answer(self, asked: RequestFacts) -> Ready:
        decisions = tuple(self._lane.judged(question, asked) for question in self._questions)
        ready = self._ready.get(decisions)
        if ready is None:
            ready = self._ready[decisions] = self._lane.ready(self._questions, decisions, self._person)
        return ready


class Lane:
    """`app` is None on a portal host that serves no application: there, only our own paths are answered.

    `numbers`: never repeats, over all lanes and snapshots, so that a key of another lane finds nothing in a seat.
    `person`: the name that the log has for somebody.
    """

    __slots__ = (
        "_keys", "_numbers", "_paths", "_person", "_tally", "anonymous", "app", "body_limit", "cookies", "decisions",
        "differing", "errors", "host_line", "is_told", "limits", "lines", "log_names", "name", "policy",
        "policy_errors", "pool", "responses", "revision", "statuses", "stripped", "timeouts",
        "told",
    )  # fmt: skip

    def __init__(
        self,
        app: App | None,
        snapshot: Snapshot,
        pool: Pool | None,
        policy: HeaderPolicy,
        numbers: Iterator[int],
        person: Callable[[Identity], str],
    ) -> None:
        limits, timeouts = snapshot.gateway.limits, snapshot.gateway.timeouts
        self._numbers = numbers
        self._person = person
        self.app = app
        self.name = "_portal" if app is None else app.name
        self.revision = snapshot.revision
        self.log_names = log_names(self.name, self.revision)
        self.limits = limits
        # Whether the end of a session is told to the application, for which a little is kept.
        self.is_told = app is not None and app.logout.url is not None
        self.pool = pool
        translation = None if app is None else app.translation
        self.timeouts = timeouts if app is None else app.upstream.timeouts
        self.body_limit = limits.body if app is None else app.body_limit
        self.policy = policy
        self.cookies = CookiePolicy(frozenset() if translation is None else translation.cookie_names)
        self.responses = response_guard.STRICT if app is None else app.responses
        header = None if app is None else app.upstream.host_header
        self.host_line = None if header is None else b"\r\nHost: " + header.encode("ascii")
        self.lines: dict[bytes, Spot] = {}
        self._paths: dict[bytes, Spot] = {}
        self._keys: dict[tuple[_Place, bytes], int] = {}
        self.anonymous: dict[object, object] = {}
        # Counted here in plain cells, taken over into the worker's counters by `flush`.
        self.statuses = [0] * 6
        self.stripped = 0
        self.decisions: dict[tuple[str, str], list[int]] = {}
        self.errors: dict[str, int] = {}
        self.policy_errors = 0
        self.differing: dict[tuple[tuple[str, str], tuple[Difference, ...]], list[int]] = {}
        self.told: set[Difference] = set()
        self._tally = snapshot.tally

    # --- request line ---

    def read_line(self, line: bytes) -> Spot:
        """`line`: the first line of a head, without its CRLF. Raises GatewayError."""
        before, _, behind = line.partition(b"?")
        known = self._paths.get(before)
        end = None if known is None else QUERY_END.fullmatch(behind)
        # May it name another method? Mostly two looks for a few bytes say no.
        plain = b"ethod" not in behind.lower() and (b"%" not in behind or not may_name(behind))
        if plain and known is not None and end is not None:
            spot = self._asked_otherwise(known, end[1], minor=end[2] == b"1")
        else:
            spot = self._read_whole(line)
            # Of the whole line, for the spot holds the query too.
            if behind and spot.authority is None and spot.judged == spot.method and len(line) <= _LINE_REMEMBERED:
                _keep(self._paths, before, spot)
        if len(line) <= _LINE_REMEMBERED:
            _keep(self.lines, line, spot)
        return spot

    def _asked_otherwise(self, known: Spot, query: bytes, *, minor: bool) -> Spot:
        """A method and path that were read before, with another query, of which routes know nothing."""
        _, path, _, segments, other = known.target
        target = Target(b"%b?%b" % (path, query), path, query, segments, other)
        if len(target.raw) > self.limits.url:
            raise GatewayError(LIMIT_URL, f"{len(target.raw)} bytes")
        return Spot(
            known.method, target, minor=minor, authority=None, ours=known.ours, key=known.key, leaves=known.leaves
        )

    def _read_whole(self, line: bytes) -> Spot:
        found = REQUEST_LINE.fullmatch(line)
        if found is None:
            raise request_line_fault(line)
        method, raw, minor = found.groups()
        return self._spot(read_request_line(self.app, method, raw, longest=self.limits.url), minor=minor == b"1")

    def _spot(self, line: RequestLine, *, minor: bool) -> Spot:
        return Spot(
            line.method,
            line.target,
            minor=minor,
            authority=line.authority,
            ours=line.purpose == "endpoint",
            leaves=line.purpose == "logout",
            key=self._key_of(line.target, line.judged),
            judged=line.judged,
        )

    def overridden(self, spot: Spot, header: bytes, other: bytes = b"") -> Spot:
        """The same line where headers name a method, too. Raises GatewayError."""
        app, target = self.app, spot.target
        if app is None or spot.ours:
            return spot
        judged = method_named(app, spot.method, target, header, other)
        return spot if judged == spot.judged else Spot(
            spot.method, target, minor=spot.minor, authority=spot.authority, ours=False,
            key=self._key_of(target, judged), leaves=False, judged=judged,
        )  # fmt: skip

    def _key_of(self, target: Target, method: bytes) -> int:
        app = self.app
        match = None if app is None else app.routes.find(target.segments)
        return self._key(match if app is None or not app.shadows else _matches(app, match, target), method)

    def _key(self, match: "_Place", method: bytes) -> int:
        key = self._keys.get((match, method))
        if key is None:
            if len(self._keys) >= _KEYS:
                self._keys.clear()
            key = self._keys[match, method] = next(self._numbers)
        return key

    # --- passages ---

    def passage(self, spot: Spot, seat: Seat | None) -> Ready:
        """The slow half of the look-up: compiles what the caller did not find, and keeps it with its owner."""
        if seat is None:
            return self._compiled(self.anonymous, spot, None)
        if seat.revision != self.revision:
            seat.passages.clear()
            seat.revision = self.revision
        return self._compiled(seat.passages, spot, seat)

    def _compiled(self, kept: dict[object, object], spot: Spot, seat: Seat | None) -> Ready:
        app = self.app
        assert app is not None
        identity, tenant = (None, None) if seat is None else (seat.identity, seat.tenant)
        person = "" if identity is None else self._person(identity)
        segments, method = spot.target.segments, spot.judged.decode("ascii")
        questions = tuple(Question(one, segments, method, identity, tenant) for one in (app, *app.shadows))
        if any(question.open for question in questions):
            ready = Ready(NOT_ASKED, ASK, [0], person)
            ready.question = Asking(self, questions, person)
        else:
            ready = self.ready(questions, tuple(self.judged(question, None) for question in questions), person)
        if len(kept) >= _PASSAGES:
            kept.clear()
        kept[spot.key] = ready
        return ready

    def judged(self, question: Question, asked: RequestFacts | None) -> Decision:
        failed = self._tally.failures
        decision = question.decision(asked)
        self.policy_errors += self._tally.failures - failed
        return decision

    def ready(self, questions: tuple[Question, ...], decisions: tuple[Decision, ...], person: str) -> Ready:
        """The live passage; where a shadow comes to something else, the cell that is counted up says so."""
        passages = [question.passage(decision) for question, decision in zip(questions, decisions, strict=True)]
        live = passages[0]
        kind = _kind(live.decision)
        counted = (_KINDS[kind], live.decision.reason.id)
        found = tuple(filter(None, (difference(live, beside) for beside in passages[1:])))
        if found and ((counted, found) in self.differing or len(self.differing) < _DIFFERENCES):
            return Ready(live, kind, self.differing.setdefault((counted, found), [0]), person)
        return Ready(live, kind, self.decisions.setdefault(counted, [0]), person)

    def failed(self, reason: str) -> None:
        self.errors[reason] = self.errors.get(reason, 0) + 1


def _keep(spots: dict[bytes, Spot], line: bytes, spot: Spot) -> None:
    if len(spots) >= _LINES:
        spots.clear()
    spots[line] = spot


_Place = Match | tuple[Match | None, ...] | None


def _matches(app: App, match: Match | None, target: Target) -> _Place:
    """A shadow may tell two paths apart that are one to the live rules."""
    return (match, *(shadow.routes.find(target.segments) for shadow in app.shadows))


def _kind(decision: Decision) -> int:
    match decision:
        case Allow():
            return ALLOW
        case Deny():
            return DENY
        case Challenge():
            return CHALLENGE
