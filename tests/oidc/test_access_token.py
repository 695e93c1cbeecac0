from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway.model.errors import GatewayError
from gateway.model.provider import ApiAccess, Encryption, OidcProvider
from gateway.oidc.access_token import (
    AccessToken,
    introspection_request,
    is_jwt,
    issuer_of,
    process_introspection_jwt,
    process_introspection_response,
    validate_access_token,
)
from gateway.oidc.client_authentication import Fresh
from gateway.oidc.documents import ProviderResponse
from gateway.oidc.id_token import validate_id_token
from gateway.oidc.logout_token import validate_logout_token
from gateway.oidc.token import TokenResponse
from tests.oidc.samples import (
    ISSUER,
    LOGIN,
    METADATA,
    NOW,
    PROVIDER,
    Mac,
    encrypted,
    forge,
    json_answer,
    key_set,
    outcome,
    own_key,
    provider,
    signer,
)

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


def test_only_a_token_whose_subject_is_its_client_is_of_no_person() -> None:
    """RFC 9068 2.2, RFC 7662 2.2."""
    assert not validate(signed()).of_client
    assert validate(signed(sub="another-client")).of_client
    assert validate(signed(sub="client:another-client")).of_client
    assert not validate(signed(sub="client:third")).of_client
    said = {**claims(), "active": True}
    assert not introspected(said).of_client
    assert introspected({name: value for name, value in said.items() if name != "sub"}).of_client
    del said["client_id"]
    assert not introspected(said).of_client


@pytest.mark.parametrize("username", ["alice", "", 7, ["another-client"]])
def test_a_persons_token_without_a_subject_is_not_the_clients(username: object) -> None:
    """RFC 7662 2.2: `username` is the resource owner who authorized the token; `sub` may be left out."""
    said = {name: value for name, value in claims().items() if name != "sub"} | {"active": True}
    assert introspected(said | {"username": "another-client"}).of_client
    assert introspected(said | {"username": None}).of_client
    with pytest.raises(GatewayError) as error:
        introspected(said | {"username": username})
    assert error.value.code.id == "api.token"


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


def test_the_usual_words_for_an_access_token_are_taken() -> None:
    for said in (
        {"token_type": "Bearer"},
        {"token_type": "access_token"},
        {"token_use": "access_token"},
        {"typ": "Bearer"},
    ):
        assert outcome(lambda said=said: introspected({"active": True, **claims(**said)})) == ""  # type: ignore[misc]


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
        # What a client keeps to itself: Hydra and Keycloak answer about these, too.
        ({"active": True, **claims(token_use="refresh_token")}, "api.token"),
        ({"active": True, **claims(token_type="refresh_token")}, "api.token"),
        ({"active": True, **claims(typ="Refresh")}, "api.token"),
        ({"active": True, **claims(typ="ID")}, "api.token"),
        (b"[]", "api.token"),
    ],
)
def test_what_introspection_does_not_let_in(document: dict[str, object] | bytes, code: str) -> None:
    assert outcome(lambda: introspected(document)) == code


def test_a_provider_that_is_away_is_not_a_bad_token() -> None:
    answer = ProviderResponse(503, "application/json", b"{}")
    assert outcome(lambda: process_introspection_response(PROVIDER, API, answer, NOW)) == "login.provider_unreachable"


def test_it_comes_from_its_validation_alone() -> None:
    with pytest.raises(TypeError):
        AccessToken("metropole", {}, None, (), None, 0, False, object())


