"""What is remembered of an application: its request lines and what comes of them."""

import itertools

import pytest

from gateway.access import application as module
from gateway.access import remembered
from gateway.access.application import ApplicationAccess
from gateway.access.decision import AppIdentity
from gateway.access.outcome import Forward, Refuse, RequireSignIn
from gateway.access.request_line import RequestLine
from gateway.config.snapshot import Snapshot
from gateway.model.errors import GatewayError
from tests.config.samples import PERMIS, sample_snapshot
from tests.proxy.gateways import files
from tests.proxy.stand_ins import identity, seat

SHORT = sample_snapshot(files(9001, gateway="limits: {url: 100B}\n"))


def an_access(snapshot: Snapshot | None = None) -> ApplicationAccess:
    snapshot = snapshot or sample_snapshot(files(9001))
    return ApplicationAccess(snapshot.apps["permis"], snapshot, itertools.count(1))


def test_what_is_prepared_is_kept_by_person_and_by_what_is_told_there() -> None:
    """Not by path: all paths of one block share it, and a person with many of them costs one for each block."""
    block = "    X-Remote-User: {from: uid}\n  paths: [{path: /a/**, headers: {X-A: {from: uid}}}]\n"
    told = {"apps/permis.yaml": files(9001)["apps/permis.yaml"].replace("    X-Remote-User: {from: uid}\n", block)}
    access, who = an_access(sample_snapshot({**files(9001), **told})), seat("permis.localhost", identity(uid="helene"))
    asked = (b"/a", b"/b", b"/a/1", b"/admin/", b"/a/2?q", b"/c")
    outcomes = [access.compile(access.read_line(b"GET %b HTTP/1.1" % path), who, 0.0) for path in asked]
    prepared = [one.prepared for one in outcomes if isinstance(one, Forward)]
    assert len(prepared) == 5
    by_headers = {one.headers: {id(other) for other in prepared if other.headers == one.headers} for one in prepared}
    assert sorted(map(len, by_headers.values())) == [1, 1]
    assert len({access.read_line(b"GET %b HTTP/1.1" % path).key for path in (b"/a/1", b"/a/2?q", b"/b")}) == 2


def test_a_line_is_read_once() -> None:
    access = an_access()
    line = access.read_line(b"GET /public/a?b HTTP/1.1")
    assert access.lines == {b"GET /public/a?b HTTP/1.1": line}
    assert (line.method, line.target.raw, line.minor, line.repeatable) == (b"GET", b"/public/a?b", True, True)
    assert (line.text, line.ending) == (b"GET /public/a?b HTTP/1.1", b"\r\n\r\n")


@pytest.mark.parametrize("queries", [(b"do=show", b"do=logout", b"do=index"), (b"do=logout", b"do=show", b"do=logout")])
def test_a_query_that_means_to_sign_out_is_seen_whatever_was_asked_of_that_path_before(queries: list[bytes]) -> None:
    access = an_access(sample_snapshot({"apps/permis.yaml": PERMIS + "logout: {links: ['/wiki?do=logout']}\n"}))
    for query in queries:
        line = access.read_line(b"GET /wiki?" + query + b" HTTP/1.1")
        assert line.purpose == ("logout" if b"logout" in query else "application")


def test_a_method_with_content_says_that_there_is_none() -> None:
    line = an_access().read_line(b"POST / HTTP/1.0")
    assert (line.ending, line.repeatable, line.version()) == (b"\r\nContent-Length: 0\r\n\r\n", False, "1.0")
    assert line.text == b"POST / HTTP/1.1"


