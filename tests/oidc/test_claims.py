"""What the tokens share; each of their own tests has it in its order too."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.oidc import claims
from tests.oidc.samples import ISSUER, NOW, PROVIDER, outcome

READ: dict[str, Callable[[dict[str, Any]], object]] = {
    "issuer": lambda given: claims.check_issuer(PROVIDER, given),
    "audience": lambda given: claims.audiences_of(PROVIDER, given),
    "party": lambda given: claims.check_authorized_party(PROVIDER, given, claims.audiences_of(PROVIDER, given)),
    "expiry": lambda given: claims.check_expiry(PROVIDER, given, NOW),
    "issue": lambda given: claims.check_issue_time(PROVIDER, given, NOW),
    "subject": claims.subject_of,
    "time": lambda given: claims.required_time(given, "t"),
}


@pytest.mark.parametrize(
    ("check", "given", "code"),
    [
        ("issuer", {"iss": ISSUER}, ""),
        ("issuer", {"iss": ISSUER + "/"}, "oidc.id_token.issuer"),
        ("issuer", {"iss": [ISSUER]}, "oidc.id_token.issuer"),
        ("audience", {"aud": "ecluse"}, ""),
        ("audience", {"aud": ["other", "ecluse"]}, ""),
        ("audience", {"aud": ["ecluse", 7]}, "oidc.id_token.audience"),
        ("audience", {"aud": []}, "oidc.id_token.audience"),
        ("audience", {"aud": "ecluse other"}, "oidc.id_token.audience"),
        ("party", {"aud": ["ecluse", "other"], "azp": "ecluse"}, ""),
        ("party", {"aud": ["ecluse", "other"]}, "oidc.id_token.authorized_party"),
        ("party", {"aud": "ecluse", "azp": "other"}, "oidc.id_token.authorized_party"),
        ("expiry", {"exp": NOW - 59}, ""),
        ("expiry", {"exp": NOW - 60}, "oidc.id_token.expired"),
        ("issue", {"iat": NOW + 60}, ""),
        ("issue", {"iat": NOW + 61}, "oidc.id_token.issued_at"),
        ("issue", {"iat": NOW - claims.OLDEST - 60}, ""),
        ("issue", {"iat": NOW - claims.OLDEST - 61}, "oidc.id_token.issued_at"),
        ("issue", {"iat": NOW, "nbf": NOW + 61}, "oidc.id_token.not_before"),
        ("subject", {"sub": "a" * 255}, ""),
        ("subject", {"sub": "a" * 256}, "oidc.id_token.subject"),
        ("subject", {"sub": ""}, "oidc.id_token.subject"),
        ("subject", {"sub": "a\nb"}, "oidc.id_token.subject"),
        ("time", {"t": 0}, ""),
        ("time", {"t": 2**53}, ""),
        ("time", {"t": 2**53 + 1}, "oidc.id_token.claim"),
        ("time", {"t": -1}, "oidc.id_token.claim"),
        ("time", {"t": True}, "oidc.id_token.claim"),
        ("time", {"t": "1"}, "oidc.id_token.claim"),
        ("time", {"t": None}, "oidc.id_token.claim"),
        ("time", {}, "oidc.id_token.claim"),
    ],
)
def test_one_claim_at_a_time(check: str, given: dict[str, Any], code: str) -> None:
    assert outcome(lambda: READ[check](given)) == code


def test_a_text_of_a_wrong_type_counts_as_not_said() -> None:
    assert [claims.text_of({"a": value}, "a") for value in ("x", "", 7, None, ["x"])] == ["x", None, None, None, None]
    assert claims.text_of({}, "a") is None


@pytest.mark.parametrize(
    ("nonce", "expected", "code"),
    [
        ("n", "n", ""),
        ("é", "é", ""),
        ("n", "another", "oidc.id_token.nonce"),
        ("", "n", "oidc.id_token.nonce"),
        (None, "n", "oidc.id_token.nonce"),
        (["n"], "n", "oidc.id_token.nonce"),
        ("n", None, "oidc.id_token.nonce"),
        ("", None, "oidc.id_token.nonce"),
    ],
)
def test_the_nonce_is_the_one_that_was_sent(nonce: object, expected: str | None, code: str) -> None:
    assert outcome(lambda: claims.check_nonce({} if nonce is None else {"nonce": nonce}, expected)) == code
