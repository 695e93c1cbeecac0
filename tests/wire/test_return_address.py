"""OR01, K010, K101, K107: a path of the same host, or nothing."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.return_address import safe_target
from gateway.wire.target import PathLeniency


@pytest.mark.parametrize(
    "raw",
    [
        "/",
        "/dossiers/42?tri=date&page=2",
        "/%C3%A9t%C3%A9/",
        "/redirect?u=//evil",
        "/redirect?u=https://evil/%0d%0a",
        "/a?b?c=/../",
        "/ecluse/login",
        "/_eclusex",
    ],
)
def test_a_way_back(raw: str) -> None:
    assert safe_target(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "//evil",
        "///evil",
        "////evil",
        "/\\evil",
        "\\/evil",
        "\\\\evil",
        "/\t/evil",
        "/\n/evil",
        "/\r/evil",
        "\t//evil",
        "/%09/evil",
        "/%0a/evil",
        "/%5cevil",
        "/%5Cevil",
        "%2f%2fevil",
        "/%2f/evil",
        "/%2f%2fevil",
        "https:evil",
        "https:/evil",
        "https://evil",
        "https:\\\\evil",
        "http:evil",
        "http://app@evil",
        "http://app:80@evil",
        "http://evil#@app",
        "http://evil?app",
        "http://app.evil",
        "http://evilapp",
        "http://app/",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        " https://evil",
        " /",
        "/ ",
        "\u00a0//evil",
        "https://evil%00.app",
        "https://app。evil",
        "https://ⓔvil",
        "/.evil/..//evil",
        "/./evil",
        "/..//evil",
        "/%2e%2e//evil",
        "/a%0d%0aSet-Cookie:%20x=y",
        "/a\r\nSet-Cookie: x=y",
        "/a?x=\r\nSet-Cookie: x=y",
        "/a#b",
        "/;//evil",
        "/a;b",
        "/a\0",
        "/é",
        "/%ff",
        "/\ud800",
        "evil",
        "?x",
        "*",
        "@evil",
        "/" + "a" * 10_000,
        # Our own endpoints: a sign-in that leads to a sign-out, or to itself.
        "/_ecluse/logout",
        "/_ecluse",
        "/_ECLUSE/login?to=/",
        "/%5fecluse/logout",
    ],
)
def test_no_way_back(raw: str) -> None:
    assert safe_target(raw) is None


def test_the_applications_own_leniency() -> None:
    lenient = PathLeniency(frozenset({"jsessionid"}), merge_slashes=True)
    assert safe_target("/menu;jsessionid=A?x", lenient) == "/menu;jsessionid=A?x"
    assert safe_target("/a//b", lenient) == "/a//b"
    assert safe_target("//evil", lenient) is None
    assert safe_target("/_ecluse;jsessionid=A/logout", lenient) is None


@given(
    st.one_of(
        st.text(max_size=30).map(lambda text: "/" + text),
        st.text("/\\.%25cf;:@?#a\t", max_size=12),
    ),
    st.booleans(),
)
def test_a_way_back_stays_on_its_host(raw: str, lenient: bool) -> None:
    safe = safe_target(raw, PathLeniency(merge_slashes=lenient))
    if safe is None:
        return
    assert safe == raw
    # As a URL library reads it, and as a browser does: blanks dropped, `\\` a slash.
    for read in (safe, "".join(safe.split()).replace("\\", "/")):
        joined = urlsplit(urljoin("https://app.example/x", read))
        assert (joined.scheme, joined.netloc) == ("https", "app.example")
