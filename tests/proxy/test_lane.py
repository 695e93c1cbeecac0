"""What policy saw is what the application gets (invariant 2), and what is remembered of an application."""

import itertools
from dataclasses import replace

import pytest

from gateway.access import application as module
from gateway.access.application import unnamed
from gateway.access.outcome import Forward, Refuse, RequireSignIn
from gateway.access.request_line import RequestLine
from gateway.config.snapshot import Api, OpaqueTokens, Snapshot
from gateway.model.decision import RuleRef
from gateway.model.errors import GatewayError
from gateway.policy.patterns import parse_pattern
from gateway.policy.routes import RouteTable
from gateway.policy.rules import Rule
from gateway.proxy.lane import Lane
from gateway.wire.headers import HeaderPolicy
from gateway.wire.target import canonical_target
from tests.config.samples import sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import ask, blot, files, gateway, reached
from tests.proxy.stand_ins import identity, seat

# PC01 to PC11: one reading, or none.
REFUSED = [
    b"/public/../admin", b"/public/./../admin", b"/public/..", b"/./admin", b"/public/.", b"/../admin",
    b"/public/%2e%2e/admin", b"/public/%2E%2e/admin", b"/public/.%2e/admin", b"/%2e/admin", b"/public/%2e%2e%2fadmin",
    b"/public%2fadmin", b"/public%2Fadmin", b"/public%5cadmin", b"/public%5Cadmin", b"/public%252fadmin",
    b"/public\\admin", b"/public/%252e%252e/admin", b"/public/%25%32%65", b"/public/%2561dmin",
    b"//admin", b"///admin", b"/public//../admin", b"/public//a", b"/.//admin",
    b"/public;/../admin", b"/public/..;/admin", b"/public/.;/admin", b"/;/admin", b"/public/a;jsessionid=X",
    b"/public/%3b/../admin", b"/public/..%3b/admin", b"/public/a%00", b"/public/a%00.css", b"/public%0aadmin",
    b"/public/a%0d%0aX:%201", b"/public/a%7f", b"/public/%c0%ae%c0%ae/admin", b"/public/%e0%80%ae", b"/public/%ff",
    b"/public/\xe9", b"/public/%", b"/public/%4", b"/public/%zz", b"/public/a#b", b"#/public", b"public/a",
    b"/public/\xef\xbc\x8f", b"/public/%ef%bc%8e%ef%bc%8e/admin",
]  # fmt: skip
BYTE_FOR_BYTE = [
    b"/public", b"/public/", b"/public/a/b.c~_-", b"/public/%61", b"/public/caf%C3%A9", b"/public/a?x=/../admin",
    b"/public/a?", b"/public/a?%2f%00;//", b"/public/a?x=1&x=2#"[:-1], b"/public/a,b(c)!$&'*+=:@", b"/public/%20",
    b"/public/a|b[c]", b"/public/a?<>\"'",
]  # fmt: skip