# --- times, and what is bound to a key: of every token ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nbf": NOW + 61}, "oidc.id_token.not_before"),
        ({"nbf": "soon"}, "oidc.id_token.claim"),
        ({"iat": NOW + 61}, "oidc.id_token.issued_at"),
        ({"iat": NOW + 86400, "exp": NOW + 90000}, "oidc.id_token.issued_at"),
        ({"auth_time": NOW + 61}, "oidc.id_token.auth_time"),
        ({"auth_time": 4_000_000_000}, "oidc.id_token.auth_time"),
        ({"auth_time": "now"}, "oidc.id_token.claim"),
        ({"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}, "api.bound"),
        ({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, "api.bound"),
        ({"cnf": {}}, "api.bound"),
        ({"cnf": "x5t"}, "api.bound"),
        ({"token_type": "DPoP"}, "api.bound"),
        ({"nbf": NOW + 59, "iat": NOW + 59, "auth_time": NOW + 59}, ""),
        ({"iat": NOW - 86400}, ""),
        ({"token_type": "Bearer"}, ""),
    ],
)
def test_when_it_was_made_and_whether_it_is_a_bearer_token(changes: dict[str, object], code: str) -> None:
    assert outcome(lambda: validate(signed(**changes))) == code
    assert outcome(lambda: introspected({"active": True, **claims(**changes)})) == code
    assert outcome(lambda: introspected_jwt(claims(**changes))) == code


# --- the clients that may call ----------------------------------------------------------------------------------------

OF_CLIENTS = replace(API, audience=frozenset(), clients=frozenset({"another-client"}))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": None}, ""),
        ({"aud": "another-client"}, ""),
        ({"aud": ["ecluse"]}, ""),
        ({"aud": "urn:somebody-else"}, "api.token"),
        ({"aud": None, "client_id": "a-third"}, "api.token"),
        ({"aud": None, "client_id": None}, "api.token"),
        ({"aud": None, "client_id": ["another-client"]}, "api.token"),
        ({"aud": None, "scope": "other"}, "api.scope"),
    ],
)
def test_in_the_place_of_an_audience_the_clients_are_listed(changes: dict[str, object], code: str) -> None:
    document = {"active": True, **claims(**changes)}
    assert outcome(lambda: process_introspection_response(PROVIDER, OF_CLIENTS, json_answer(document), NOW)) == code


def test_where_both_are_listed_both_have_to_be() -> None:
    both = replace(API, clients=frozenset({"another-client"}))
    assert validate(signed(), both)
    assert outcome(lambda: validate(signed(client_id="a-third"), both)) == "api.token"
    assert outcome(lambda: validate(signed(aud="another-client"), both)) == "api.token"


def test_a_jwt_is_for_an_audience_whatever_its_client() -> None:
    assert outcome(lambda: validate(signed(), OF_CLIENTS)) == "api.token"
    assert outcome(lambda: validate(signed(aud="another-client"), OF_CLIENTS)) == "api.token"


# --- RFC 9701: the answer is a JWT ------------------------------------------------------------------------------------

SIGNED = replace(API, introspection_algorithms=frozenset({"ES256"}))
JWT_TYPE = "application/token-introspection+jwt"
ASKS = provider(api=SIGNED)


def answered_jwt(
    told: object, *, typ: str | None = "token-introspection+jwt", by: object = None, **changes: object
) -> str:
    good = {"iss": ISSUER, "aud": "ecluse", "iat": NOW - 1, "token_introspection": told}
    body = {name: value for name, value in (good | changes).items() if value is not None}
    return forge(body, by or signer("ES256"), typ=typ)  # type: ignore[arg-type]


def process(token: str, of: OidcProvider = ASKS, kind: str = JWT_TYPE, api: ApiAccess = SIGNED) -> AccessToken:
    return process_introspection_jwt(of, api, KEYS, ProviderResponse(200, kind, token.encode()), NOW)


def introspected_jwt(told: dict[str, object]) -> AccessToken:
    return process(answered_jwt({"active": True, **told}))


