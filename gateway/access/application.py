"""One application of one snapshot: its request lines, and its decisions, cached.

Every result is a pure function of the snapshot and of bytes: a dropped result is computed again.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from time import time
from typing import Final, Protocol, final

from gateway.access.decision import CLOCKS, AppIdentity, Question
from gateway.access.outcome import (
    CompiledDecision,
    Forward,
    NeedsWork,
    Prepared,
    ReadyOutcome,
    Refuse,
    RequireSignIn,
)
from gateway.access.preparation import translated
from gateway.access.remembered import Newcomers, Remembered
from gateway.access.request_line import (
    LINE_REMEMBERED,
    LINES,
    MatchKey,
    ReachedPath,
    RequestLine,
    RouteMatches,
    added_key,
    parts_of,
    purpose_of,
)
from gateway.access.shadow import ShadowDifference, difference
from gateway.access.webdav import reached
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import directory_codes, gateway_codes, limit_codes, policy_codes
from gateway.model.decision import Allow, Challenge, Decision, Deny
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.policy.budget import Budget
from gateway.policy.facts import RequestFacts
from gateway.translation.render import Translation
from gateway.wire.method_override import judged_method, may_name
from gateway.wire.target import QUERY_END, Target
from gateway.wire.webdav import DavReach, reach_of

_PORTS: Final = {"http": 80, "https": 443}
_OUTCOMES: Final = 2048
_DIFFERENCES: Final = 1000
_KINDS: Final[dict[type, str]] = {Allow: "allow", Deny: "deny", Challenge: "challenge"}


class Preparing(Protocol):
    def __call__(
        self, app: App, seat: Seat | None, now: float, wall: float, translation: Translation | None = None
    ) -> Prepared | Callable[[], Awaitable[None]]:
        """The data for an application about an accepted person, or about nobody; or the work to wait for first.

        `now`: monotonic seconds. `wall`: Unix seconds.
        `translation`: of this path, if the file has several.
        Raises GatewayError.
        """


def unnamed(identity: Identity) -> str:
    """Where no log is kept."""
    return ""


class ApplicationAccess:
    """Reads the request lines of one application, and compiles policy's decisions about people there."""

    __slots__ = (
        "_about", "_keys", "_lines", "_longest", "_mount", "_paths", "_person", "_prepare", "_tally",
        "_translates_by_path", "_wall", "anonymous", "app", "decisions",
        "differing", "lines", "logged_differences", "name", "policy_errors", "revision", "rewritten_host",
    )  # fmt: skip

    def __init__(
        self,
        app: App,
        snapshot: Snapshot,
        numbers: Iterator[int],
        person: Callable[[Identity], str] = unnamed,
        prepare: Preparing = translated,
        newcomers: Newcomers | None = None,
        wall: Callable[[], float] = time,
    ) -> None:
        """`numbers`: unique over applications and snapshots, so that a key of another application finds nothing in a
        seat.
        `person`: the person's name in the log.
        `wall`: Unix seconds.
        """
        newcomers = newcomers or Newcomers()
        self._wall = wall
        self.app = app
        self.name = app.name
        self.revision = snapshot.revision
        # What the Host line says upstream instead of the browser's host; b"" where the file does not rewrite it.
        self.rewritten_host = (app.upstream.host_header or "").encode("ascii")
        self._person = person
        self._prepare = prepare
        self._longest = snapshot.gateway.limits.url
        self._tally = snapshot.tally
        self._lines: Remembered[bytes, RequestLine] = Remembered(newcomers, LINES)
        # Looked up before `read_line` is called.
        self.lines = self._lines.values
        self._paths: Remembered[bytes, RequestLine] = Remembered(newcomers, LINES)
        self._translates_by_path = any(one.path_translations is not None for one in (app, *app.shadows))
        self._keys: dict[tuple[object, ...], MatchKey] = {}
        self._mount = app.mount
        # The key under which a person's outcomes also hold who they are here, whatever they ask for.
        self._about = next(numbers)
        # The outcomes of requests without a person, by MatchKey.
        self.anonymous: dict[object, object] = {}
        # Cells that are counted up, by kind and reason of what was decided.
        self.decisions: dict[tuple[str, str], list[int]] = {}
        self.policy_errors = 0
        # The same by decision and by how shadows differ; None where none has differed yet.
        self.differing: dict[tuple[tuple[str, str], tuple[ShadowDifference, ...]], list[int]] | None = None
        # The differences that the log has a line for.
        self.logged_differences: set[ShadowDifference] | None = None

    def public_port(self, port: bytes) -> bytes:
        """The port that the application reads in Host and X-Forwarded-Host, for the browser's port. An application
        writes this port into its links.
        """
        if not port:
            return b""
        app = self.app
        public = app.port or _PORTS[app.scheme]
        return port if int(port) == public else b"" if app.port is None else b"%d" % public

    # --- request line ---

    def read_line(self, text: bytes) -> RequestLine:
        """`text`: the first line of a head, without its CRLF. Raises GatewayError."""
        before, _, behind = text.partition(b"?")
        known = self._paths.values.get(before)
        end = None if known is None else QUERY_END.fullmatch(behind)
        # May it name another method? Mostly two looks for a few bytes say no.
        plain = b"ethod" not in behind.lower() and (b"%" not in behind or not may_name(behind))
        if plain and known is not None and end is not None:
            line = self._with_query(known, end[1], minor=end[2] == b"1")
        else:
            line = self._read_whole(text)
            # Of the whole line, for what is kept holds the query too.
            usual = line.authority is None and line.judged == line.method
            # Another query may mean to sign out.
            sign_outs = self.app.logout.query_links
            usual = usual and (sign_outs is None or not sign_outs.have_path(line.target.segments))
            if behind and usual and len(text) <= LINE_REMEMBERED:
                self._paths.add(before, line)
        if len(text) <= LINE_REMEMBERED:
            self._lines.add(text, line)
        return line

    def _with_query(self, known: RequestLine, query: bytes, *, minor: bool) -> RequestLine:
        """A known method and path with another query, which routes ignore."""
        _, path, _, segments, other = known.target
        target = Target(b"%b?%b" % (path, query), path, query, segments, other)
        if len(target.raw) > self._longest:
            raise GatewayError(limit_codes.URL, f"{len(target.raw)} bytes")
        method = known.method
        return RequestLine(
            method, target, minor=minor, purpose=known.purpose, key=known.key, judged=method, matches=known.matches,
            also=known.also, mount=self._mount if known.purpose == "application" else None, limits=known.limits,
            opaque_tokens=known.opaque_tokens,
        )  # fmt: skip

    def _read_whole(self, text: bytes) -> RequestLine:
        app = self.app
        method, target, minor, authority = parts_of(text, app.methods, app.leniency, self._longest)
        if target.other is not None:
            app.check_readings(target)
        purpose = purpose_of(app, target)
        judged = method
        if purpose == "application" and target.query:
            judged = judged_method(method, target.query, taken=app.method_override)
        also = reached(app, target, judged) if app.methods and purpose == "application" else ()
        matches, key = self._key(target, judged, also)
        # Each look at a path pattern is here: a path that takes too long is refused before anything else is done.
        return RequestLine(
            method, target, minor=minor, purpose=purpose, key=key, judged=judged, matches=matches,
            authority=authority, also=also, mount=self._mount if purpose == "application" else None,
            limits=None if app.path_limits is None else app.path_limits.at(target.segments),
            opaque_tokens=None if app.api is None else app.api.opaque_at(target.segments),
        )  # fmt: skip

    def overridden(self, line: RequestLine, header: bytes, other: bytes = b"") -> RequestLine:
        """The same line where headers name a method, too: as in wire.method_override. Raises GatewayError."""
        app, target, method = self.app, line.target, line.method
        if line.purpose != "application":
            return line
        judged = judged_method(method, target.query or b"", header, other, taken=app.method_override)
        return line if judged == line.judged else self.matched(line, judged)

    def reaching(self, line: RequestLine, lines: Iterable[tuple[bytes, bytes]], host: str) -> RequestLine:
        """The line with the further paths of a WebDAV request, from its headers. `lines`: as the application receives
        them. `host`: the requested host, canonical. Raises GatewayError.
        """
        app = self.app
        if not app.methods or line.purpose != "application":
            return line
        return self.matched(line, line.judged, reach_of(line.judged, lines, app.origin(host), app.leniency))

    def matched(self, line: RequestLine, judged: bytes, reach: DavReach | None = None) -> RequestLine:
        """A parsed line, matched by the rules of this application with this method."""
        also = reached(self.app, line.target, judged, reach) if self.app.methods else ()
        matches, key = self._key(line.target, judged, also)
        return RequestLine(
            line.method, line.target, minor=line.minor, purpose=line.purpose, key=key, judged=judged, matches=matches,
            authority=line.authority, also=also, mount=self._mount, limits=line.limits,
            opaque_tokens=line.opaque_tokens,
        )  # fmt: skip

    def _key(self, target: Target, method: bytes, also: tuple[ReachedPath, ...]) -> tuple[RouteMatches, MatchKey]:
        app = self.app
        matches: RouteMatches = (app.routes.find(target.segments),)
        if app.shadows:
            matches += tuple(shadow.routes.find(target.segments) for shadow in app.shadows)
        translations = self._translations_at(target.segments) if self._translates_by_path else ()
        matched = matches, method, translations, also
        return matches, self._keys.get(matched) or added_key(self._keys, matched)

    def _translations_at(self, segments: tuple[str, ...]) -> tuple[Translation, ...]:
        """The questions of the application, then of each shadow."""
        app = self.app
        return tuple([one.translation_at(segments) for one in (app, *app.shadows)])

    # --- decisions ---

    def compile(
        self, line: RequestLine, seat: Seat | None, now: float
    ) -> "ReadyOutcome | ConditionalDecision | NeedsWork":
        """The slow half of the look-up: computes an outcome that is missing or expired, and keeps the outcome with its
        owner, unless work must be awaited.
        """
        if seat is not None and seat.revision != self.revision:
            seat.outcomes.clear()
            seat.revision = self.revision
        kept = self.anonymous if seat is None else seat.outcomes
        app = self.app
        identity, tenant = (None, None) if seat is None else (seat.identity, app.tenant_of(seat, self._wall()))
        person = "" if identity is None else self._person(identity)
        method = line.judged.decode("ascii")
        about: tuple[AppIdentity, ...] | None = kept.get(self._about)  # type: ignore[assignment]
        if about is None or not all(now < who.valid_until for who in about):
            wall = self._wall()
            about = tuple([AppIdentity(one, identity, now, wall) for one in (app, *app.shadows)])
            _keep(kept, self._about, about)
        translations: tuple[Translation | None, ...] = (None,) * len(about)
        if self._translates_by_path:
            translations = self._translations_at(line.target.segments)
        asked = zip(about, line.matches, translations, strict=True)
        budget = Budget(CLOCKS)
        questions = tuple(
            [
                Question(who, match, method, tenant, translation, budget=budget if who is about[0] else budget.renew())
                for who, match, translation in asked
            ]
        )
        also: tuple[Question, ...] = ()
        if line.also:
            budget.renew()
            also = tuple(
                [
                    Question(about[0], one.match, one.method, tenant, has_path=one.has_path, budget=budget)
                    for one in line.also
                ]
            )
        found: ReadyOutcome | ConditionalDecision | NeedsWork
        if True in [question.turns_on_request for question in (*questions, *also)]:
            found = ConditionalDecision(self, questions, person, also)
        else:
            decisions = self.decide_each(questions, None, budget)
            if also:
                decisions = self.with_all_reached(decisions, also, None, budget.renew())
            found = self.outcome(questions, decisions, seat, person, now)
        if type(found) is not NeedsWork:
            line.key.let_in = line.key.let_in or seat is not None
            _keep(kept, line.key, found)
        return found

    def with_all_reached(
        self, decisions: tuple[Decision, ...], also: tuple[Question, ...], request: RequestFacts | None, budget: Budget
    ) -> tuple[Decision, ...]:
        """`decisions`: by the live rules, then by each shadow. `also`: further paths that must be allowed; the first
        refusal decides."""
        if not isinstance(decisions[0], Allow):
            return decisions
        for question in also:
            found = self.decide(question, request if question.has_path else None, budget)
            if not isinstance(found, Allow):
                if isinstance(found, Deny):
                    found = replace(found, detail="below the requested path, or at a path of Destination or If")
                return (found, *decisions[1:])
        return decisions

    def decide_each(
        self, questions: tuple[Question, ...], request: RequestFacts | None, budget: Budget
    ) -> tuple[Decision, ...]:
        """The decisions of the live rules, with a new budget, then of each shadow."""
        live = self.decide(questions[0], request, budget)
        if len(questions) == 1:
            return (live,)
        return (live, *[self.decide(shadow, request, budget.renew()) for shadow in questions[1:]])

    def decide(self, question: Question, request: RequestFacts | None, budget: Budget) -> Decision:
        failed = self._tally.failures
        decision = question.decision(request, budget)
        self.policy_errors += self._tally.failures - failed
        return decision

    def outcome(
        self,
        questions: tuple[Question, ...],
        decisions: tuple[Decision, ...],
        seat: Seat | None,
        person: str,
        now: float,
    ) -> ReadyOutcome | NeedsWork:
        """The outcome of the live rules. If a shadow differs, the outcome's counter names the difference."""
        until = valid_until(questions)
        live, prepared = self._prepared(questions[0], decisions[0], seat, now)
        if callable(prepared):
            return NeedsWork(prepared, _not_prepared)
        found: tuple[ShadowDifference, ...] = ()
        if len(questions) > 1:
            shadows = (self._prepared(*one, seat, now) for one in zip(questions[1:], decisions[1:], strict=True))
            # What would have to be awaited is prepared for the live rules alone.
            would = ((shadow, None if callable(theirs) else theirs) for shadow, theirs in shadows)
            found = tuple(filter(None, (difference(live, prepared, shadow, theirs) for shadow, theirs in would)))
        by = CompiledDecision(live, person, self._cell(live, found))
        match live:
            case Allow():
                assert prepared is not None
                if prepared.valid_until <= now:
                    # Invariant 16. Not kept: the next request has it prepared anew.
                    return Refuse(
                        gateway_codes.FAULT,
                        "the prepared headers and cookies have already ended",
                        None,
                        by,
                        valid_until=now,
                    )
                return Forward(by, live, prepared, min(prepared.valid_until, until))
            case Deny():
                return Refuse(live.reason, live.detail, None, by, live.refusal, valid_until=until)
            case Challenge():
                return RequireSignIn(by, live, until)

    def _cell(self, live: Decision, found: tuple[ShadowDifference, ...]) -> list[int]:
        """The cell to increment at each use. `found`: the shadows that differ from `live`."""
        counted = _KINDS[type(live)], live.reason.id
        if found:
            differing = self.differing = self.differing or {}
            if (counted, found) in differing or len(differing) < _DIFFERENCES:
                return differing.setdefault((counted, found), [0])
        return self.decisions.setdefault(counted, [0])

    def _prepared(
        self, question: Question, decision: Decision, seat: Seat | None, now: float
    ) -> tuple[Decision, Prepared | Callable[[], Awaitable[None]] | None]:
        who = question.who
        if isinstance(decision, Deny) and decision.reason is policy_codes.UNKNOWN and who.missing is not None:
            # Invariant 9: the rule cannot tell because a directory does not answer.
            detail = f"directory {who.missing.name} could not answer about this person"
            return Deny(decision.rule, directory_codes.AWAY, "", detail), None
        if not isinstance(decision, Allow):
            return decision, None
        translation, by_path = question.translation, who.prepared_by
        kept = who.prepared if translation is None or by_path is None else by_path.get(translation)
        if kept is not None and now < kept.valid_until:
            return decision, kept
        try:
            found = self._prepare(who.app, None if who.accepted is None else seat, now, self._wall(), translation)
        except GatewayError as error:
            return Deny(decision.rule, error.code, error.shown, error.detail), None
        if isinstance(found, Prepared):
            if who.valid_until < found.valid_until:
                found = replace(found, valid_until=who.valid_until)
            if translation is None or by_path is None:
                who.prepared = found
            else:
                by_path[translation] = found
        return decision, found


