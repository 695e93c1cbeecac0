from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from gateway.model.codes import login_codes
from gateway.model.provider import OidcProvider
from gateway.oidc.client_authentication import authenticated_call
from gateway.oidc.documents import Call, ProviderResponse
from gateway.oidc.revocation import process_revocation_response, revocation_request
from tests.oidc.samples import FRESH, ISSUER, METADATA, json_answer, outcome, own_key, provider

REVOKING = replace(METADATA, revocation_endpoint=f"{ISSUER}/revoke")
METHODS = {
    "client_secret_basic": provider(),
    "client_secret_post": provider(client_authentication="client_secret_post"),
    "client_secret_jwt": provider(client_authentication="client_secret_jwt", client_secret="s" * 40),
    "private_key_jwt": provider(client_authentication="private_key_jwt", client_keys=(own_key("RS256"),)),
    "tls_client_auth": provider(client_authentication="tls_client_auth", client_secret=None),
    "none": provider(client_authentication="none", client_secret=None),
}


def request(of: OidcProvider = METHODS["none"]) -> Call:
    call = revocation_request(of, REVOKING, "r1", FRESH)
    assert call is not None
    return call


def test_the_refresh_token_goes_to_its_own_provider_in_a_body() -> None:
    """RFC 7009 2.1."""
    call = request()
    assert (call.method, call.url) == ("POST", f"{ISSUER}/revoke")
    form = {"token": "r1", "token_type_hint": "refresh_token", "client_id": "ecluse"}
    assert dict(parse_qsl(call.body.decode(), strict_parsing=True)) == form
    assert "r1" not in repr(call)


@pytest.mark.parametrize("method", METHODS)
def test_the_client_proves_itself_as_at_the_token_endpoint(method: str) -> None:
    of = METHODS[method]
    at_token = authenticated_call(of, REVOKING, "test", REVOKING.token_endpoint, {}, FRESH)
    asked = dict(parse_qsl(request(of).body.decode()))
    assert asked == {"token": "r1", "token_type_hint": "refresh_token", **dict(parse_qsl(at_token.body.decode()))}
    assert request(of).headers == at_token.headers


def test_a_provider_without_the_endpoint_is_not_asked() -> None:
    assert revocation_request(provider(), METADATA, "r1", FRESH) is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (ProviderResponse(200, "", b""), ""),
        (ProviderResponse(200, "text/html", b"<p>done</p>"), ""),
        (json_answer({"error": "unsupported_token_type"}, 400), "oidc.revocation"),
        (json_answer({"error": "invalid_client"}, 401), "oidc.revocation"),
        (json_answer(b"<html>", 400), "oidc.revocation"),
        (ProviderResponse(302, "", b""), "oidc.revocation"),
        (ProviderResponse(404, "", b""), "oidc.revocation"),
        (ProviderResponse(503, "", b""), login_codes.PROVIDER_UNREACHABLE.id),
    ],
)
def test_what_the_answer_says(answer: ProviderResponse, code: str) -> None:
    """RFC 7009 2.2 and 2.2.1."""
    assert outcome(lambda: process_revocation_response(answer)) == code
