"""RFC 9525: the names that a certificate holds."""

import pytest

from gateway.wire.certificate_names import holds_name

NAMES = (("DNS", "Intranet.example.org"), ("DNS", "*.apps.example.org"), ("IP Address", "10.1.2.3"))


@pytest.mark.parametrize("name", ["intranet.example.org", "rh.apps.example.org", "10.1.2.3"])
def test_a_name_or_address_that_stands_in_it(name: str) -> None:
    assert holds_name(NAMES, name)


@pytest.mark.parametrize(
    "name",
    [
        "example.org",
        "a.rh.apps.example.org",
        "apps.example.org",
        ".apps.example.org",
        "10.1.2.4",
        "xintranet.example.org",
        "",
    ],
)
def test_no_other_one(name: str) -> None:
    assert not holds_name(NAMES, name)


@pytest.mark.parametrize(
    "named",
    [
        ("DNS", "*"), ("DNS", "*.org"), ("DNS", "r*.example.org"), ("DNS", "*h.example.org"), ("DNS", "rh.*.org"),
        ("DNS", "rh.example.org\0.attacker.example"), ("DNS", "rh.example.org."), ("DNS", ""),
        ("URI", "rh.example.org"),
        ("IP Address", "rh.example.org"), ("email", "rh.example.org"),
    ],
)  # fmt: skip
def test_what_names_nobody(named: tuple[str, str]) -> None:
    assert not holds_name([named], "rh.example.org")
    assert not holds_name([named], "example.org")


def test_an_address_is_no_dns_name_and_has_one_form() -> None:
    assert not holds_name([("DNS", "10.1.2.3"), ("DNS", "*.2.3")], "10.1.2.3")
    assert holds_name([("IP Address", "2001:DB8:0:0:0:0:0:1")], "2001:db8::1")