@final
class ConditionalDecision:
    """Stands for an outcome that differs between requests: the outcomes so far, by decision.

    `questions`: the live question, then the shadows' questions.
    `also`: further paths that must be allowed.
    `valid_until`: monotonic seconds, after which the person's known attributes change.
    """

    __slots__ = ("_access", "_also", "_outcomes", "_person", "_questions", "valid_until")

    def __init__(
        self, access: ApplicationAccess, questions: tuple[Question, ...], person: str, also: tuple[Question, ...]
    ) -> None:
        self._access = access
        self._also = also
        self._person = person
        self._questions = questions
        self._outcomes: dict[tuple[Decision, ...], ReadyOutcome] = {}
        self.valid_until = valid_until(questions)

    def outcome(self, request: RequestFacts, seat: Seat | None, now: float) -> ReadyOutcome | NeedsWork:
        """`seat`: of the person for whom the outcome was compiled."""
        budget = Budget(CLOCKS)
        decisions = self._access.decide_each(self._questions, request, budget)
        if self._also:
            decisions = self._access.with_all_reached(decisions, self._also, request, budget.renew())
        kept = self._outcomes.get(decisions)
        if kept is not None and kept.valid_until > now:
            return kept
        found = self._access.outcome(self._questions, decisions, seat, self._person, now)
        if not isinstance(found, NeedsWork):
            self._outcomes[decisions] = found
        return found


def valid_until(questions: Iterable[Question]) -> float:
    """Until what is known of the person changes by itself."""
    return min([question.who.valid_until for question in questions])


def _not_prepared(error: GatewayError) -> Refuse:
    return Refuse(error.code, error.detail, refusal=error.shown)


def _keep(owned: dict[object, object], key: object, found: object) -> None:
    """Keeps an outcome with its owner, a person or everybody; the oldest outcome is dropped."""
    if len(owned) >= _OUTCOMES:
        del owned[next(iter(owned))]
    owned[key] = found
