"""A trial says what live traffic does: each request is tried, and goes through a data plane on a socket as well. What
comes of it there is told by what anybody sees: the application, the portal, the log, the page."""

import random
import re
from collections.abc import AsyncIterator
from itertools import product
from typing import NamedTuple

import pytest

from gateway.access.outcome import RequireSignIn
from gateway.access.pipeline import outcome_of
from gateway.access.shadow import ShadowDifference
from gateway.model.identity import Identity
from gateway.model.levels import Need
from gateway.model.session import Seat
from gateway.proxy.lane import Lane
from gateway.translation.read_back import read_back_for_tools
from gateway.translation.render import Injection
from gateway.trial import trial
from gateway.trial.people import Known
from gateway.trial.request import circumstances_of, parse_request
from gateway.trial.trial import Tried, try_request
from tests.config.samples import METROPOLE
from tests.proxy.applications import Application, application
from tests.proxy.gateways import Answer, Gateway, gateway
from tests.proxy.stand_ins import NEVER
from tests.trial.samples import DEPARTEMENT, OUVERT, SECRET

APP = (
    OUVERT.replace("127.0.0.1:9002", "127.0.0.1:PORT")
    + """\
  - {path: /impression/**, allow: {header: {name: X-Mode, equals: print}}}
  - {path: /ici/**, allow: {network: 127.0.0.0/8}}
  - {path: /pas-ici/**, allow: {network: 10.0.0.0/8}}
  - {path: /recherche, allow: {all: [signed_in, {query: {name: mode, equals: plan}}]}}
  - {path: /fort/**, allow: {all: [signed_in, {acr_min: eidas2}]}}
  - {path: /dossiers/*, allow: {group: elus}, shadow: true}
  - {path: /impression/**, allow: signed_in, shadow: true}
method_override: true
api: {providers: [metropole], paths: [/api/**, /dossiers/**, /fort/**]}
"""
)
API = METROPOLE.replace("  scopes:", "  api: {audience: [urn:ouvert], introspection: true}\n  scopes:")

_HOST_OF_SEATS = "ouvert.localhost"
_COOKIE = b"a" * 22 + b"." + b"%043d"


def person(provider: str = "metropole", acr: str | None = None, **attributes: tuple[str, ...]) -> Known:
    port = {"metropole": 9400, "departement": 9401}[provider]
    return Known(Identity(provider, f"http://127.0.0.1:{port}", "s-1", attributes, acr=acr))


PEOPLE: dict[str, Known | None] = {
    "nobody": None,
    "paul": person(uid=("paul",), groups=("ONDE",), family_name=("Rivière",), mail=("paul@metropole.example",)),
    "zoé": person(uid=("zoe",), groups=("externes", "ONDE"), uai=("a", "b"), acr="eidas2"),
    "eve": person(uid=("eve",), acr="eidas1"),
    "œ": person(uid=("x",), groups=("ONDE",), family_name=("Lebœuf",)),
    "abroad": person("departement", uid=("d",), groups=("ONDE",)),
}
METHODS = ("GET", "GET", "HEAD", "POST", "DELETE", "PUT", "OPTIONS", "TRACE")
HOSTS = ("ouvert", "ouvert", "ouvert", "a.ouvert", "permis", "portail", "nowhere", "-")
PATHS = (
    "/", "/menu", "/MENU;jsessionid=1", "//dossiers//1", "/dossiers/1/2", "/comptes/1", "/quitter",
    "/Session/ferm%C3%A9e", "/a%2fb", "/../admin", "/%2e%2e", "/_ecluse/session", "/_ECLUSE/session", "/_ecluse", "/é",
    "/impression/1", "/ici/1", "/pas-ici/1", "/recherche", "/fort/1", "/api/1", "/public/", "/admin/", "/" + "a" * 8193,
)  # fmt: skip
QUERIES = ("", "", "?a=b", "?mode=plan", "?_method=DELETE", "?mode=plan&mode=vue")
HEADERS: tuple[dict[str, str], ...] = (
    {}, {}, {"X-Mode": "print"}, {"X_Mode": "print"}, {"X-Remote-User": "eve"}, {"X-HTTP-Method-Override": "DELETE"},
    {"X_HTTP_Method": "PUT"}, {"X-Forwarded-For": "10.1.1.1"}, {"Sec-Fetch-Dest": "document"},
)  # fmt: skip
# Where a token says who asks; elsewhere it says nothing.
TAKEN = {
    f"http://{host}.localhost{path}"
    for host in ("ouvert", "a.ouvert")
    for path in PATHS
    if re.search(r"dossiers|fort|api", path)
}
# How somebody shows who they are, and how nobody does.
SHOWN = ("cookie", "cookie", "token")
NOT_SHOWN = ("", "unknown", "of another host", "dead", "another scheme")
# A page of tests/proxy/stand_ins: code, kind, address, text.
_REFUSAL = re.compile(r"\S+ (?:html|json)(?: /_ecluse/logout)?(?: (.*))?")
_EXPLAINED = ("wire.method", "route.host_unknown", "limit.url")
Shadows = tuple[tuple[str, str, str], ...]
# Application, (decision, reason), what shadows came to.
Counted = tuple[str, tuple[str, str], tuple[ShadowDifference, ...]]


