from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway.model.provider import ApiAccess
from gateway.oidc.access_token import (
    AccessToken,
    introspection_request,
    is_jwt,
    issuer_of,
    process_introspection_response,
    validate_access_token,
)
from gateway.oidc.call import Answer
from gateway.oidc.client_authentication import Fresh
from tests.oidc.samples import ISSUER, METADATA, NOW, PROVIDER, Mac, forge, json_answer, key_set, outcome, signer

API = ApiAccess(frozenset({"urn:permis"}), frozenset({"permis.read"}), frozenset({"RS256"}), introspection=True)
KEYS = key_set(signer("RS256"), signer("ES256"))


def claims(**changes: object) -> dict[str, object]:
    """Those of a good access token; a change to None takes a claim away."""
    good = {
        "iss": ISSUER,
        "aud": "urn:permis",
        "sub": "service-1",
        "client_id": "another-client",
        "iat": NOW - 1,
        "exp": NOW + 300,
        "jti": "j1",
        "scope": "openid permis.read",
        "acr": "eidas1",
        "amr": ["pwd", 7],
        "auth_time": NOW - 9,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(*, typ: str | None = "at+jwt", by: object = None, **changes: Any) -> str:
    return forge(claims(**changes), by or signer("RS256"), typ=typ)


def validate(token: str, api: ApiAccess = API) -> AccessToken:
    return validate_access_token(PROVIDER, api, KEYS, token, NOW)


def introspected(document: dict[str, object] | bytes, status: int = 200) -> AccessToken:
    return process_introspection_response(PROVIDER, API, json_answer(document, status), NOW)


def test_a_good_one_says_who_and_until_when() -> None:
    token = validate(signed())
    assert (token.provider, token.expires_at, token.acr, token.amr) == ("metropole", int(NOW) + 300, "eidas1", ("pwd",))
    assert token.auth_time == int(NOW) - 9
    assert "service-1" not in repr(token)


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_its_type_is_that_of_rfc_9068(typ: str) -> None:
    assert validate(signed(typ=typ))


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (signed(typ="JWT"), "oidc.id_token.header"),
        (signed(typ=None), "oidc.id_token.header"),
        (signed(typ="logout+jwt"), "oidc.id_token.header"),
        (signed(iss="https://evil.example"), "oidc.id_token.issuer"),
        (signed(aud="ecluse"), "api.token"),
        (signed(aud=None), "api.token"),
        (signed(aud=["urn:other", 7]), "api.token"),
        (signed(exp=NOW - 61), "oidc.id_token.expired"),
        (signed(exp=None), "oidc.id_token.claim"),
        (signed(iat=None), "oidc.id_token.claim"),
        (signed(jti=None), "api.token"),
        (signed(client_id=None), "api.token"),
        (signed(sub=None), "oidc.id_token.subject"),
        (signed(scope=None), "api.scope"),
        (signed(scope="permis.reader"), "api.scope"),
        (signed(scope=["permis.read"]), "api.scope"),
        (signed(by=signer("ES256")), "oidc.id_token.algorithm"),
        (signed(by=signer("RS256", "stranger")), "oidc.id_token.key"),
        (signed(by=Mac("rs256", "HS256", b"a secret of the client")), "oidc.id_token.algorithm"),
        (forge(claims(), None, {"alg": "none", "typ": "at+jwt"}), "oidc.id_token.algorithm"),
        ("a.b.c", "oidc.id_token.form"),
    ],
)
def test_what_is_refused(token: str, code: str) -> None:
    assert outcome(lambda: validate(token)) == code


def test_of_several_audiences_one_is_ours() -> None:
    assert validate(signed(aud=["urn:other", "urn:permis"]))


def test_who_it_says_it_is_from() -> None:
    assert issuer_of(signed()) == ISSUER
    assert is_jwt(signed())
    assert not is_jwt("opaque")


def test_an_opaque_one_is_asked_about_in_a_body() -> None:
    metadata = METADATA.__class__(**{**_fields(METADATA), "introspection_endpoint": f"{ISSUER}/introspect"})
    call = introspection_request(PROVIDER, metadata, "opaque", Fresh("j", NOW))
    assert (call.method, call.url) == ("POST", f"{ISSUER}/introspect")
    assert dict(parse_qsl(call.body.decode())) == {"token": "opaque", "token_type_hint": "access_token"}
    assert "opaque" not in repr(call)
    refused = outcome(lambda: introspection_request(PROVIDER, METADATA, "opaque", Fresh("j", NOW)))
    assert refused == "oidc.discovery.endpoint"


def _fields(metadata: Any) -> dict[str, Any]:
    return {name: getattr(metadata, name) for name in metadata.__slots__}


def test_an_active_one_is_accepted() -> None:
    assert introspected({"active": True, **claims(iss=None, jti=None)}).claims["sub"] == "service-1"


def test_one_that_no_person_is_behind_names_its_client_and_nobody_else() -> None:
    """RFC 9700 4.15: a client called as a person's `sub` is not that person."""
    assert introspected({"active": True, **claims(sub=None, client_id="f7d3c4a0")}).claims["sub"] == "client:f7d3c4a0"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"active": False}, "api.token"),
        ({"active": "true", **claims()}, "api.token"),
        ({"active": 1, **claims()}, "api.token"),
        ({**claims()}, "api.token"),
        ({"active": True, **claims(aud=None)}, "api.token"),
        ({"active": True, **claims(aud="urn:other")}, "api.token"),
        ({"active": True, **claims(iss="https://evil.example")}, "oidc.id_token.issuer"),
        ({"active": True, **claims(exp=NOW - 61)}, "oidc.id_token.expired"),
        ({"active": True, **claims(exp=None)}, "oidc.id_token.claim"),
        ({"active": True, **claims(scope="other")}, "api.scope"),
        ({"active": True, **claims(sub=None, client_id=None)}, "api.token"),
        ({"active": True, **claims(sub="")}, "oidc.id_token.subject"),
        (b"[]", "api.token"),
    ],
)
def test_what_introspection_does_not_let_in(document: dict[str, object] | bytes, code: str) -> None:
    assert outcome(lambda: introspected(document)) == code


def test_a_provider_that_is_away_is_not_a_bad_token() -> None:
    answer = Answer(503, "application/json", b"{}")
    assert outcome(lambda: process_introspection_response(PROVIDER, API, answer, NOW)) == "login.provider_unreachable"


def test_it_comes_from_its_validation_alone() -> None:
    with pytest.raises(TypeError):
        AccessToken("metropole", {}, None, (), None, 0, object())