@pytest.mark.parametrize("target", REFUSED)
async def test_invariant_2_a_path_of_two_readings_is_a_400(target: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in()
        client = await gate.client()
        client.send(ask(b"GET " + target, cookie) + ask(b"GET /public/b"))
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        assert app.peers == []


async def test_invariant_2_what_is_let_through_goes_byte_for_byte() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for target in BYTE_FOR_BYTE * 2:
            assert (await client.ask(ask(b"GET " + target))).status == 200, target
            assert blot(app.requests.pop()) == reached(b"GET " + target)


@pytest.mark.parametrize(
    "target", [b"/%61dmin/x", b"/admin/x", b"/adm%69n/x", b"/%61%64%6d%69%6e/x", b"/admin?/public/"]
)
async def test_invariant_2_policy_matches_the_single_decoding(target: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in()
        assert (await gate.once(ask(b"GET " + target, cookie))).status == 403
        assert app.peers == []


async def test_invariant_2_a_leniency_loosens_what_it_names_and_nothing_else() -> None:
    lenient = "paths: {parameters: [jsessionid], case: insensitive, merge_slashes: true, encoding: latin1}\n"
    async with application() as app, gateway(app, app=lenient) as gate:
        client = await gate.client()
        for target in (b"/PUBLIC/a", b"/public/a;jsessionid=1F", b"//public//a", b"/public/caf%E9"):
            assert (await client.ask(ask(b"GET " + target))).status == 200, target
            assert blot(app.requests.pop()) == reached(b"GET " + target)
        cookie = gate.sign_in()
        for target in (b"/ADMIN/x", b"//admin/x", b"/admin;jsessionid=1/x", b"//ADMIN;jsessionid=1/x"):
            assert (await client.ask(ask(b"GET " + target, cookie))).status == 403, target
        for target in (b"/public/../a", b"/public/a;b=c", b"/public/%2f", b"/public/..;jsessionid=1/admin"):
            assert (await gate.once(ask(b"GET " + target))).status == 400, target


async def test_invariant_2_the_leniencies_of_windows_and_aspnet_are_decided_as_the_application_maps_the_path() -> None:
    lenient = 'paths: {case: insensitive, windows: true, cookieless: true, escaped: ["?"]}\n'
    admin = (b"/admin./x", b"/ADMIN%20", b"/(S(x))/admin/x", b"/(A(x)F(y))/Admin./x")
    plain = (b"/public/a.", b"/(S(x))/public/a", b"/public/Quoi%3F")
    other = (b"/admin~1/x", b"/admin::$DATA", b"/admin../x", b"/(S(x))/(S(y))/admin", b"/public/C%23", b"/adm%C4%B1n/x")
    async with application() as app, gateway(app) as strict, gateway(app, app=lenient) as gate:
        cookie = gate.sign_in()
        for target in plain:
            assert (await gate.once(ask(b"GET " + target))).status == 200, target
            assert blot(app.requests.pop()) == reached(b"GET " + target)
        for target in admin:
            assert (await gate.once(ask(b"GET " + target, cookie))).status == 403, target
        for target in other:
            assert (await gate.once(ask(b"GET " + target, cookie))).status == 400, target
        for target in (b"/(S(x))/public/a", b"/public/Quoi%3F", b"/public/a%23"):
            assert (await strict.once(ask(b"GET " + target))).status == 400, target


async def test_invariant_2_a_path_in_utf_8_passes_a_latin_1_host_where_both_readings_meet_the_same_rules() -> None:
    lenient = files(9001, app="paths: {encoding: latin1}\n")["apps/permis.yaml"]
    rule = "access:\n  - {path: /public/œuvres/**, allow: signed_in}\n"
    rule += "  - {path: /public/ici/**, allow: {network: 127.0.0.0/8}}\n"
    async with application() as app:
        file = lenient.replace("9001", str(app.port)).replace("access:\n", rule)
        async with gateway(app, changes={"apps/permis.yaml": file}) as gate:
            for target in (b"/public/l%E2%80%99%C5%93uf%20%E2%82%AC", b"/public/l%92%9Cuf%20%80", b"/public/caf%C3%A9"):
                assert (await gate.once(ask(b"GET " + target))).status == 200, target
                assert blot(app.requests.pop()) == reached(b"GET " + target)
            assert (await gate.once(ask(b"GET /public/%9Cuvres/1"))).status == 401
            assert (await gate.once(ask(b"GET /public/%C5%93uvres/1"))).status == 400
            # This rule may ask for the path by itself, of which it would be given one reading.
            assert (await gate.once(ask(b"GET /public/ici/a"))).status == 200
            assert (await gate.once(ask(b"GET /public/ici/%C3%A9"))).status == 400
            app.requests.pop()
            assert app.requests == []


def test_invariant_2_whose_token_it_is_is_one_reading_too() -> None:
    """Invariant 7: in the other one, an opaque token would be another provider's."""
    snapshot = sample_snapshot(files(9001, app="paths: {encoding: latin1}\n"))
    everything, of_works = ("/**",), ("/public/œuvres/**",)
    app = snapshot.apps["permis"]

    def table(patterns: tuple[str, ...]) -> RouteTable:
        rules = [Rule(RuleRef("", 0, text), parse_pattern(text), None, None, None) for text in patterns]
        return RouteTable.build(rules, False)

    opaque = (OpaqueTokens("metropole", paths=table(of_works)), OpaqueTokens("prefecture", b"p_"))
    app = replace(app, api=Api(("metropole", "prefecture"), table(everything), opaque=opaque))
    app.check_readings(canonical_target(b"/public/%9Cuvres/1", app.leniency))
    app.check_readings(canonical_target(b"/public/caf%C3%A9", app.leniency))
    with pytest.raises(GatewayError):
        app.check_readings(canonical_target(b"/public/%C5%93uvres/1", app.leniency))


# --- alone ---

SHORT = sample_snapshot(files(9001, gateway="limits: {url: 100B}\n"))


def a_lane(snapshot: Snapshot | None = None) -> Lane:
    snapshot = snapshot or sample_snapshot(files(9001))
    app = snapshot.apps["permis"]
    return Lane(app, snapshot, None, HeaderPolicy.compile(app.translation.header_folds), itertools.count(1), unnamed)


def test_a_line_is_read_once() -> None:
    lane = a_lane()
    spot = lane.read_line(b"GET /public/a?b HTTP/1.1")
    assert lane.lines == {b"GET /public/a?b HTTP/1.1": spot}
    assert (spot.method, spot.target.raw, spot.minor, spot.repeatable) == (b"GET", b"/public/a?b", True, True)
    assert (spot.text, spot.ending) == (b"GET /public/a?b HTTP/1.1", b"\r\n\r\n")


def test_a_method_with_content_says_that_there_is_none() -> None:
    spot = a_lane().read_line(b"POST / HTTP/1.0")
    assert (spot.ending, spot.repeatable, spot.version()) == (b"\r\nContent-Length: 0\r\n\r\n", False, "1.0")
    assert spot.text == b"POST / HTTP/1.1"


@pytest.mark.parametrize("line", [b"GET /../ HTTP/1.1", b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\n", b"GET /"])
def test_a_line_that_is_refused_is_not_remembered(line: bytes) -> None:
    lane = a_lane()
    with pytest.raises(GatewayError):
        lane.read_line(line)
    assert lane.lines == {}


def test_what_strangers_fill_is_bounded() -> None:
    lane = a_lane()
    for number in range(3000):
        lane.read_line(b"GET /%d HTTP/1.1" % number)
    assert len(lane.lines) <= module._LINES
    lane.read_line(b"GET /" + b"a" * 400 + b" HTTP/1.1")
    assert max(map(len, lane.lines)) < 400
    for number in range(1000):
        lane.compile(lane.read_line(b"GET /%d HTTP/1.1" % number), None, 0.0)
    assert len(lane.anonymous) <= module._OUTCOMES


def test_lines_of_one_match_and_method_share_a_key() -> None:
    lane = a_lane()
    one, two = lane.read_line(b"GET /public/a HTTP/1.1"), lane.read_line(b"GET /public/b HTTP/1.1")
    assert one.key == two.key
    assert len({one.key, lane.read_line(b"POST /public/a HTTP/1.1").key, lane.read_line(b"GET /b HTTP/1.1").key}) == 3


@pytest.mark.parametrize(
    ("line", "anonymous", "person"),
    [
        (b"GET /public/a HTTP/1.1", Forward, Forward),
        (b"GET /a HTTP/1.1", RequireSignIn, Forward),
        (b"GET /admin/a HTTP/1.1", RequireSignIn, Refuse),
    ],
)
def test_an_outcome_is_kept_with_its_owner(line: bytes, anonymous: type, person: type) -> None:
    lane, who = a_lane(), seat("permis.localhost", identity(uid="jdupont"))
    spot = lane.read_line(line)
    found = lane.compile(spot, who, 0.0)
    assert (type(lane.compile(spot, None, 0.0)), type(found)) == (anonymous, person)
    assert who.outcomes == {spot.key: found}
    if isinstance(found, Forward):
        assert found.prepared.headers == b"\r\nX-Remote-User: jdupont"


def test_another_snapshot_finds_nothing_of_the_one_before_in_a_seat() -> None:
    who = seat("permis.localhost", identity(uid="jdupont", groups="administrateurs"))
    before = a_lane()
    spot = before.read_line(b"GET /admin/a HTTP/1.1")
    assert isinstance(before.compile(spot, who, 0.0), Forward)
    changed = files(9001)
    changed["apps/permis.yaml"] = changed["apps/permis.yaml"].replace("group: administrateurs", "group: nobody")
    after = a_lane(sample_snapshot(changed))
    assert isinstance(after.compile(after.read_line(b"GET /admin/a HTTP/1.1"), who, 0.0), Refuse)
    assert who.revision == after.revision


def read(lane: Lane, line: bytes) -> object:
    """What a line is, but for the number of its key."""
    try:
        spot = lane.read_line(line)
    except GatewayError as error:
        return error.code, error.detail
    return {name: getattr(spot, name) for name in RequestLine.__slots__ if name != "key"}


PATHS = [b"GET /public/a", b"POST /%61dmin/a", b"GET /_ecluse/x", b"HEAD http://permis.localhost/a"]
QUERIES = [b"", b"a=1&b", b"%2f/../", b"?", b" ", b"#", b"\x80", b"\t", b"\x7f", b"x" * 100]
ENDS = [b" HTTP/1.1", b" HTTP/1.0", b" HTTP/2.0", b" HTTP/1.1\n", b"", b"  HTTP/1.1"]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_asked_otherwise_is_read_as_if_for_the_first_time(path: bytes) -> None:
    known = a_lane(SHORT)
    assert isinstance(read(known, path + b"?first HTTP/1.1"), dict)
    for query, end in itertools.product(QUERIES, ENDS):
        line = path + b"?" + query + end
        assert read(known, line) == read(a_lane(SHORT), line)


def test_a_path_is_looked_up_once_for_all_its_queries() -> None:
    lane = a_lane()
    first, *others = [lane.read_line(b"GET /public/a?id=%d HTTP/1.1" % number) for number in range(3000)]
    assert all(spot.target.segments is first.target.segments and spot.key == first.key for spot in others)
    assert len({spot.text for spot in (first, *others)}) == 3000
    for number in range(3000):
        lane.read_line(b"GET /public/%d?id HTTP/1.1" % number)
    assert len(lane._paths) <= module._LINES
    assert not any(b"http:" in before for before in lane._paths)


def test_what_is_remembered_of_a_path_holds_no_long_query() -> None:
    lane = a_lane()
    for number in range(20):
        lane.read_line(b"GET /%d?%b HTTP/1.1" % (number, b"q" * 8000))
    assert not lane._paths
