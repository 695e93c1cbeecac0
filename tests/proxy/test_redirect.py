"""A listener for who typed no scheme: it leads to https, and serves nothing."""

import pytest

from tests.proxy.applications import application
from tests.proxy.certificates import client_side, server_side
from tests.proxy.gateways import SIGNED_IN, ask, gateway

HTTPS = "public: {scheme: https, port: 8443}\n"
HSTS = b"Strict-Transport-Security"


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"DELETE"])
async def test_every_request_is_led_to_the_same_address_by_https(method: bytes) -> None:
    async with application() as behind, gateway(behind, app=HTTPS, redirects="all") as gate:
        told = await gate.once(ask(method + b" /admin/a%20b?c=d", gate.sign_in(uid="jdupont")))
        assert (told.status, told.values(b"Location")) == (308, [b"https://permis.localhost:8443/admin/a%20b?c=d"])
        assert told.values(b"Connection") == [b"close"]
        assert behind.requests == []


@pytest.mark.parametrize("path", [b"/_ecluse/logout", b"/_ecluse/callback/metropole?code=c&state=s"])
async def test_our_own_paths_begin_and_end_nothing_there(path: bytes) -> None:
    async with application() as behind, gateway(behind, app=HTTPS, redirects="all") as gate:
        told = await gate.once(ask(b"GET " + path, SIGNED_IN))
        assert (told.status, told.values(b"Location")) == (308, [b"https://permis.localhost:8443" + path])
        assert gate.portal.asked == []


async def test_a_host_that_is_not_ours_is_led_nowhere() -> None:
    async with application() as behind, gateway(behind, app=HTTPS, redirects="all") as gate:
        for host in (b"evil.example", b"evil.example:443", b"permis.localhost@evil.example"):
            told = await gate.once(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
            assert told.status in (400, 421)
            assert told.values(b"Location") == []


async def test_what_is_not_served_by_https_is_led_nowhere() -> None:
    async with application() as behind, gateway(behind, redirects="all") as gate:
        assert (await gate.once(ask(b"GET /public/a"))).status == 421


async def test_a_target_of_two_readings_is_400_there_too() -> None:
    async with application() as behind, gateway(behind, app=HTTPS, redirects="all") as gate:
        for target in (b"//evil.example/", b"/a/../b", b"/%2e%2e/", b"/a\\b"):
            told = await gate.once(ask(b"GET " + target))
            assert (told.status, told.values(b"Location")) == (400, [])


async def test_beside_https_what_is_public_by_http_is_served_where_the_file_asks_for_nothing_else() -> None:
    """Of the listener that redirects by itself: the application's file has said otherwise."""
    async with application() as behind, gateway(behind, redirects="https") as gate:
        assert (await gate.once(ask(b"GET /public/a"))).body == b"ok"
    async with application() as behind, gateway(behind, app=HTTPS, redirects="https") as gate:
        told = await gate.once(ask(b"GET /public/a"))
        assert (told.status, told.values(b"Location")) == (308, [b"https://permis.localhost:8443/public/a"])
        assert not behind.requests


async def test_our_own_answers_say_how_long_https_is_to_be_kept_and_by_https_alone() -> None:
    for app, settings, expected in (
        (HTTPS, "hsts: 180d\n", [b"max-age=15552000"]),
        (HTTPS, "", []),
        # Its file says that it goes back to http, or that browsers come by http.
        (HTTPS + "responses: {end_hsts: true}\n", "hsts: 180d\n", []),
        ("", "hsts: 180d\n", []),
    ):
        async with application() as behind, gateway(behind, app=app, gateway=settings, tls=server_side()) as gate:
            client = await gate.client(client_side())
            assert (await client.ask(ask(b"GET /admin/"))).values(HSTS) == expected
    async with application() as behind, gateway(behind, app=HTTPS, gateway="hsts: 180d\n") as gate:
        assert (await gate.once(ask(b"GET /admin/"))).values(HSTS) == []
