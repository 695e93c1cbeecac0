"""The preset `proconnect` against a provider with ProConnect's habits, one by one."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import ClientSession

from gateway.federation.federation import Federation
from gateway.identity.mapping import map_claims
from gateway.identity.perimeter import check, tenant_of
from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.provider import OidcProvider, Perimeter
from gateway.oidc.end_session import end_session_request
from gateway.oidc.id_token import IdToken
from tests.config.samples import PLAIN_APP, sample_snapshot
from tests.federation.test_real_provider import CALLBACK, new_login
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, confirm_sign_out, through_provider

pytestmark = pytest.mark.service

FILE = """\
version: 1
provider: metropole
preset: proconnect
oidc:
  issuer: ISSUER
  client_id: ecluse
  client_secret: {file: ../certs/metropole.secret}
attributes:
  chorus: ["chorusdt:matricule"]
"""
BACK = "http://127.0.0.1:9/_ecluse/logged-out"
SECRET = "metropole-secret-of-the-tests-0123456789"
HELENE = {
    "given_name": "Hélène",
    "usual_name": "Lebœuf-Müller",
    "email": "helene@metropole.example",
    "uid": "helene",
    "siret": "21590350100017",
    "idp_id": "71144ab3-ee1a-4401-b7b3-79b44f7daeeb",
    "idp_acr": "eidas2",
    "roles": ["agent_public", "agent_public_territorial"],
    "organization_label": "Commune de Lille",
    "chorusdt:matricule": "USER_AAC",
}
KNOWN = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "claims", "prompt", "idp_hint"),
    *("login_hint", "siret_hint", "acr_values", "code_challenge", "code_challenge_method"),
)


@pytest.fixture(scope="module")
def op() -> Iterator[OpenIdProvider]:
    client = {
        "client_id": "ecluse",
        "client_secret": SECRET,
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [BACK],
        "token_endpoint_auth_method": "client_secret_post",
        "userinfo_signed_response_alg": "RS256",
    }
    scopes = ["given_name", "usual_name", "uid", "siret", "idp_id", "idp_acr", "roles", "organization_label"]
    with OpenIdProvider(
        [client],
        {"helene": HELENE, "paul": {**HELENE, "uid": "paul"}},
        claims={**{scope: [scope] for scope in scopes}, "chorusdt": ["chorusdt:matricule"], "amr": None},
        features={"jwtUserinfo": {"enabled": True}, "claimsParameter": {"enabled": True}},
        options={"clientAuthMethods": ["client_secret_post"], "acrValues": ["eidas1", "eidas2"]},
        levels={"helene": {"acr": "eidas2", "amr": ["pwd", "otp"]}, "paul": {"acr": "eidas1", "amr": ["pwd"]}},
        only=KNOWN,
        deaf=("prompt", "acr_values"),
    ) as running:
        yield running


@pytest.fixture
async def federation() -> AsyncIterator[Federation]:
    made = Federation()
    yield made
    await made.close()


def proconnect(op: OpenIdProvider, more: str = "", **changes: Any) -> OidcProvider:
    text = FILE.replace("ISSUER", op.issuer).replace("  client_id", f"{more}  client_id")
    provider = sample_snapshot({"providers/metropole.yaml": text, "apps/permis.yaml": PLAIN_APP}).providers["metropole"]
    assert isinstance(provider, OidcProvider)
    return replace(provider, **changes)


async def answered(
    federation: Federation, at: ClientSession, to: OidcProvider, login: Any, person: str
) -> list[tuple[str, str]]:
    url = await federation.authorization_url(to, login, secrets.token_urlsafe(32), {}, time.time())
    return parse_qsl(urlsplit(await through_provider(at, url, to.issuer, person)).query)


async def sign_in(
    federation: Federation, to: OidcProvider, person: str = "helene", at: ClientSession | None = None
) -> tuple[IdToken, Identity]:
    login = new_login()
    async with browser() as own:
        parameters = await answered(federation, at or own, to, login, person)
    code = await federation.authorization_code(to, login, parameters, time.time())
    token, claims = await federation.sign_in(to, code, login, time.time())
    return token, map_claims(to, claims, token.acr, token.amr, token.auth_time, int(time.time()))


async def test_the_secret_goes_in_the_body_and_no_other_way_is_taken(
    op: OpenIdProvider, federation: Federation
) -> None:
    assert proconnect(op).client_authentication == "client_secret_post"
    await sign_in(federation, proconnect(op))
    with pytest.raises(GatewayError) as refused:
        await sign_in(federation, proconnect(op, client_authentication="client_secret_basic"))
    assert refused.value.code is oidc_codes.TOKEN_REFUSED


async def test_userinfo_is_signed_and_json_is_not_waited_for(op: OpenIdProvider, federation: Federation) -> None:
    with pytest.raises(GatewayError) as refused:
        await sign_in(federation, proconnect(op, userinfo_algorithms=frozenset()))
    assert refused.value.code is oidc_codes.USERINFO_FORM


async def test_who_a_person_is_comes_from_userinfo_alone(op: OpenIdProvider, federation: Federation) -> None:
    token, identity = await sign_in(federation, proconnect(op))
    assert not {"email", "usual_name", "siret", "uid", "idp_id"} & token.claims.keys()
    assert identity.attributes["mail"] == ("helene@metropole.example",)


async def test_the_family_name_is_called_usual_name(op: OpenIdProvider, federation: Federation) -> None:
    _, identity = await sign_in(federation, proconnect(op))
    assert identity.attributes["family_name"] == ("Lebœuf-Müller",)


async def test_the_siret_is_the_tenant(op: OpenIdProvider, federation: Federation) -> None:
    _, identity = await sign_in(federation, proconnect(op))
    assert tenant_of(proconnect(op), identity) == "21590350100017"


async def test_the_identity_provider_behind_it_is_named(op: OpenIdProvider, federation: Federation) -> None:
    _, identity = await sign_in(federation, proconnect(op))
    assert identity.attributes["idp_id"] == ("71144ab3-ee1a-4401-b7b3-79b44f7daeeb",)
    assert identity.attributes["roles"] == ("agent_public", "agent_public_territorial")


async def test_a_claim_may_have_a_colon_in_its_name(op: OpenIdProvider, federation: Federation) -> None:
    scopes = (*proconnect(op).scopes, "chorusdt")
    _, identity = await sign_in(federation, proconnect(op, scopes=scopes))
    assert identity.attributes["chorus"] == ("USER_AAC",)


async def test_the_answer_names_its_issuer(op: OpenIdProvider, federation: Federation) -> None:
    to, login = proconnect(op), new_login()
    async with browser() as at:
        parameters = await answered(federation, at, to, login, "helene")
    assert dict(parameters)["iss"] == op.issuer
    with pytest.raises(GatewayError) as refused:
        await federation.authorization_code(to, login, [pair for pair in parameters if pair[0] != "iss"], time.time())
    assert refused.value.code is oidc_codes.RESPONSE_ISSUER


async def test_no_parameter_is_sent_that_it_would_refuse(op: OpenIdProvider, federation: Federation) -> None:
    with pytest.raises(AssertionError, match="Y000400: kc_idp_hint"):
        await sign_in(federation, proconnect(op, "  request: {parameters: {kc_idp_hint: x}}\n"))
    await sign_in(federation, proconnect(op, "  request: {parameters: {idp_hint: x}}\n"))


async def test_prompt_login_asks_nobody_anew(op: OpenIdProvider, federation: Federation) -> None:
    async with browser() as at:
        first, _ = await sign_in(federation, proconnect(op), at=at)
        await asyncio.sleep(1.1)
        again, _ = await sign_in(federation, proconnect(op, "  request: {prompt: [login]}\n"), at=at)
    assert again.auth_time == first.auth_time


async def test_amr_comes_where_it_is_asked_for(op: OpenIdProvider, federation: Federation) -> None:
    token, _ = await sign_in(federation, proconnect(op))
    assert token.amr == ("pwd", "otp")


DEMAND = "  request: {claims: {id_token: {acr: {essential: true, values: [eidas2, eidas3]}}}}\n"


async def test_a_level_is_demanded_by_an_essential_claim_and_checked(
    op: OpenIdProvider, federation: Federation
) -> None:
    to = proconnect(op, DEMAND)
    assert to.request.claims == '{"id_token":{"acr":{"essential":true,"values":["eidas2","eidas3"]},"amr":null}}'
    token, _ = await sign_in(federation, to)
    assert token.acr == "eidas2"
    # What it was not asked for in this way, it does not heed; the check does not rest on that it was.
    believing = proconnect(op, "  request: {acr_values: [eidas2]}\n")
    believing = replace(believing, request=replace(believing.request, essential_acr=to.request.essential_acr))
    with pytest.raises(GatewayError) as refused:
        await sign_in(federation, believing, "paul")
    assert refused.value.code is oidc_codes.ID_TOKEN_ACR


async def test_its_keys_are_of_two_kinds_and_of_a_media_type_of_their_own(
    op: OpenIdProvider, federation: Federation
) -> None:
    metadata = await federation.metadata(proconnect(op))
    async with aiohttp.request("GET", metadata.jwks_uri) as answer:
        kinds = {key["kty"] for key in (await answer.json(content_type=None))["keys"]}
        assert (answer.content_type, {"RSA", "EC"} <= kinds) == ("application/jwk-set+json", True)
    assert (await federation.keys(proconnect(op))).left_out == ()


async def test_the_organisation_that_it_names_is_believed_within_the_file_alone(
    op: OpenIdProvider, federation: Federation
) -> None:
    """Where a person's provider sends no SIRET, or a bad one, it puts the provider's default in its place."""
    _, identity = await sign_in(federation, proconnect(op))
    for siret, accepted in (("21590350100017", True), ("13002526500013", False)):
        narrow = proconnect(op, perimeter=Perimeter(siret=frozenset({siret})))
        if accepted:
            check(narrow, identity)
        else:
            with pytest.raises(GatewayError) as refused:
                check(narrow, identity)
            assert refused.value.code is login_codes.OUTSIDE_PERIMETER


async def test_a_person_is_known_by_issuer_and_sub_not_by_uid(op: OpenIdProvider, federation: Federation) -> None:
    """`uid` is unique within one identity provider behind it only."""
    (_, helene), (_, paul) = [await sign_in(federation, proconnect(op), who) for who in ("helene", "paul")]
    assert helene.issuer == paul.issuer == op.issuer
    assert helene.subject != paul.subject


async def test_a_session_is_over_when_its_own_is(op: OpenIdProvider) -> None:
    assert proconnect(op).session_absolute == 12 * 3600


async def test_signing_out_goes_by_address_with_hint_and_state_and_comes_back(
    op: OpenIdProvider, federation: Federation
) -> None:
    to, state = proconnect(op), secrets.token_urlsafe(32)
    assert to.logout.method == "get"
    async with browser() as at:
        token, _ = await sign_in(federation, to, at=at)
        asked = end_session_request(to, await federation.metadata(to), token.raw, state, BACK)
        assert asked is not None
        assert [name for name, _ in asked.fields] == ["id_token_hint", "post_logout_redirect_uri", "state"]
        assert await confirm_sign_out(at, asked.as_address) == f"{BACK}?state={state}"
        assert "/interaction/" in (await answered_page(federation, at, to)), "it asks for a sign-in again"


async def answered_page(federation: Federation, at: ClientSession, to: OidcProvider) -> str:
    url = await federation.authorization_url(to, new_login(), secrets.token_urlsafe(32), {}, time.time())
    async with at.get(url) as page:
        return str(page.url)
