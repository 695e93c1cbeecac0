from typing import Any

import pytest

from gateway.model.provider import OidcProvider
from gateway.oidc.logout_token import EVENT, LogoutToken, validate_logout_token
from tests.oidc.samples import ISSUER, NOW, PROVIDER, Mac, Signer, forge, key_set, outcome, provider, signer

KEYS = key_set(signer("RS256"), signer("ES256"))


def claims(**changes: object) -> dict[str, object]:
    """Those of a good logout token; a change to None takes a claim away."""
    good = {
        "iss": ISSUER,
        "aud": "ecluse",
        "iat": NOW - 1,
        "exp": NOW + 120,
        "jti": "j1",
        "sid": "s1",
        "sub": "f7d3c4a0",
        "events": {EVENT: {}},
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(by: Signer | Mac | None = None, *, typ: str | None = "logout+jwt", **changes: Any) -> str:
    return forge(claims(**changes), by or signer("RS256"), typ=typ)


def validate(token: str, of: OidcProvider = PROVIDER) -> LogoutToken:
    return validate_logout_token(of, KEYS, token)


def test_a_good_one_says_whose_sessions_end_and_when_it_was_issued() -> None:
    token = validate(signed())
    assert (token.provider, token.issuer, token.subject, token.sid) == ("metropole", ISSUER, "f7d3c4a0", "s1")
    assert token.issued == int(NOW) - 1
    assert "f7d3c4a0" not in repr(token)
    assert "s1" not in repr(token)


@pytest.mark.parametrize(
    ("iat", "exp"),
    [
        (NOW + 900, NOW + 1020),
        (NOW - 900, NOW - 780),
        (NOW - 30 * 86400, NOW - 30 * 86400 + 120),
        (NOW - 1, NOW - 61),
        (NOW, None),
    ],
    ids=["our clock is late", "our clock is early", "sent for a month", "over", "LemonLDAP::NG"],
)
def test_no_clock_refuses_the_end_of_sessions(iat: float, exp: float | None) -> None:
    assert validate(signed(iat=iat, exp=exp, nbf=iat)).issued == int(iat)


def test_one_without_iat_was_issued_before_its_exp_and_one_with_neither_says_no_time() -> None:
    assert validate(signed(iat=None)).issued == int(NOW) + 120
    assert validate(signed(iat=None, exp=None)).issued is None


@pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt", "Logout+JWT", "JWT", None])
def test_its_type_is_the_recommended_one_or_that_of_older_providers(typ: str | None) -> None:
    assert validate(signed(typ=typ)).sid == "s1"


@pytest.mark.parametrize("changes", [{"sid": None}, {"sub": None}, {"aud": ["other", "ecluse"]}])
def test_what_may_be_left_out(changes: dict[str, Any]) -> None:
    assert validate(signed(**changes)).issuer == ISSUER


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://other.example"}, "oidc.id_token.issuer"),
        ({"iss": None}, "oidc.id_token.issuer"),
        ({"aud": "another-client"}, "oidc.id_token.audience"),
        ({"aud": None}, "oidc.id_token.audience"),
        ({"exp": "soon"}, "oidc.id_token.claim"),
        ({"iat": "now"}, "oidc.id_token.claim"),
        ({"iat": -1}, "oidc.id_token.claim"),
        ({"nonce": "n"}, "oidc.logout_token.nonce"),
        ({"nonce": ""}, "oidc.logout_token.nonce"),
        ({"events": None}, "oidc.logout_token.event"),
        ({"events": {}}, "oidc.logout_token.event"),
        ({"events": [EVENT]}, "oidc.logout_token.event"),
        ({"events": EVENT}, "oidc.logout_token.event"),
        ({"events": {EVENT: True}}, "oidc.logout_token.event"),
        ({"events": {"http://schemas.openid.net/event/other": {}}}, "oidc.logout_token.event"),
        ({"sub": None, "sid": None}, "oidc.logout_token"),
        ({"sid": 7}, "oidc.logout_token"),
        ({"sid": ""}, "oidc.logout_token"),
        ({"sub": ["f7d3c4a0"]}, "oidc.id_token.subject"),
        ({"jti": None}, "oidc.logout_token"),
        ({"jti": 7}, "oidc.logout_token"),
        ({"jti": "j" * 513}, "oidc.logout_token"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], code: str) -> None:
    assert outcome(lambda: validate(signed(**changes))) == code


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (forge(claims(), None, typ="logout+jwt"), "oidc.id_token.algorithm"),
        (forge(claims(), None, {"alg": "none"}), "oidc.id_token.algorithm"),
        (signed(Mac("rs256", "HS256", b"a secret of the client")), "oidc.id_token.algorithm"),
        (signed(signer("RS256", "another")), "oidc.id_token.key"),
        (signed(signer("RS256"), typ="at+jwt"), "oidc.id_token.header"),
        (signed(signer("RS256"))[:-8] + "AAAAAAAA", "oidc.id_token.signature"),
        ("", "oidc.id_token.form"),
        ("a.b.c.d.e", "oidc.id_token.form"),
    ],
)
def test_a_signature_that_is_not_pinned_or_not_the_providers(token: str, code: str) -> None:
    assert outcome(lambda: validate(token)) == code


def test_the_algorithms_of_the_provider_file_are_the_only_ones() -> None:
    token = signed(signer("ES256"))
    assert validate(token).sid == "s1"
    only = provider(algorithms=frozenset({"RS256"}))
    assert outcome(lambda: validate(token, only)) == "oidc.id_token.algorithm"


def test_an_id_token_that_was_passed_on_is_none() -> None:
    """CVE: a token made for another purpose."""
    assert outcome(lambda: validate(signed(typ="JWT", events=None, nonce="n" * 43, jti=None))) != ""


def test_it_comes_from_its_validation_alone() -> None:
    with pytest.raises(TypeError):
        LogoutToken("metropole", ISSUER, None, "s1", 0, object())