class Came(NamedTuple):
    """All that both ways can tell. `rule`: file and line; `shadows`: what each came to that is not the same."""

    outcome: str
    reason: str
    rule: str
    detail: str
    refusal: str
    headers: dict[str, str]
    cookies: dict[str, str]
    shadows: Shadows


def told(tried: Tried) -> Came:
    def rule(one: Tried) -> str:
        return "" if one.rule is None else f"{one.rule.file}:{one.rule.line}"

    shadows = tuple((tried.outcome, one.outcome, rule(one)) for one in tried.differing())
    reason = "" if tried.outcome == "allow" else tried.reason
    # Of these, a person at a terminal is told in more words; a line that is too long is refused before it is read.
    explained = tried.reason in _EXPLAINED
    detail = tried.detail if tried.outcome in ("refuse", "deny") and not explained else ""
    return Came(
        tried.outcome, reason, rule(tried), detail, tried.refusal, tried.headers, tried.cookies, tuple(sorted(shadows))
    )


class Programs:
    """ports.Callers, of tokens that are the names of people."""

    def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
        return seat(PEOPLE[list(PEOPLE)[int(token)]], b"")

    async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
        raise AssertionError


def seat(who: Known | None, cookie: bytes, host: str = _HOST_OF_SEATS) -> Seat:
    assert who is not None
    return Seat(cookie, host, "session", who.identity, who.tenant, 1800.0, NEVER, NEVER, NEVER)


@pytest.fixture(scope="module")
def requests() -> list[tuple[str, str, str, dict[str, str]]]:
    """Method and address, by whom, how they show it, and headers."""
    chance = random.Random(20_261_127)
    every = [
        (f"{chance.choice(METHODS)} http://{host}.localhost{path}{chance.choice(QUERIES)}", who, headers)
        for host, path, who, headers in product(HOSTS, PATHS, PEOPLE, HEADERS)
        # Of two things that are wrong at once, either may be told.
        if host not in ("nowhere", "-") or len(path) < 100
    ]
    some = chance.sample(every, 500)
    return [
        (text, who, chance.choice(NOT_SHOWN if PEOPLE[who] is None else SHOWN), headers) for text, who, headers in some
    ]


