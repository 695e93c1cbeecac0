"""What a WebDAV request reaches beside its path, or a refusal."""

import pytest

from gateway.model.errors import GatewayError
from gateway.wire.target import STRICT, PathLeniency
from gateway.wire.webdav import DavReach, reach_of

ORIGIN = "https://dav.example.org"


def read(method: bytes, *lines: tuple[bytes, bytes], leniency: PathLeniency = STRICT) -> DavReach:
    return reach_of(method, lines, ORIGIN, leniency)


def paths(reach: DavReach) -> list[str]:
    return ["/" + "/".join(target.segments) for target in (*filter(None, [reach.destination]), *reach.named)]


@pytest.mark.parametrize(
    ("method", "depth", "below"),
    [
        (b"PROPFIND", b"0", False),
        (b"PROPFIND", b"1", True),
        (b"PROPFIND", b"infinity", True),
        (b"PROPFIND", b"Infinity", True),
        (b"LOCK", b"0", False),
        (b"LOCK", b"infinity", True),
        (b"DELETE", b"0", True),
        (b"GET", b"1", False),
        (b"PUT", b"infinity", False),
    ],
)
def test_depth(method: bytes, depth: bytes, below: bool) -> None:
    assert read(method, (b"Depth", depth)).below is below


def test_without_depth_it_is_everything_below() -> None:
    assert [read(method).below for method in (b"PROPFIND", b"LOCK", b"DELETE", b"MKCOL", b"PROPPATCH")] == [
        True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (b"https://dav.example.org/a/b%20c", "/a/b c"),
        (b"HTTPS://DAV.example.org/a/", "/a/"),
        (b"/a/%C3%A9", "/a/é"),
    ],
)
def test_a_destination(url: bytes, path: str) -> None:
    for method, depth in ((b"MOVE", b"infinity"), (b"MOVE", b"0"), (b"COPY", b"infinity")):
        reach = read(method, (b"destination", url), (b"Depth", depth))
        assert (reach.below, paths(reach)) == (True, [path])
    assert not read(b"COPY", (b"Destination", url), (b"Depth", b"0")).below
    # Another method has none.
    assert read(b"PUT", (b"Destination", url)).destination is None


@pytest.mark.parametrize(
    "url",
    [b"", b"a/b", b"http://dav.example.org/a", b"https://dav.example.org:444/a", b"https://dav.example.org", b"//x/a",
     b"https://dav.example.org.evil/a", b"https://evil@dav.example.org/a", b"https://other.example.org/a",
     b"/a/../b", b"/a//b", b"/a%2Fb", b"/a;b", b"/a?b", b"/a#b", b"/a b", b"/\xe9", b"/a, /b", b" /a"],
)  # fmt: skip
def test_a_destination_that_two_servers_could_read_differently(url: bytes) -> None:
    with pytest.raises(GatewayError):
        read(b"COPY", (b"Destination", url))


@pytest.mark.parametrize(
    "lines",
    [
        [(b"Depth", b"0")],
        [(b"Destination", b"/a"), (b"destination", b"/b")],
        [(b"Destination", b"/a"), (b"Depth", b"0"), (b"DEPTH", b"infinity")],
        [(b"Destination", b"/a"), (b"Depth", b"0, infinity")],
        [(b"Destination", b"/a"), (b"Depth", b"2")],
        [(b"Destination", b"/a"), (b"If", b"(<a>)"), (b"If", b"</b> (<a>)")],
    ],
)
def test_a_header_that_says_nothing_or_two_things(lines: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(GatewayError):
        read(b"MOVE", *lines)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (b"(<urn:uuid:1>)", []),
        (b'(<urn:uuid:1> ["etag with ) and <"]) (Not <DAV:no-lock>)', []),
        (b"<https://dav.example.org/a> (<urn:uuid:1>)", ["/a"]),
        (b'</a/b> (<urn:uuid:1> [W/"x"]) <https://dav.example.org/c/> (["y"])', ["/a/b", "/c/"]),
    ],
)
def test_the_paths_that_if_asks_about(value: bytes, named: list[str]) -> None:
    for method in (b"PUT", b"PROPPATCH", b"DELETE"):
        assert paths(read(method, (b"If", value))) == named


@pytest.mark.parametrize(
    "value",
    [b"</a", b"/a (<x>)", b"(<x>", b"<x>)", b"<https://evil.example/a> (<x>)", b"</a/../b> (<x>)", b'(["x)',
     b"</a> (<x>) b", b"</a>" * 21],
)  # fmt: skip
def test_an_if_that_two_servers_could_read_differently(value: bytes) -> None:
    with pytest.raises(GatewayError):
        read(b"PUT", (b"If", value))


def test_a_destination_is_read_as_the_application_reads_paths() -> None:
    assert paths(read(b"COPY", (b"Destination", b"/A/B"), leniency=PathLeniency(case_insensitive=True))) == ["/a/b"]


@pytest.mark.parametrize("url", [b"//a/b", b"///b", b"https://dav.example.org//a/b"])
def test_two_slashes_at_its_beginning_are_a_host_to_what_reads_addresses(url: bytes) -> None:
    leniency = PathLeniency(merge_slashes=True)
    with pytest.raises(GatewayError):
        read(b"MOVE", (b"Destination", url), leniency=leniency)
    with pytest.raises(GatewayError):
        read(b"PUT", (b"If", b"<%b> (<urn:uuid:1>)" % url), leniency=leniency)
    assert paths(read(b"MOVE", (b"Destination", b"/a//b"), leniency=leniency)) == ["/a/b"]