@pytest.mark.parametrize("line", [b"GET /../ HTTP/1.1", b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\n", b"GET /"])
def test_a_line_that_is_refused_is_not_remembered(line: bytes) -> None:
    access = an_access()
    with pytest.raises(GatewayError):
        access.read_line(line)
    assert access.lines == {}


def test_what_strangers_fill_is_bounded() -> None:
    access = an_access()
    for number in range(10_000):
        access.read_line(b"GET /%d HTTP/1.1" % number)
    assert len(access.lines) == remembered._NEWCOMERS
    access.read_line(b"GET /" + b"a" * 400 + b" HTTP/1.1")
    assert max(map(len, access.lines)) < 400
    for number in range(1000):
        access.compile(access.read_line(b"GET /%d HTTP/1.1" % number), None, 0.0)
    assert len(access.anonymous) <= module._OUTCOMES


def test_lines_of_one_match_and_method_share_a_key() -> None:
    access = an_access()
    one, two = access.read_line(b"GET /public/a HTTP/1.1"), access.read_line(b"GET /public/b HTTP/1.1")
    assert one.key == two.key
    others = [access.read_line(text).key for text in (b"POST /public/a HTTP/1.1", b"GET /b HTTP/1.1")]
    assert len({one.key, *others}) == 3


@pytest.mark.parametrize(
    ("text", "anonymous", "person"),
    [
        (b"GET /public/a HTTP/1.1", Forward, Forward),
        (b"GET /a HTTP/1.1", RequireSignIn, Forward),
        (b"GET /admin/a HTTP/1.1", RequireSignIn, Refuse),
    ],
)
def test_an_outcome_is_kept_with_its_owner(text: bytes, anonymous: type, person: type) -> None:
    access, who = an_access(), seat("permis.localhost", identity(uid="jdupont"))
    line = access.read_line(text)
    found = access.compile(line, who, 0.0)
    assert (type(access.compile(line, None, 0.0)), type(found)) == (anonymous, person)
    (_, about), kept = who.outcomes.items()
    assert kept == (line.key, found)
    assert isinstance(about, tuple)
    assert [type(one) for one in about] == [AppIdentity]
    if isinstance(found, Forward):
        assert found.prepared.headers == b"\r\nX-Remote-User: jdupont"


def test_another_snapshot_finds_nothing_of_the_one_before_in_a_seat() -> None:
    who = seat("permis.localhost", identity(uid="jdupont", groups="administrateurs"))
    before = an_access()
    line = before.read_line(b"GET /admin/a HTTP/1.1")
    assert isinstance(before.compile(line, who, 0.0), Forward)
    changed = files(9001)
    changed["apps/permis.yaml"] = changed["apps/permis.yaml"].replace("group: administrateurs", "group: nobody")
    after = an_access(sample_snapshot(changed))
    assert isinstance(after.compile(after.read_line(b"GET /admin/a HTTP/1.1"), who, 0.0), Refuse)
    assert who.revision == after.revision


def read(access: ApplicationAccess, text: bytes) -> object:
    """What a line is, but for the number of its key."""
    try:
        line = access.read_line(text)
    except GatewayError as error:
        return error.code, error.detail
    return {name: getattr(line, name) for name in RequestLine.__slots__ if name != "key"}


PATHS = [b"GET /public/a", b"POST /%61dmin/a", b"GET /_ecluse/x", b"HEAD http://permis.localhost/a"]
QUERIES = [b"", b"a=1&b", b"%2f/../", b"?", b" ", b"#", b"\x80", b"\t", b"\x7f", b"x" * 100]
ENDS = [b" HTTP/1.1", b" HTTP/1.0", b" HTTP/2.0", b" HTTP/1.1\n", b"", b"  HTTP/1.1"]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_asked_otherwise_is_read_as_if_for_the_first_time(path: bytes) -> None:
    known = an_access(SHORT)
    assert isinstance(read(known, path + b"?first HTTP/1.1"), dict)
    for query, end in itertools.product(QUERIES, ENDS):
        line = path + b"?" + query + end
        assert read(known, line) == read(an_access(SHORT), line)


def test_a_path_is_looked_up_once_for_all_its_queries() -> None:
    access = an_access()
    first, *others = [access.read_line(b"GET /public/a?id=%d HTTP/1.1" % number) for number in range(3000)]
    assert all(line.target.segments is first.target.segments and line.key == first.key for line in others)
    assert len({line.text for line in (first, *others)}) == 3000
    for number in range(3000):
        access.read_line(b"GET /public/%d?id HTTP/1.1" % number)
    assert len(access._paths.values) + len(access.lines) <= remembered._NEWCOMERS
    assert not any(b"http:" in before for before in access._paths.values)


def test_what_is_remembered_of_a_path_holds_no_long_query() -> None:
    access = an_access()
    for number in range(20):
        access.read_line(b"GET /%d?%b HTTP/1.1" % (number, b"q" * 8000))
    assert not access._paths.values