def test_a_signed_answer_is_what_it_says_of_the_token() -> None:
    token = introspected_jwt(claims())
    assert (token.claims["sub"], token.acr, token.expires_at) == ("service-1", "eidas1", int(NOW) + 300)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"typ": "JWT"}, "oidc.id_token.header"),
        ({"typ": None}, "oidc.id_token.header"),
        ({"typ": "at+jwt"}, "oidc.id_token.header"),
        ({"typ": "application/Token-Introspection+JWT"}, ""),
        ({"iss": None}, "oidc.id_token.issuer"),
        ({"iss": "https://evil.example"}, "oidc.id_token.issuer"),
        ({"aud": None}, "oidc.id_token.audience"),
        ({"aud": "another-client"}, "oidc.id_token.audience"),
        ({"aud": ["ecluse", "another"]}, ""),
        ({"iat": None}, "oidc.id_token.claim"),
        ({"iat": NOW + 61}, "oidc.id_token.issued_at"),
        ({"iat": NOW - 661}, "oidc.id_token.issued_at"),
        ({"by": signer("RS256")}, "oidc.id_token.algorithm"),
        ({"by": signer("ES256", "stranger")}, "oidc.id_token.key"),
        ({"told": None}, "api.token"),
        ({"told": []}, "api.token"),
        ({"told": {"active": False}}, "api.token"),
        ({"told": {"active": "true", **claims()}}, "api.token"),
        ({"told": {"active": True, **claims(iss="https://evil.example")}}, "oidc.id_token.issuer"),
        ({"told": {"active": True, **claims(aud="urn:other")}}, "api.token"),
        ({"told": {"active": True, **claims(exp=NOW - 61)}}, "oidc.id_token.expired"),
        # RFC 9701 5: what stands beside it is not of the token
        ({"told": {"active": True, **claims(sub=None, client_id=None)}, "sub": "root"}, "api.token"),
    ],
)
def test_a_signed_answer_that_is_not_in_order(changes: dict[str, Any], code: str) -> None:
    told = changes.pop("told", {"active": True, **claims()})
    assert outcome(lambda: process(answered_jwt(told, **changes))) == code


def test_neither_form_is_taken_for_the_other() -> None:
    token = answered_jwt({"active": True, **claims()})
    for kind in ("application/json", "application/jwt", ""):
        assert outcome(lambda kind=kind: process(token, kind=kind)) == "api.token"
    assert outcome(
        lambda: process_introspection_response(ASKS, SIGNED, ProviderResponse(200, JWT_TYPE, token.encode()), NOW)
    )
    assert outcome(lambda: process_introspection_jwt(ASKS, SIGNED, KEYS, json_answer({"active": True}), NOW))
    assert outcome(
        lambda: process_introspection_jwt(ASKS, SIGNED, KEYS, ProviderResponse(503, JWT_TYPE, b""), NOW)
    ) == ("login.provider_unreachable")


def test_it_is_no_other_kind_of_token() -> None:
    """RFC 9701 8.1: what a provider signs about a token is no token."""
    told = {"active": True, **claims()}
    same = {"sub": "service-1", "client_id": "c", "jti": "j", "exp": NOW + 300, "nonce": LOGIN.nonce}
    raw = answered_jwt(told, by=signer("RS256"), **{**same, "aud": ["urn:permis", "ecluse"]})
    assert outcome(lambda: validate(raw)) == "oidc.id_token.header"
    read = provider(algorithms=frozenset({"RS256"}))
    tokens = TokenResponse("a", raw)
    assert outcome(lambda: validate_id_token(read, KEYS, tokens, LOGIN, NOW)) == "oidc.id_token.header"
    assert outcome(lambda: validate_logout_token(read, KEYS, raw)) == "oidc.id_token.header"


def test_an_encrypted_answer_is_opened_and_an_open_one_is_then_refused() -> None:
    key = own_key("ECDH-ES", "enc")
    encryption = Encryption((key,), frozenset({"A256GCM"}), id_token=False, userinfo=False, introspection=True)
    of = provider(api=SIGNED, encryption=encryption)
    token = answered_jwt({"active": True, **claims()})
    assert process(encrypted(token, key), of).claims["sub"] == "service-1"
    assert outcome(lambda: process(token, of)) == "oidc.encryption"
    assert outcome(lambda: process(encrypted(token, key))) == "oidc.id_token.form"


def test_it_is_asked_for_in_the_form_that_is_pinned() -> None:
    metadata = METADATA.__class__(**{**_fields(METADATA), "introspection_endpoint": f"{ISSUER}/introspect"})
    for of, accept in ((ASKS, JWT_TYPE), (PROVIDER, "application/json")):
        assert dict(introspection_request(of, metadata, "opaque", Fresh("j", NOW)).headers)["Accept"] == accept


def test_a_mac_under_the_client_secret_where_the_file_names_it() -> None:
    mac = replace(SIGNED, introspection_algorithms=frozenset({"HS256"}))
    raw = answered_jwt({"active": True, **claims()}, by=Mac("k", "HS256", str(PROVIDER.client_secret).encode()))
    assert process(raw, api=mac).claims["sub"] == "service-1"
    assert outcome(lambda: process(raw)) == "oidc.id_token.algorithm"
