"""The walking helper itself: what its jar takes and gives."""

import pytest

from tests.cookie_jar import Jar

HERE = "http://permis.localhost:8080/a/b"


@pytest.mark.parametrize(
    "line",
    [
        "__Host-x=1; Path=/",
        "__Host-x=1; Secure",
        "__Host-x=1; Secure; Path=/a",
        "__Host-x=1; Secure; Path=/; Domain=permis.localhost",
        "__hOST-x=1; Path=/",
        "__Secure-x=1; Path=/",
        "x=1; Domain=localhost",
        "x=1; Domain=other.localhost",
    ],
)
def test_what_a_browser_would_not_keep(line: str) -> None:
    jar = Jar()
    jar.receive(HERE, [line])
    assert jar.refused == [line]
    assert jar.to_send(HERE) == ""


def test_a_host_cookie_goes_to_its_host_alone_on_every_port() -> None:
    jar = Jar()
    jar.receive(HERE, ["__Host-x=1; Secure; HttpOnly; SameSite=Lax; Path=/"])
    assert jar.to_send("http://permis.localhost:8080/other") == "__Host-x=1"
    assert jar.to_send("http://permis.localhost:9090/") == "__Host-x=1"
    assert jar.to_send("http://subventions.localhost:8080/") == ""


def test_secure_cookies_stay_off_plain_http_elsewhere() -> None:
    jar = Jar()
    jar.receive("http://127.0.0.2/", ["x=1; Secure"])
    assert jar.refused
    jar.receive("http://127.0.0.2/", ["x=1"])
    assert jar.to_send("http://127.0.0.2/") == "x=1"


def test_a_cross_site_post_carries_no_lax_cookie() -> None:
    jar = Jar()
    jar.receive(HERE, ["lax=1", "open=1; SameSite=None; Secure"])
    assert jar.to_send(HERE, cross_site_post=True) == "open=1"


@pytest.mark.parametrize("end", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_cookie_ends(end: str) -> None:
    jar = Jar()
    jar.receive(HERE, ["x=1"])
    jar.receive(HERE, [f"x=; {end}"])
    assert jar.to_send(HERE) == ""


def test_the_path_of_a_cookie() -> None:
    jar = Jar()
    jar.receive(HERE, ["x=1; Path=/a"])
    assert jar.to_send("http://permis.localhost/a") == "x=1"
    assert jar.to_send("http://permis.localhost/a/c") == "x=1"
    assert jar.to_send("http://permis.localhost/ab") == ""
