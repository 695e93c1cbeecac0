"""Whole sign-ins through oidc-provider, each with its own browser."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import trustme

from gateway.federation.federation import Federation
from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import (
    AuthorizationParameters,
    ClientAuthentication,
    ClientCertificate,
    Encryption,
    EncryptionAlgorithm,
    OidcProvider,
    SigningAlgorithm,
)
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization import (
    Parameters,
    process_authorization_response,
    response_state,
    unverified_parameters,
)
from gateway.oidc.client_keys import jwk_set
from gateway.oidc.id_token import IdToken
from gateway.oidc.refresh import Held, Renewed
from tests.oidc.samples import PROVIDER, own_key, provider
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, through_provider
from tests.stores.samples import Heard

pytestmark = pytest.mark.service

CALLBACK = "http://127.0.0.1:9/_ecluse/callback/metropole"
SECRET = "mot:de%passe+ &=/?" + "s" * 40
SCOPES = ["openid", "profile", "email", "groups", "offline_access"]
GRANTS = ["authorization_code", "refresh_token"]
ALGORITHMS: tuple[SigningAlgorithm, ...] = ("RS256", "PS256", "ES256")
OPENING: tuple[EncryptionAlgorithm, ...] = ("RSA-OAEP-256", "ECDH-ES")
METHODS: dict[str, ClientAuthentication] = {
    "post": "client_secret_post",
    "public": "none",
    "secret-jwt": "client_secret_jwt",
    **{f"key-{algorithm}": "private_key_jwt" for algorithm in ALGORITHMS},
    "certificate": "tls_client_auth",
}
AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("ecluse.example")
OF_THE_PROVIDER = AUTHORITY.issue_cert("127.0.0.1")
TLS = {
    "cert": OF_THE_PROVIDER.cert_chain_pems[0].bytes().decode(),
    "key": OF_THE_PROVIDER.private_key_pem.bytes().decode(),
    "ca": AUTHORITY.cert_pem.bytes().decode(),
}
HINTS = {"login_hint": "helene", "not_asked_for": "x"}
ACCOUNTS = {
    "helene": {"email": "helene@metropole.example", "family_name": "Lebœuf-Müller", "groups": ["ONDE", "élus"]},
    "paul": {"email": "paul@metropole.example", "groups": []},
}


def client(name: str, **metadata: object) -> dict[str, object]:
    return {"client_id": name, "client_secret": SECRET, "redirect_uris": [CALLBACK], "grant_types": GRANTS, **metadata}


CLIENTS: list[dict[str, object]] = [
    client("basic", token_endpoint_auth_method="client_secret_basic"),
    client("post", token_endpoint_auth_method="client_secret_post"),
    {"client_id": "public", "redirect_uris": [CALLBACK], "grant_types": GRANTS, "token_endpoint_auth_method": "none"},
    client("es256", id_token_signed_response_alg="ES256"),
    client("eddsa", id_token_signed_response_alg="EdDSA"),
    client("ps256", id_token_signed_response_alg="PS256"),
    client("hs256", id_token_signed_response_alg="HS256"),
    client("userinfo-RS256", userinfo_signed_response_alg="RS256"),
    client("userinfo-ES256", userinfo_signed_response_alg="ES256"),
    *(
        client(
            f"encrypted-{alg}",
            id_token_encrypted_response_alg=alg,
            id_token_encrypted_response_enc="A256GCM",
            userinfo_signed_response_alg="RS256",
            userinfo_encrypted_response_alg=alg,
            userinfo_encrypted_response_enc="A256GCM",
            jwks=jwk_set([own_key(alg)]),
        )
        for alg in OPENING
    ),
    client("secret-jwt", token_endpoint_auth_method="client_secret_jwt"),
    *(
        {
            "client_id": f"key-{key.algorithm}",
            "redirect_uris": [CALLBACK],
            "grant_types": GRANTS,
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": jwk_set([key]),
        }
        for key in map(own_key, ALGORITHMS)
    ),
    {
        "client_id": "certificate",
        "redirect_uris": [CALLBACK],
        "grant_types": GRANTS,
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "ecluse.example",
    },
]


@pytest.fixture(scope="module")
def op() -> Iterator[OpenIdProvider]:
    authentication = {"clientAuthMethods": ["client_secret_basic", *METHODS.values()]}
    groups = {"groups": ["groups"]}
    named = (
        "jwtUserinfo",
        "encryption",
        "pushedAuthorizationRequests",
        "requestObjects",
        "jwtResponseModes",
        "revocation",
    )
    features = {name: {"enabled": True} for name in (*named, "claimsParameter")}
    enabled = {
        "userinfoSigningAlgValues": ["RS256", "ES256"],
        "idTokenSigningAlgValues": ["RS256", "ES256", "PS256", "EdDSA", "HS256"],
        **{f"{of}EncryptionAlgValues": OPENING for of in ("idToken", "userinfo")},
        **{f"{of}EncryptionEncValues": ["A256GCM"] for of in ("idToken", "userinfo")},
    }
    options = {**authentication, "enabledJWA": enabled, "scopes": SCOPES}
    with OpenIdProvider(CLIENTS, ACCOUNTS, claims=groups, features=features, tls=TLS, options=options) as running:
        yield running


@pytest.fixture
async def federation() -> AsyncIterator[Federation]:
    made = Federation()
    yield made
    await made.close()


def of(op: OpenIdProvider, client_id: str = "basic", **changes: Any) -> OidcProvider:
    method = METHODS.get(client_id, "client_secret_basic")
    with_secret = method.startswith("client_secret")
    pair = (CERTIFICATE.cert_chain_pems[0].bytes(), CERTIFICATE.private_key_pem.bytes())
    return replace(
        provider(
            issuer=op.issuer,
            client_id=client_id,
            client_secret=SECRET if with_secret else None,
            client_authentication=method,
            client_keys=tuple(own_key(key) for key in ALGORITHMS if client_id == f"key-{key}"),
            algorithms=frozenset({"HS256"}) if client_id == "hs256" else PROVIDER.algorithms,
            userinfo_algorithms=_of_userinfo(client_id),
            encryption=_encryption(client_id.removeprefix("encrypted-")),
            client_certificate=ClientCertificate(*pair) if method == "tls_client_auth" else None,
            ca=AUTHORITY.cert_pem.bytes(),
            scopes=("openid", "profile", "email", "groups"),
            development=True,
        ),
        **changes,
    )


def _of_userinfo(client_id: str) -> frozenset[str]:
    kind, _, algorithm = client_id.partition("-")
    return frozenset({"encrypted": {"RS256"}, "userinfo": {algorithm}}.get(kind, set()))


def _encryption(alg: str) -> Encryption | None:
    keys = tuple(own_key(one) for one in OPENING if one == alg)
    return Encryption(keys, frozenset({"A256GCM"}), id_token=True, userinfo=True) if keys else None


def new_login() -> OidcLogin:
    return OidcLogin(
        provider="metropole",
        nonce=secrets.token_urlsafe(32),
        code_verifier=secrets.token_urlsafe(32),
        redirect_uri=CALLBACK,
        binding="b" * 64,
        serves=None,
        created_at=int(time.time()),
    )


async def callback(federation: Federation, to: OidcProvider, login: OidcLogin, person: str | None) -> Parameters:
    """What the browser brings back to the callback."""
    state = secrets.token_urlsafe(32)
    request = await federation.authorization_url(to, login, state, HINTS, time.time())
    async with browser() as session:
        back = await through_provider(session, request, to.issuer, person)
    assert back.startswith(CALLBACK + "?")
    parameters = parse_qsl(urlsplit(back).query)
    assert response_state(unverified_parameters(parameters)) == state
    return parameters


async def sign_in(
    federation: Federation, to: OidcProvider, person: str | None = "helene"
) -> tuple[IdToken, dict[str, object]]:
    login = new_login()
    parameters = await callback(federation, to, login, person)
    code = await federation.authorization_code(to, login, parameters, time.time())
    id_token, claims = await federation.sign_in(to, code, login, time.time())
    return id_token, dict(claims)


@pytest.mark.parametrize("client_id", [str(client["client_id"]) for client in CLIENTS])
async def test_a_person_signs_in(op: OpenIdProvider, federation: Federation, client_id: str) -> None:
    id_token, claims = await sign_in(federation, of(op, client_id))
    assert (id_token.issuer, id_token.subject) == (op.issuer, "helene")
    assert claims["family_name"] == "Lebœuf-Müller"
    assert claims["groups"] == ["ONDE", "élus"]
    assert claims["aud"] == client_id


@pytest.mark.parametrize(
    ("client_id", "changes"),
    [
        ("secret-jwt", {"client_secret": "wrong" * 10}),
        ("key-RS256", {"client_keys": (own_key("RS256", "k2"),)}),
        ("certificate", {"client_certificate": None}),
    ],
)
async def test_a_client_that_cannot_prove_itself_is_refused(
    op: OpenIdProvider, federation: Federation, client_id: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(GatewayError) as refused:
        await sign_in(federation, of(op, client_id, **changes))
    assert refused.value.code is oidc_codes.TOKEN_REFUSED
    assert "invalid_client" in refused.value.detail


async def test_an_assertion_for_the_token_endpoint_is_taken_too(op: OpenIdProvider, federation: Federation) -> None:
    id_token, _ = await sign_in(federation, of(op, "key-ES256", assertion_audience="token_endpoint"))
    assert id_token.subject == "helene"


@pytest.mark.parametrize(
    ("client_id", "changes", "code"),
    [
        ("basic", {"userinfo_algorithms": frozenset({"RS256"})}, oidc_codes.USERINFO_FORM),
        ("userinfo-RS256", {"userinfo_algorithms": frozenset()}, oidc_codes.USERINFO_FORM),
        ("userinfo-RS256", {"userinfo_algorithms": frozenset({"ES256"})}, oidc_codes.ID_TOKEN_ALGORITHM),
        ("hs256", {"algorithms": frozenset({"RS256"})}, oidc_codes.ID_TOKEN_ALGORITHM),
        ("basic", {"encryption": _encryption("ECDH-ES")}, oidc_codes.ENCRYPTION),
        ("encrypted-ECDH-ES", {"encryption": _encryption("RSA-OAEP-256")}, oidc_codes.ENCRYPTION_ALGORITHM),
        ("encrypted-ECDH-ES", {"encryption": None}, oidc_codes.ID_TOKEN_FORM),
    ],
)
async def test_the_form_of_an_answer_is_the_pinned_one(
    op: OpenIdProvider, federation: Federation, client_id: str, changes: dict[str, Any], code: object
) -> None:
    with pytest.raises(GatewayError) as refused:
        await sign_in(federation, of(op, client_id, **changes))
    assert refused.value.code is code


CLAIMS = '{"id_token":{"family_name":null,"acr":null},"userinfo":{"given_name":{"essential":true}}}'
REQUESTS: dict[str, dict[str, Any]] = {
    "claims": {"claims": CLAIMS},
    "hint": {"passed_on": frozenset({"login_hint"})},
    "prompt": {"prompt": ("login", "consent")},
    "pushed": {"pushed": True},
    "signed": {"signed": True},
    "signed and pushed": {"signed": True, "pushed": True, "claims": CLAIMS},
    "query": {"response_mode": "query"},
    "jwt": {"response_mode": "jwt"},
    "query.jwt": {"response_mode": "query.jwt", "pushed": True},
}


@pytest.mark.parametrize("how", REQUESTS)
async def test_every_way_to_ask_is_understood(op: OpenIdProvider, federation: Federation, how: str) -> None:
    key = "key-ES256"
    id_token, claims = await sign_in(federation, of(op, key, request=AuthorizationParameters(**REQUESTS[how])))
    assert id_token.subject == "helene"
    assert claims["family_name"] == "Lebœuf-Müller"
    assert ("family_name" in id_token.claims) == ("claims" in REQUESTS[how])


async def test_a_fresh_sign_in_is_asked_for(op: OpenIdProvider, federation: Federation) -> None:
    to, login = of(op), replace(new_login(), max_age=0)
    code = await federation.authorization_code(to, login, await callback(federation, to, login, "helene"), time.time())
    id_token, _ = await federation.sign_in(to, code, login, time.time())
    assert id_token.auth_time is not None


async def test_a_signed_answer_is_not_taken_for_a_plain_one_nor_the_other_way(
    op: OpenIdProvider, federation: Federation
) -> None:
    plain, signed = of(op), of(op, request=AuthorizationParameters(response_mode="jwt"))
    for asked, believed, code in [
        (plain, signed, oidc_codes.RESPONSE_JWT),
        (signed, plain, oidc_codes.RESPONSE_ISSUER),
    ]:
        login = new_login()
        parameters = await callback(federation, asked, login, "helene")
        with pytest.raises(GatewayError) as refused:
            await federation.authorization_code(believed, login, parameters, time.time())
        assert refused.value.code is code


async def test_ten_people_sign_in_at_once(op: OpenIdProvider, federation: Federation) -> None:
    people = ["helene", "paul"] * 5
    results = await asyncio.gather(*(sign_in(federation, of(op), person) for person in people))
    assert [id_token.subject for id_token, _ in results] == people
    assert all(claims["email"] == f"{id_token.subject}@metropole.example" for id_token, claims in results)


async def test_a_person_who_cancels_is_refused_by_the_provider(op: OpenIdProvider, federation: Federation) -> None:
    with pytest.raises(GatewayError) as refused:
        await sign_in(federation, of(op), None)
    assert refused.value.code is login_codes.PROVIDER_REFUSED
    assert refused.value.detail == '"access_denied": "End-User aborted interaction"'


async def test_a_code_is_redeemed_once(op: OpenIdProvider, federation: Federation) -> None:
    to, login = of(op), new_login()
    code = process_authorization_response(
        to, await federation.metadata(to), login, await callback(federation, to, login, "helene")
    )
    await federation.sign_in(to, code, login, time.time())
    with pytest.raises(GatewayError) as refused:
        await federation.sign_in(to, code, login, time.time())
    assert refused.value.code is oidc_codes.TOKEN_REFUSED
    assert "invalid_grant" in refused.value.detail


@pytest.mark.parametrize(
    ("login_changes", "provider_changes", "code"),
    [
        ({"nonce": "another" * 6}, {}, oidc_codes.ID_TOKEN_NONCE),
        ({"code_verifier": "another" * 7}, {}, oidc_codes.TOKEN_REFUSED),
        ({"redirect_uri": CALLBACK + "x"}, {}, oidc_codes.TOKEN_REFUSED),
        ({}, {"client_secret": "wrong"}, oidc_codes.TOKEN_REFUSED),
        ({}, {"algorithms": frozenset({"ES256"})}, oidc_codes.ID_TOKEN_ALGORITHM),
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
    with OpenIdProvider(CLIENTS, ACCOUNTS, options={"scopes": SCOPES}) as other:
        to, elsewhere, login = of(op), of(other), new_login()
        parameters = await callback(federation, elsewhere, login, "helene")
        with pytest.raises(GatewayError) as refused:
            process_authorization_response(to, await federation.metadata(to), login, parameters)
        assert refused.value.code is oidc_codes.RESPONSE_ISSUER


def refreshing(op: OpenIdProvider, client_id: str, **changes: Any) -> OidcProvider:
    consent = AuthorizationParameters(prompt=("consent",))
    return of(op, client_id, refresh=True, scopes=("openid", "offline_access"), request=consent, **changes)


async def refreshed(federation: Federation, to: OidcProvider, id_token: IdToken, refresh_token: str) -> Renewed:
    return await federation.refresh(to, refresh_token, Held(id_token.subject, id_token.raw), time.time())


@pytest.mark.parametrize("client_id", ["basic", *METHODS])
async def test_a_refresh_token_that_is_revoked_is_of_no_more_use(op: OpenIdProvider, client_id: str) -> None:
    """RFC 7009, by every client authentication."""
    to, heard = refreshing(op, client_id), Heard()
    federation, later = Federation(log=heard), Federation()
    id_token, _ = await sign_in(federation, to)
    assert id_token.grant is not None
    newer = await refreshed(federation, to, id_token, id_token.grant.refresh_token)
    federation.revoke(to, newer.grant.refresh_token, time.time())
    await federation.close()
    assert heard.events == []
    with pytest.raises(GatewayError) as ended:
        await refreshed(later, to, id_token, newer.grant.refresh_token)
    assert ended.value.code is oidc_codes.REFRESH_ENDED
    await later.close()


async def test_a_client_that_cannot_prove_itself_revokes_nothing(op: OpenIdProvider) -> None:
    to, heard = refreshing(op, "basic"), Heard()
    federation, later = Federation(log=heard), Federation()
    id_token, _ = await sign_in(federation, to)
    assert id_token.grant is not None
    federation.revoke(replace(to, client_secret="wrong"), id_token.grant.refresh_token, time.time())
    await federation.close()
    ((event, told),) = heard.events
    assert (event, told["code"]) == ("tokens.not_revoked", "oidc.revocation")
    assert "invalid_client" in str(told["detail"])
    assert (await refreshed(later, to, id_token, id_token.grant.refresh_token)).id_token is not None
    await later.close()