class Live:
    def __init__(self, gate: Gateway, app: Application) -> None:
        self.gate = gate
        self.app = app
        self.snapshot = gate.plane.holder.snapshot
        self._number = 0

    async def came(self, text: str, who: str, shown: str, headers: dict[str, str]) -> Came:
        asked, sent = parse_request(text), [f"{name}: {value}".encode() for name, value in headers.items()]
        sent += [b"Content-Length: 0"] if asked.method in ("POST", "PUT", "PATCH") else []
        host = asked.authority.decode()
        sent += self._credential(who, shown, host)
        before = self._counted()
        for kept in (self.app.requests, self.gate.log.events, self.gate.log.lines, self.gate.portal.asked):
            kept.clear()
        line = b"%b %b HTTP/1.1" % (asked.method.encode(), asked.target)
        client = await self.gate.client()
        client.send(b"\r\n".join((line, b"Host: " + asked.authority, *sent, b"", b"")))
        answer = await client.answer(head_only=asked.method == "HEAD")
        client.close()
        return self._told(answer, before)

    def _credential(self, who: str, shown: str, host: str) -> list[bytes]:
        self._number += 1
        cookie = _COOKIE % self._number
        if shown == "token":
            return [b"Authorization: Bearer %d" % list(PEOPLE).index(who)]
        if shown == "another scheme":
            return [b"Authorization: Basic MTox"]
        if shown in ("dead", "of another host"):
            kept = seat(PEOPLE["paul"], cookie, host if shown == "dead" else "elsewhere.localhost")
            kept.live = shown != "dead"
            self.gate.sessions.hot[cookie] = kept
        elif shown == "cookie":
            self.gate.sessions.hot[cookie] = seat(PEOPLE[who], cookie, host)
        return [b"Cookie: __Host-ecluse=" + cookie] if shown else []

    def _counted(self) -> dict[Counted, int]:
        """How often each kind of decision was made, with what the shadows would have."""
        found: dict[Counted, int] = {}
        for lane in self.gate.plane.tables.lanes:
            if not isinstance(lane, Lane):
                continue
            found |= {(lane.name, *key): cell[0] for key, cell in (lane.differing or {}).items()}
            found |= {(lane.name, key, ()): cell[0] for key, cell in lane.decisions.items()}
        return found

    def _told(self, answer: Answer, before: dict[Counted, int]) -> Came:
        log = self.gate.log
        rule = _between(log.lines[0] if log.lines else b"", '"rule":"')
        decided = [key for key, number in self._counted().items() if number > before.get(key, 0)]
        shadows = [
            (one.live, one.shadow.partition(",")[0], one.shadow_rule) for _, _, found in decided for one in found
        ]
        came = Came("", "", rule, "", "", {}, {}, tuple(sorted(shadows)))
        if self.app.requests:
            headers, cookies = self._injected(self.app.requests[0])
            return came._replace(outcome="allow", headers=headers, cookies=cookies)
        if self.gate.portal.asked:
            call = self.gate.portal.asked[0].call
            if call.purpose == "challenge":
                return came._replace(outcome="challenge", reason=call.challenge_reason)
            return came._replace(outcome="own" if call.purpose == "endpoint" else "logout")
        for denied in log.named("access.denied"):
            refusal = answer.body.decode().partition(" json")[2] or answer.body.decode().partition("/logout")[2]
            return came._replace(
                outcome="deny",
                reason=str(denied["code"]),
                detail=str(denied.get("detail", "")),
                refusal=refusal.strip(),
            )
        if decided and decided[0][1][0] == "challenge":
            # Also of a program, which is refused in its own words then.
            return came._replace(outcome="challenge", reason=decided[0][1][1])
        (refused,) = log.named("request.refused")
        code = str(refused["code"])
        detail = "" if code in _EXPLAINED else str(refused["detail"])
        return came._replace(outcome="refuse", reason=code, detail=detail)

    def _injected(self, request: bytes) -> tuple[dict[str, str], dict[str, str]]:
        """What the application was told of the person, read from what it got."""
        head = request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        host = next(line[6:] for line in head if line.startswith(b"Host: "))
        app = self.gate.plane.tables.find(host).lane.app
        names = {spec.name.encode() for spec in app.translation.headers}
        lines = b"".join(b"\r\n" + line for line in head if line.partition(b":")[0] in names)
        cookies = next((line[8:] for line in head if line.startswith(b"Cookie: ")), b"")
        return read_back_for_tools(app.translation, Injection(lines, cookies))


def _between(text: bytes, begin: str) -> str:
    return text.decode().partition(begin)[2].partition('"')[0]


@pytest.fixture
async def live() -> AsyncIterator[Live]:
    async with application() as app:
        files = {
            "providers/departement.yaml": DEPARTEMENT,
            "providers/metropole.yaml": API,
            "apps/ouvert.yaml": APP.replace("PORT", str(app.port)),
        }
        behind = gateway(app, changes=files, secrets=SECRET, gateway="access_log: true\n", callers=Programs())
        async with behind as gate:
            yield Live(gate, app)


async def test_whatever_is_asked_a_trial_and_live_traffic_come_to_the_same(
    live: Live, requests: list[tuple[str, str, str, dict[str, str]]]
) -> None:
    met: set[str] = set()
    differing: list[object] = []
    for text, who, shown, headers in requests:
        is_known = shown != "token" or text.partition(" ")[2].partition("?")[0] in TAKEN
        person = PEOPLE[who] if is_known else None
        tried = try_request(
            live.snapshot, parse_request(text), person, circumstances_of(0.0, "127.0.0.1", headers, None)
        )
        expected, came = told(tried), await live.came(text, who, shown, headers)
        met |= {expected.outcome, expected.reason, *(shadow[1] for shadow in expected.shadows)}
        if came != expected:
            differing.append((text, who, shown, headers, came, expected))
    assert not differing
    assert met >= {"allow", "deny", "challenge", "refuse", "own", "logout", "translation.unencodable"}


async def test_what_a_sign_in_has_to_be_is_the_same_too(live: Live) -> None:
    text, headers = "GET http://ouvert.localhost/fort/1", {"Sec-Fetch-Dest": "document"}
    needed = Need(level="eidas2")
    for who in ("nobody", "eve", "abroad"):
        came = await live.came(text, who, "" if who == "nobody" else "cookie", headers)
        request = trial._read(live.snapshot, parse_request(text), circumstances_of(0.0, "127.0.0.1", headers, None))
        person = PEOPLE[who]
        _, outcome = outcome_of(request, None if person is None else seat(person, b"c"), 0.0)
        assert isinstance(outcome, RequireSignIn)
        (asked,) = live.gate.portal.asked
        assert (came.outcome, outcome.need, asked.call.need) == ("challenge", needed, needed)
        assert outcome.reason.id == asked.call.challenge_reason == came.reason
