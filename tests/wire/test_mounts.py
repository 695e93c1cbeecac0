"""Between the path that browsers know and the one that the application has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.mounts import Mount
from tests.growth import is_linear

HERE = Mount("/wiki", "/wiki")
AT_ROOT = Mount("/old", "")
BELOW = Mount("", "/app")
MOVED = Mount("/old", "/app")
ORIGIN = b"https://h.example"


@pytest.mark.parametrize(
    ("mount", "asked", "sent"),
    [
        (HERE, b"/wiki/a?b=/c", b"/wiki/a?b=/c"),
        (AT_ROOT, b"/old", b"/"),
        (AT_ROOT, b"/old?x", b"/?x"),
        (AT_ROOT, b"/old/", b"/"),
        (AT_ROOT, b"/old/old/x", b"/old/x"),
        (BELOW, b"/", b"/app/"),
        (BELOW, b"/x%20y?/old", b"/app/x%20y?/old"),
        (MOVED, b"/old", b"/app"),
        (MOVED, b"/old/x", b"/app/x"),
    ],
)
def test_what_the_application_is_asked_for(mount: Mount, asked: bytes, sent: bytes) -> None:
    assert mount.target(asked) == sent


@pytest.mark.parametrize(
    ("mount", "written", "shown"),
    [
        (AT_ROOT, b"/x", b"/old/x"),
        (AT_ROOT, b"/", b"/old/"),
        (AT_ROOT, b"/?x", b"/old/?x"),
        (AT_ROOT, b"https://h.example/x", b"https://h.example/old/x"),
        (AT_ROOT, b"https://h.example.evil.example/x", b"https://h.example.evil.example/x"),
        (AT_ROOT, b"//evil.example/x", b"//evil.example/x"),
        (AT_ROOT, b"https://other.example/x", b"https://other.example/x"),
        (AT_ROOT, b"x/y", b"x/y"),
        (AT_ROOT, b"?x", b"?x"),
        (AT_ROOT, b"/old/x", b"/old/x"),
        (AT_ROOT, b"/older", b"/old/older"),
        (MOVED, b"/app/x", b"/old/x"),
        (MOVED, b"/app", b"/old"),
        (MOVED, b"/application", b"/application"),
        (MOVED, b"/elsewhere", b"/elsewhere"),
        (BELOW, b"/app/x#y", b"/x#y"),
        (BELOW, b"/app", b"/"),
        (BELOW, b"/app?x", b"/?x"),
        (HERE, b"/x", b"/x"),
    ],
)
def test_an_address_that_it_writes(mount: Mount, written: bytes, shown: bytes) -> None:
    assert mount.address(written, ORIGIN) == shown


def test_addresses_within_values() -> None:
    assert AT_ROOT.link(b'</a.css>; rel=preload, <b>; rel=next, <//x/>; rel="y"', ORIGIN) == (
        b'</old/a.css>; rel=preload, <b>; rel=next, <//x/>; rel="y"'
    )
    assert AT_ROOT.link(b"< \t/a>, < /<b>, <>, </c", ORIGIN) == b"< \t/old/a>, < /old/<b>, <>, </c"
    assert AT_ROOT.refresh(b"5; url=/x", ORIGIN) == b"5; url=/old/x"
    assert AT_ROOT.refresh(b"0;URL='/x'", ORIGIN) == b"0;URL='/old/x'"
    assert AT_ROOT.refresh(b"5", ORIGIN) == b"5"


@pytest.mark.slow
@pytest.mark.parametrize(("begin", "more"), [(b"<", b" "), (b"", b"<"), (b"", b"<\t>"), (b"</x>", b"</x"), (b"", b">")])
def test_a_link_of_many_blanks_or_beginnings_is_read_once(begin: bytes, more: bytes) -> None:
    assert is_linear(lambda size: lambda: MOVED.link(begin + more * size, ORIGIN), small=1000, large=100_000)


@pytest.mark.slow
@pytest.mark.parametrize("more", [b" ", b"0", b"\t;", b"url", b"\n"])
def test_so_is_a_refresh(more: bytes) -> None:
    assert is_linear(lambda size: lambda: MOVED.refresh(b"0" + more * size, ORIGIN), small=1000, large=100_000)


@pytest.mark.parametrize(
    ("mount", "sent", "kept"),
    [
        (HERE, b"a=1", b"a=1; Path=/wiki"),
        (HERE, b"a=1; Path=/; Secure", b"a=1; Secure; Path=/wiki"),
        (HERE, b"a=1; path=/wiki", b"a=1; Path=/wiki"),
        (HERE, b"a=1; PATH =/wiki/x", b"a=1; Path=/wiki/x"),
        (HERE, b"a=1; Path=/wikis", b"a=1; Path=/wiki"),
        (HERE, b"a=1; Path=/wiki; Path=/", b"a=1; Path=/wiki"),
        (HERE, b"a=1; Path=/; Path=/wiki/x", b"a=1; Path=/wiki/x"),
        (HERE, b"a=1; Path=", b"a=1; Path=/wiki"),
        (HERE, b"a=1; Path=wiki", b"a=1; Path=/wiki"),
        (HERE, b"__Host-a=1; Path=/; Secure", b""),
        (HERE, b" __hOST-a=1; Path=/; Secure", b""),
        (HERE, b"=__Host-a=1; Path=/; Secure", b""),
        (HERE, b"__Secure-a=1; Secure", b"__Secure-a=1; Secure; Path=/wiki"),
        (AT_ROOT, b"a=1; Path=/", b"a=1; Path=/old"),
        (AT_ROOT, b"a=1; Path=/x/y", b"a=1; Path=/old/x/y"),
        (MOVED, b"a=1; Path=/app", b"a=1; Path=/old"),
        (MOVED, b"a=1; Path=/app/x", b"a=1; Path=/old/x"),
        (MOVED, b"a=1; Path=/", b"a=1; Path=/old"),
        (BELOW, b"a=1; Path=/app/x", b"a=1; Path=/x"),
        (BELOW, b"a=1; Path=/app", b"a=1; Path=/"),
        (BELOW, b"a=1; Path=/", b"a=1; Path=/"),
        (BELOW, b"__Host-a=1; Path=/; Secure", b"__Host-a=1; Secure; Path=/"),
    ],
)
def test_a_cookie_that_it_sets(mount: Mount, sent: bytes, kept: bytes) -> None:
    assert mount.cookie(sent) == kept


PATHS = [b"Path=/", b" Path=/wiki/a", b"path = /b", b"Path", b"Secure", b"x=Path=/", b"Path=/old/..", b""]


@given(st.sampled_from([HERE, AT_ROOT, MOVED]), st.lists(st.sampled_from(PATHS)))
def test_one_path_is_left_and_it_is_below(mount: Mount, attributes: list[bytes]) -> None:
    kept = mount.cookie(b";".join((b"a=1", *attributes)))
    paths = [one.partition(b"=")[2] for one in kept.split(b";") if one.partition(b"=")[0].strip().lower() == b"path"]
    assert len(paths) == 1
    assert paths[0].startswith(mount.public.encode())
