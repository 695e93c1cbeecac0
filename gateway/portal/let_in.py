"""Applies the application's rules to a person before the portal acts for the application in the person's name.

The data plane applies the rules to each request for the application. A page of the portal has no such request, so the
rules are applied to the application's page that the person wanted.
"""

import asyncio
from typing import Final
from urllib.parse import quote

from gateway.access.decision import AppIdentity, Question
from gateway.config.snapshot import App
from gateway.model.codes import directory_codes, policy_codes
from gateway.model.decision import Allow, Challenge, Decision, Deny
from gateway.model.errors import GatewayError
from gateway.model.session import Seat, Session
from gateway.policy.facts import RequestFacts
from gateway.policy.patterns import AnyOne, Literal, Pattern, Rest
from gateway.portal.http.request import PREFIX, PortalRequest, WayBack
from gateway.wire.addresses import parse_address
from gateway.wire.target import canonical_target

# Decisions in a row before other tasks get their turn (invariant 14): a decision takes some 20 us.
SLICE: Final = 50


async def require_let_in(request: PortalRequest, back: WayBack, seat: Seat, now: float) -> None:
    """Raises GatewayError, with the reason, if the rules of `back.app` refuse the person the page `back.target`, or its
    home page instead of a page of ours. `now`: Unix seconds.

    A public page proves nothing: then a page that is not public has to admit the person, if the application has such
    pages.
    """
    asked = _Asked(request, back.app, seat, now)
    target = back.app.home if back.target.startswith(PREFIX) else back.target
    decision = asked.decision(target)
    match decision:
        case Challenge(reason=reason, need=need):
            request.way_back = back._replace(need=need)
            raise GatewayError(reason, f"{back.app.name} asks for another sign-in there")
        case Deny(reason=reason) if reason is policy_codes.UNKNOWN and asked.person.missing is not None:
            raise GatewayError(directory_codes.AWAY, f"directory {asked.person.missing.name} could not answer")
        case Deny(reason=reason, refusal=refusal, detail=detail):
            rule = "no rule" if decision.rule is None else f"{decision.rule.file}:{decision.rule.line}"
            raise GatewayError(reason, f"{rule} {detail}".rstrip(), shown=refusal)
    if asked.is_open_to_anybody(target) and not await asked.is_let_in_by_who_they_are():
        raise GatewayError(policy_codes.NOT_ALLOWED, "only public pages admit this person")


async def may_be_let_in(app: App, session: Session, now: float) -> bool:
    """Whether the rules of `app` may let the person into a page, now or after a stronger sign-in. The function tries
    one path of each rule. False: every rule refuses the person, whatever the request. `now`: Unix seconds."""
    person, tenant = AppIdentity(app, session.identity, 0.0, now), app.tenant_of(session, now)
    for at, rule in enumerate(app.routes.rules()):
        if at % SLICE == SLICE - 1:
            await asyncio.sleep(0)
        path = _path_of(rule.pattern)
        if path is None:
            return True
        method = "GET" if rule.methods is None or rule.covers("GET") else min(rule.methods)
        segments = canonical_target(path.encode("ascii"), app.leniency).segments
        question = Question(person, app.routes.find(segments), method, tenant)
        if question.turns_on_request or not isinstance(question.decision(), Deny):
            return True
    return False


class _Asked:
    """A person at an application. A page is judged as the present request without its header lines."""

    def __init__(self, request: PortalRequest, app: App, seat: Seat, now: float) -> None:
        self._client = parse_address(request.client)
        self._app = app
        self._tenant = app.tenant_of(seat, now)
        self._now = now
        self.person = AppIdentity(app, seat.identity, 0.0, now)
        self._nobody = AppIdentity(app, None, 0.0, now)

    def decision(self, target: str) -> Decision:
        return self._decided(self.person, target)

    def is_open_to_anybody(self, target: str) -> bool:
        return isinstance(self._decided(self._nobody, target), Allow)

    async def is_let_in_by_who_they_are(self) -> bool:
        """Whether a restricted page admits the person; True without a restricted page. Judges a path for each rule."""
        others = False
        for at, rule in enumerate(self._app.routes.rules()):
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            path = _path_of(rule.pattern)
            if path is None:
                others = True
            elif isinstance(self._decided(self._nobody, path), Challenge):
                others = True
                if isinstance(self.decision(path), Allow):
                    return True
        return not others

    def _decided(self, who: AppIdentity, text: str) -> Decision:
        app = self._app
        try:
            target = canonical_target(text.encode("ascii"), app.leniency)
        except GatewayError as error:
            return Deny(None, error.code, detail=error.detail)
        question = Question(who, app.routes.find(target.segments), "GET", self._tenant)
        path, query = f"/{'/'.join(target.segments)}", (target.query or b"").decode("ascii")
        return question.decision(RequestFacts(self._client, (), path, query, self._now))


def _path_of(pattern: Pattern) -> str | None:
    """Returns a path that the pattern matches; None for a pattern with a regular expression."""
    parts = []
    for segment in pattern.segments:
        match segment:
            case Literal(text=text):
                parts.append(quote(text, safe=""))
            case AnyOne() | Rest():
                parts.append("x")
            case _:
                return None
    return f"/{'/'.join(parts)}"
