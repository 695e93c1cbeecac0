"""A PHP application that writes absolute addresses as it knows itself: each of them leads to the public address."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from deploy.demo.ports import free
from tests.interop.servers import HERE, php
from tests.proxy.gateways import Gateway, ask, gateway

pytestmark = pytest.mark.service

PUBLIC = "http://permis.localhost:8080"
INSIDE = "intranet.ville.example"
APP = """rewrite: {headers: true, bodies: true}
responses: {banners: false, add: {X-Content-Type-Options: nosniff}}
"""


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gateway]:
    (port,) = free(1)
    with php(tmp_path, port, HERE / "php/links.php"):
        async with gateway(port, app=APP, upstream=f"host: {INSIDE}") as here:
            yield here


async def test_every_link_of_a_page_leads_to_the_public_address(gate: Gateway) -> None:
    page = await gate.once(ask(b"GET /public/menu", b"Accept-Encoding: gzip", b"Range: bytes=0-9"))
    text = page.body.decode("latin-1")
    assert page.status == 200
    assert INSIDE not in text
    assert re.findall(r'href="(http[^"]*)"', text) == [f"{PUBLIC}/public/menu?row={row}" for row in range(300)]
    assert text.count("Dossier n° ") == 300, "what is no address is as it was"
    assert f'"{PUBLIC}/public/menu"'.replace("/", "\\/") in text
    assert unquote(re.findall(r"\?to=([^\"]*)", text)[0]) == f"{PUBLIC}/public/api"
    assert page.values(b"ETag") == [b'W/"menu"']
    assert (page.values(b"X-Powered-By"), page.values(b"X-Content-Type-Options")) == ([], [b"nosniff"])


async def test_a_walk_along_a_redirect_a_cookie_and_an_api(gate: Gateway) -> None:
    first = await gate.once(ask(b"GET /public/enter"))
    assert first.values(b"Location") == [f"{PUBLIC}/public/menu".encode()]
    (cookie,) = first.values(b"Set-Cookie")
    assert cookie.startswith(b"panier=7")
    assert b"domain" not in cookie.lower()
    answer = await gate.once(ask(b"GET /public/api"))
    assert answer.body == b'{"next":"%b"}' % f"{PUBLIC}/public/menu".replace("/", "\\/").encode()
    head = await gate.once(ask(b"HEAD /public/menu", b"Connection: close"))
    assert head.values(b"Content-Length") == []
