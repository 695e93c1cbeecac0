"""An address before there is a provider file: each thing that may be there, and each that may not."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.federation.first_look import OpenidLook, ProviderReach, SamlLook, look_at
from gateway.model.codes import login_codes, oidc_codes, saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.oidc.discovery import WELL_KNOWN
from tests.federation.servers import running_op, web_server
from tests.saml.metadata_samples import SHIBBOLETH, entity, signed_with_its_key
from tests.saml.parties import IDP

HERE = ProviderReach(development=True)
HTML = ("text/html", b"<!DOCTYPE html><html><title>Sign in</title></html>")


@asynccontextmanager
async def serving(**pages: tuple[str, bytes]) -> AsyncIterator[str]:
    """`pages`: by name of a path, the content type and the content; any other is 404. Yields the origin."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        page = pages.get(request.path.strip("/"))
        return web.Response(status=404) if page is None else web.Response(content_type=page[0], body=page[1])

    async with web_server(answer) as port:
        yield f"http://127.0.0.1:{port}"


async def refusal(address: str, reach: ProviderReach = HERE, entity_id: str = "") -> tuple[Code, str]:
    with pytest.raises(GatewayError) as refused:
        await look_at(address, reach, entity_id)
    return refused.value.code, refused.value.detail


# --- what is found ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "/", WELL_KNOWN])
async def test_an_issuer_or_its_document(end: str) -> None:
    async with running_op() as op:
        op.metadata = {"claims_supported": ["email"], "issuer": op.issuer}
        look = await look_at(op.issuer + end, HERE)
    assert isinstance(look, OpenidLook)
    assert (look.metadata.issuer, look.announcement.claims) == (op.issuer, ("email",))
    assert len(look.keys.keys) == 1


async def test_an_issuer_with_a_slash_at_its_end_has_the_same_document() -> None:
    async with running_op() as op:
        op.metadata = {"issuer": f"{op.issuer}/"}
        look = await look_at(op.issuer, HERE)
    assert isinstance(look, OpenidLook)
    assert look.metadata.issuer == f"{op.issuer}/"


@pytest.mark.parametrize("kind", ["application/samlmetadata+xml", "text/xml", "application/octet-stream"])
async def test_metadata_of_saml_whatever_their_content_type(kind: str) -> None:
    async with serving(idp=(kind, SHIBBOLETH.encode())) as origin:
        look = await look_at(f"{origin}/idp", HERE)
    assert isinstance(look, SamlLook)
    assert look.offer.metadata.entity_id == IDP
    assert look.document == SHIBBOLETH.encode()


# --- what is not ------------------------------------------------------------------------------------------------------


async def test_an_issuer_that_is_not_the_one_of_the_address() -> None:
    async with running_op() as op:
        op.metadata = {"issuer": "https://login.example/{tenantid}/v2.0"}
        code, detail = await refusal(op.issuer)
    assert code is oidc_codes.DISCOVERY_ISSUER
    assert detail == f'discovery document: issuer "https://login.example/{{tenantid}}/v2.0", not "{op.issuer}"'


async def test_a_page_for_people() -> None:
    async with serving(**{"": HTML, WELL_KNOWN.strip("/"): HTML}) as origin:
        code, detail = await refusal(origin)
    assert code is oidc_codes.DISCOVERY
    assert 'no SAML metadata there (status 200, "text/html")' in detail
    assert 'content type "text/html", not application/json' in detail


async def test_a_redirect_is_told_and_not_followed() -> None:
    asked: list[str] = []

    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "https://evil.example/here"})

    async with web_server(elsewhere) as port:
        code, detail = await refusal(f"http://127.0.0.1:{port}/realms/agents")
        assert code is oidc_codes.DISCOVERY
        assert 'a redirect to "https://evil.example/here", which is not followed' in detail
        assert 'redirects to "https://evil.example/here"; a redirect is not followed' in detail
        assert asked == ["/realms/agents", f"/realms/agents{WELL_KNOWN}"]


async def test_a_redirect_of_the_keys_is_told_too() -> None:
    async def keys_elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == WELL_KNOWN:
            document = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), f"{origin}/x")
            return web.json_response({"issuer": origin, **document})
        return web.Response(status=307, headers={"Location": "https://evil.example/keys"})

    async with web_server(keys_elsewhere) as port:
        origin = f"http://127.0.0.1:{port}"
        code, detail = await refusal(origin + WELL_KNOWN)
    assert code is oidc_codes.JWKS
    assert detail.endswith('redirects to "https://evil.example/keys"; a redirect is not followed')


async def test_a_hundred_megabytes_are_not_read() -> None:
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        await response.prepare(request)
        try:
            for _ in range(1600):
                await response.write(b"<EntityDescriptor>" + b" " * 65518)
                sent += 65536
        except ConnectionError:
            pass
        return response

    async with web_server(endless) as port:
        code, detail = await refusal(f"http://127.0.0.1:{port}/metadata")
        assert code is oidc_codes.ANSWER
        assert detail.startswith("address: over 2097152 bytes; the metadata of one provider are smaller")
    assert sent < 32 << 20


async def test_an_entity_that_is_not_there_or_was_changed() -> None:
    document = signed_with_its_key(entity())
    async with serving(idp=("text/xml", document), forged=("text/xml", document.replace(b"/sso", b"/evil"))) as origin:
        assert (await refusal(f"{origin}/idp", entity_id="https://other.example"))[0] is saml_codes.METADATA_ENTITY
        assert (await refusal(f"{origin}/forged"))[0] is saml_codes.METADATA_SIGNATURE


async def test_metadata_that_have_run_out() -> None:
    late = entity(attributes='validUntil="2020-01-01T00:00:00Z"').encode()
    async with serving(idp=("text/xml", late)) as origin:
        assert (await refusal(f"{origin}/idp"))[0] is saml_codes.METADATA_EXPIRED


async def test_endpoints_by_http_and_a_private_address() -> None:
    async with serving(idp=("text/xml", entity().replace("https://idp", "http://idp").encode())) as origin:
        reach = ProviderReach(private_addresses=True)
        assert (await refusal(f"{origin}/idp", reach))[0] is saml_codes.METADATA_ENDPOINT
        code, detail = await refusal(f"{origin}/idp", ProviderReach())
    assert code is oidc_codes.ADDRESS
    assert detail.endswith("which is private; the provider file may say private_addresses: true")


async def test_nobody_answers() -> None:
    async with running_op() as op:
        address = op.issuer
    assert (await refusal(address))[0] is login_codes.PROVIDER_UNREACHABLE


async def test_a_document_that_two_readers_would_read_differently() -> None:
    twice = json.dumps({"issuer": "https://a.example"})[:-1].encode() + b', "issuer": "https://b.example"}'
    async with serving(**{WELL_KNOWN.strip("/"): ("application/json", twice)}) as origin:
        code, detail = await refusal(origin + WELL_KNOWN)
    assert code is oidc_codes.DISCOVERY
    assert "an object has one member twice" in detail
