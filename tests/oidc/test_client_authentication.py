import base64
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.oidc.client_authentication import ASSERTION_SECONDS, ASSERTION_TYPE, authenticated_call
from gateway.oidc.client_keys import jwk_set
from gateway.oidc.documents import Call
from tests.oidc.samples import FRESH, ISSUER, METADATA, NOW, PROVIDER, own_key, provider, verified

SECRET = "a secret of the client, and a long one"


def call(of: OidcProvider) -> Call:
    return authenticated_call(of, METADATA, "test", METADATA.token_endpoint, {"a": "b"}, FRESH)


def sent(of: OidcProvider) -> dict[str, str]:
    """The form, without what was asked for."""
    form = dict(parse_qsl(call(of).body.decode("ascii"), strict_parsing=True))
    assert form.pop("a") == "b"
    return form


def authorization(of: OidcProvider) -> str | None:
    return dict(call(of).headers).get("Authorization")


def test_client_secret_basic() -> None:
    expected = base64.b64encode(b"ecluse:a+secret+of+the+client").decode()
    assert (sent(PROVIDER), authorization(PROVIDER)) == ({}, f"Basic {expected}")


@pytest.mark.parametrize(
    ("client_id", "secret", "pair"),
    [
        ("a:b", "c:d", b"a%3Ab:c%3Ad"),
        ("a%b", "50%25", b"a%25b:50%2525"),
        ("écluse", "é", b"%C3%A9cluse:%C3%A9"),
        ("a b", "c+d&e=f", b"a+b:c%2Bd%26e%3Df"),
    ],
)
def test_basic_credentials_are_form_encoded_first(client_id: str, secret: str, pair: bytes) -> None:
    expected = "Basic " + base64.b64encode(pair).decode()
    assert authorization(provider(client_id=client_id, client_secret=secret)) == expected


def test_client_secret_post() -> None:
    of = provider(client_authentication="client_secret_post", client_secret="a&b=é")
    assert (sent(of), authorization(of)) == ({"client_id": "ecluse", "client_secret": "a&b=é"}, None)


@pytest.mark.parametrize("method", ["none", "tls_client_auth"])
def test_a_client_that_sends_no_secret_says_who_it_is(method: str) -> None:
    of = provider(client_authentication=method)
    assert (sent(of), authorization(of)) == ({"client_id": "ecluse"}, None)


def assertion(of: OidcProvider) -> str:
    form = sent(of)
    token = form.pop("client_assertion")
    assert form == {"client_id": "ecluse", "client_assertion_type": ASSERTION_TYPE}
    assert authorization(of) is None
    return token


CLAIMS: dict[str, Any] = {
    "iss": "ecluse",
    "sub": "ecluse",
    "aud": ISSUER,
    "jti": FRESH.jti,
    "iat": int(NOW),
    "exp": int(NOW) + ASSERTION_SECONDS,
}


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_private_key_jwt(algorithm: Any) -> None:
    of = provider(client_authentication="private_key_jwt", client_keys=(own_key(algorithm), own_key(algorithm, "k0")))
    header, claims = verified(assertion(of), jwk_set(of.client_keys), algorithm)
    assert header == {"alg": algorithm, "typ": "JWT", "kid": "k1"}, "the first key signs"
    assert claims == CLAIMS


def test_client_secret_jwt() -> None:
    of = provider(client_authentication="client_secret_jwt", client_secret=SECRET)
    decoded = jwt.decode(assertion(of), OctKey.import_key(SECRET), algorithms=["HS256"])
    assert decoded.claims == CLAIMS


def test_an_assertion_is_written_to_the_token_endpoint_only_where_the_file_says_so() -> None:
    """Another provider's metadata can name the token endpoint of an honest one, but not its issuer."""
    of = provider(
        client_authentication="private_key_jwt", client_keys=(own_key(),), assertion_audience="token_endpoint"
    )
    _, claims = verified(assertion(of), jwk_set(of.client_keys), "ES256")
    assert claims["aud"] == METADATA.token_endpoint


@pytest.mark.parametrize("secret", [None, ""])
@pytest.mark.parametrize(
    "method", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
)
def test_what_is_missing_is_never_sent_as_an_empty_one(method: str, secret: str | None) -> None:
    with pytest.raises(GatewayError) as refused:
        call(provider(client_authentication=method, client_secret=secret))
    assert refused.value.code is oidc_codes.CLIENT_AUTHENTICATION


def test_no_secret_is_in_what_a_log_may_show() -> None:
    of = provider(client_secret=SECRET, client_keys=(own_key(),))
    for method in ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"):
        made = call(replace(of, client_authentication=method))
        assert made.url == METADATA.token_endpoint
        assert repr(made) == f"Call(what='test', method='POST', url='{METADATA.token_endpoint}')"
    assert FRESH.jti not in repr(FRESH)
