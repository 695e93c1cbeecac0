"""Whole sign-ins through oidc-provider, each with its own browser."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateway.federation.federation import Federation
from gateway.model.codes import (
    LOGIN_PROVIDER_REFUSED,
    OIDC_ID_TOKEN_ALGORITHM,
    OIDC_ID_TOKEN_NONCE,
    OIDC_RESPONSE_ISSUER,
    OIDC_TOKEN_REFUSED,
)
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization import (
    Parameters,
    authorization_request,
    process_authorization_response,
    response_state,
)
from gateway.oidc.id_token import IdToken
from tests.oidc.samples import provider
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, through_provider

pytestmark = pytest.mark.service

CALLBACK = "http://127.0.0.1:9/_ecluse/callback/metropole"
SECRET = "mot:de%passe+ &=/?" + "s" * 40
ACCOUNTS = {
    "helene": {"email": "helene@metropole.example", "family_name": "Lebœuf-Müller", "groups": ["ONDE", "élus"]},
    "paul": {"email": "paul@metropole.example", "groups": []},
}


def client(name: str, **metadata: object) -> dict[str, object]:
    return {"client_id": name, "client_secret": SECRET, "redirect_uris": [CALLBACK], **metadata}


CLIENTS: list[dict[str, object]] = [
    client("basic", token_endpoint_auth_method="client_secret_basic"),
    client("post", token_endpoint_auth_method="client_secret_post"),
    {"client_id": "public", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"},
    client("es256", id_token_signed_response_alg="ES256"),
    client("eddsa", id_token_signed_response_alg="EdDSA"),
    client("ps256", id_token_signed_response_alg="PS256"),
]


@pytest.fixture(scope="module")
def op() -> Iterator[OpenIdProvider]:
    with OpenIdProvider(CLIENTS, ACCOUNTS, claims={"groups": ["groups"]}) as running:
        yield running


@pytest.fixture
async def federation() -> AsyncIterator[Federation]:
    made = Federation()
    yield made
    await made.close()


def of(op: OpenIdProvider, client_id: str = "basic", **changes: Any) -> OidcProvider:
    method = {"post": "client_secret_post", "public": "none"}.get(client_id, "client_secret_basic")
    return replace(
        provider(
            issuer=op.issuer,
            client_id=client_id,
            client_secret=None if client_id == "public" else SECRET,
            client_authentication=method,
            scopes=("openid", "profile", "email", "groups"),
            development=True,
        ),
        **changes,
    )


def new_login() -> OidcLogin:
    return OidcLogin(
        provider="metropole",
        nonce=secrets.token_urlsafe(32),
        code_verifier=secrets.token_urlsafe(32),
        redirect_uri=CALLBACK,
        binding="b" * 64,
        transaction=None,
        created_at=int(time.time()),
    )


async def callback(federation: Federation, to: OidcProvider, login: OidcLogin, person: str | None) -> Parameters:
    """What the browser brings back to the callback."""
    state = secrets.token_urlsafe(32)
    request = authorization_request(to, await federation.metadata(to), login, state)
    async with browser() as session:
        back = await through_provider(session, request, to.issuer, person)
    assert back.startswith(CALLBACK + "?")
    parameters = parse_qsl(urlsplit(back).query)
    assert response_state(parameters) == state
    return parameters


async def sign_in(
    federation: Federation, to: OidcProvider, person: str | None = "helene"
) -> tuple[IdToken, dict[str, object]]:
    login = new_login()
    parameters = await callback(federation, to, login, person)
    code = process_authorization_response(to, await federation.metadata(to), login, parameters)
    id_token, claims = await federation.sign_in(to, code, login, time.time())
    return id_token, dict(claims)


@pytest.mark.parametrize("client_id", ["basic", "post", "public", "es256", "eddsa", "ps256"])
async def test_a_person_signs_in(op: OpenIdProvider, federation: Federation, client_id: str) -> None:
    id_token, claims = await sign_in(federation, of(op, client_id))
    assert (id_token.issuer, id_token.subject) == (op.issuer, "helene")
    assert claims["family_name"] == "Lebœuf-Müller"
    assert claims["groups"] == ["ONDE", "élus"]
    assert claims["aud"] == client_id


async def test_ten_people_sign_in_at_once(op: OpenIdProvider, federation: Federation) -> None:
    people = ["helene", "paul"] * 5
    results = await asyncio.gather(*(sign_in(federation, of(op), person) for person in people))
    assert [id_token.subject for id_token, _ in results] == people
    assert all(claims["email"] == f"{id_token.subject}@metropole.example" for id_token, claims in results)


async def test_a_person_who_cancels_is_refused_by_the_provider(op: OpenIdProvider, federation: Federation) -> None:
    with pytest.raises(GatewayError) as refused:
        await sign_in(federation, of(op), None)
    assert refused.value.code is LOGIN_PROVIDER_REFUSED
    assert refused.value.detail == '"access_denied": "End-User aborted interaction"'


async def test_a_code_is_redeemed_once(op: OpenIdProvider, federation: Federation) -> None:
    to, login = of(op), new_login()
    code = process_authorization_response(
        to, await federation.metadata(to), login, await callback(federation, to, login, "helene")
    )
    await federation.sign_in(to, code, login, time.time())
    with pytest.raises(GatewayError) as refused:
        await federation.sign_in(to, code, login, time.time())
    assert refused.value.code is OIDC_TOKEN_REFUSED
    assert "invalid_grant" in refused.value.detail


@pytest.mark.parametrize(
    ("login_changes", "provider_changes", "code"),
    [
        ({"nonce": "another" * 6}, {}, OIDC_ID_TOKEN_NONCE),
        ({"code_verifier": "another" * 7}, {}, OIDC_TOKEN_REFUSED),
        ({"redirect_uri": CALLBACK + "x"}, {}, OIDC_TOKEN_REFUSED),
        ({}, {"client_secret": "wrong"}, OIDC_TOKEN_REFUSED),
        ({}, {"algorithms": frozenset({"ES256"})}, OIDC_ID_TOKEN_ALGORITHM),
    ],
)
async def test_what_does_not_belong_together_signs_nobody_in(
    op: OpenIdProvider,
    federation: Federation,
    login_changes: dict[str, Any],
    provider_changes: dict[str, Any],
    code: object,
) -> None:
    to, login = of(op), new_login()
    answer = process_authorization_response(
        to, await federation.metadata(to), login, await callback(federation, to, login, "helene")
    )
    changed = of(op, **provider_changes)
    with pytest.raises(GatewayError) as refused:
        await federation.sign_in(changed, answer, replace(login, **login_changes), time.time())
    assert refused.value.code is code


async def test_an_answer_of_another_provider_is_refused(op: OpenIdProvider, federation: Federation) -> None:
    with OpenIdProvider(CLIENTS, ACCOUNTS) as other:
        to, elsewhere, login = of(op), of(other), new_login()
        parameters = await callback(federation, elsewhere, login, "helene")
        with pytest.raises(GatewayError) as refused:
            process_authorization_response(to, await federation.metadata(to), login, parameters)
        assert refused.value.code is OIDC_RESPONSE_ISSUER
