import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formlogin.addresses import ApplicationOrigins, path_of
from tests.formlogin.forms import ORIGINS

BASE = "https://grr.example.org/grr/login.php"


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("", "/grr/login.php"),
        ("check.php", "/grr/check.php"),
        ("/check.php?a=1#part", "/check.php?a=1"),
        ("../index.php", "/index.php"),
        ("https://grr.example.org/check.php", "/check.php"),
        ("https://GRR.example.org/check.php", "/check.php"),
        ("http://10.0.0.5:8080/check.php", "/check.php"),
        ("//grr.example.org/check.php", "/check.php"),
        ("https://grr.example.org", "/"),
        (" \n/check.php\t", "/check.php"),
    ],
)
def test_an_address_of_the_application_is_a_target_there(address: str, target: str) -> None:
    assert ORIGINS.target(address, BASE) == target


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/check.php",
        "//evil.example/check.php",
        "http://grr.example.org/check.php",
        "https://10.0.0.5:8080/check.php",
        "https://grr.example.org:8443/check.php",
        "https://grr.example.org@evil.example/",
        "https://helene@grr.example.org/",
        "https://grr.example.org.evil.example/",
        "https:/\\evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://grr.example.org/",
        "/a b",
        "/a\tb",
        "/a\nb",
        "/é",
        "https://[::1/",
        "/" + "a" * 5000,
    ],
)
def test_whatever_leads_elsewhere_or_is_odd_is_no_target(address: str) -> None:
    assert ORIGINS.target(address, BASE) is None


@given(st.text(max_size=60))
def test_a_target_is_a_path_of_visible_ascii_whatever_the_address(address: str) -> None:
    found = ORIGINS.target(address, BASE)
    assert found is None or (found.startswith("/") and found.isascii() and found.isprintable() and " " not in found)


def test_names_of_the_application() -> None:
    assert ORIGINS.hosts == (b"grr.example.org", b"10.0.0.5")
    assert (ORIGINS.is_secure, ApplicationOrigins("http://a.localhost:8080").is_secure) == (True, False)
    assert path_of("/a?b=/c?d") == "/a"
