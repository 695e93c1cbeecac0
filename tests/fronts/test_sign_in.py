"""A person signs in at a real provider through a front, which passes their requests on itself; and signs out."""

import json
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.browser_like import Person
from tests.fronts.fronts import SECRET, Ports, running_front
from tests.interop.installation import ACCOUNTS
from tests.interop.installation import SECRET as CLIENT_SECRET
from tests.interop.servers import php
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, through_provider
from tests.walks.gateway import Gateway
from tests.walks.place import Place

pytestmark = pytest.mark.service

HOST = "permis.localhost"
# The application's file names the header X-Remote-User, whatever the front.
WORDS = {"x_auth_request_user": "x_remote_user"}


@pytest.mark.parametrize("kind", ["nginx", "traefik", "envoy", "oauth2-proxy"])
async def test_from_the_first_page_to_the_sign_out(kind: str, tmp_path: Path) -> None:
    front, behind = free(2)
    place = Place(tmp_path / "gateway", settings={
        "trusted_proxies": "[127.0.0.1/32]", "forward_auth": "{secret: {file: ../certs/front.secret}, host: 127.0.0.1}",
    })  # fmt: skip
    (tmp_path / "gateway/certs/front.secret").write_bytes(SECRET + b"\n")
    client = {
        "client_id": "ecluse", "client_secret": CLIENT_SECRET,
        "redirect_uris": [place.portal("/_ecluse/callback/alpha")], "token_endpoint_auth_method": "client_secret_basic",
    }  # fmt: skip
    ports = Ports(front, place.port, behind)
    (tmp_path / "php").mkdir()
    with (
        OpenIdProvider([client], ACCOUNTS, claims={"rights": ["groups"]}) as provider,
        php(tmp_path / "php", behind),
        running_front(kind, tmp_path / kind, ports, HOST, WORDS),
    ):
        place.write_provider("alpha", provider.issuer, scopes="[openid, profile, email, rights]", userinfo="true")
        upstream = f"{{url: http://127.0.0.1:{behind}}}"
        place.write_app("permis", HOST, upstream=upstream, public=f"{{port: {front}}}", front=kind)
        gateway, person = Gateway(place), Person()
        await gateway.start()
        try:
            page = await person.step("GET", f"http://{HOST}:{front}/permis?x=1")
            while not page.location.startswith(provider.issuer):
                assert page.location, f"{page.status} {page.url}: {page.text[:500]}"
                page = await person.step("GET", page.location, initiator=page.url)
            async with browser() as at_provider:
                back = await through_provider(at_provider, page.location, provider.issuer, "helene")
            page = await person.follow(await person.step("GET", back, initiator=provider.issuer + "/"))
            assert (page.status, page.url) == (200, f"http://{HOST}:{front}/permis?x=1")
            told = {name: bytes.fromhex(value) for name, value in json.loads(page.text)["headers"].items()}
            assert told["HTTP_X_USER" if kind == "oauth2-proxy" else "HTTP_X_REMOTE_USER"] == b"helene"
            assert "HTTP_FORWARDED" not in told, "it came by the gateway"
            assert b"ecluse" not in told.get("HTTP_COOKIE", b"")
            out = await person.step("GET", f"http://{HOST}:{front}/_ecluse/logout", initiator=page.url)
            await person.follow(await person.submit(out, out.forms()[0]))
            page = await person.step("GET", f"http://{HOST}:{front}/permis", kind="script")
            assert page.status == (302 if kind == "oauth2-proxy" else 401)
            gateway.is_clean()
        finally:
            await person.close()
            await gateway.end()
