"""What a token tells, and until when it is sent."""

import base64
import json
from dataclasses import replace

import pytest

from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.tokens.making import MadeTokens, described, folded_names, make
from gateway.tokens.spec import Carrier, JwtSpec, TokenClaim
from tests.tokens.keys import key

HELENE = Identity(
    "metropole", "https://op.example", "he-1", {"uid": ("helene",), "groups": ("ONDE", "élus"), "cn": ("Le\u0301a",)}
)
SPEC = JwtSpec(
    Carrier("header", "X-Token"), "https://portail.example", "permis", "ES256", 300, 15, (TokenClaim("uid", "uid"),)
)
NOW = 1_800_000_000.75
FOREVER = float("inf")


def made(spec: JwtSpec = SPEC, who: Identity = HELENE, not_after: float = FOREVER) -> MadeTokens:
    return make([spec], who, [key()], now=NOW, not_after=not_after, chance=lambda size: b"r" * size)


def claims_in(token: bytes) -> dict[str, object]:
    body = token.split(b".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + b"=="))
    return found


def test_a_token_says_who_for_whom_and_until_when_and_what_the_file_lists() -> None:
    found = made()
    assert found.headers.startswith(b"\r\nX-Token: ey")
    assert claims_in(found.headers) == {
        "iss": "https://portail.example", "aud": "permis", "sub": "he-1", "uid": "helene",
        "iat": 1_800_000_000, "exp": 1_800_000_300, "jti": "cnJycnJycnJycnJycnJycg",
    }  # fmt: skip
    assert found.keys == {key().id}


def test_it_is_made_anew_at_half_its_life_and_not_sent_shortly_before_its_end() -> None:
    """Invariant 16: it has to arrive before its end."""
    found = made()
    assert (found.renew_at, found.ends) == (NOW + 150, 1_800_000_285)


def test_it_outlives_the_session_by_no_more_than_it_may_be_on_its_way() -> None:
    found = made(not_after=NOW + 40)
    assert claims_in(found.headers)["exp"] == int(NOW + 55)
    assert found.ends <= NOW + 40
    assert found.renew_at <= found.ends


@pytest.mark.parametrize(
    ("carrier", "before", "cookies"),
    [
        (Carrier("header", "Authorization", "Bearer"), b"\r\nAuthorization: Bearer ey", False),
        (Carrier("cookie", "APPTOKEN"), b"APPTOKEN=ey", True),
    ],
)
def test_it_stands_where_the_file_says(carrier: Carrier, before: bytes, cookies: bool) -> None:
    found = made(replace(SPEC, carrier=carrier))
    assert (found.cookies if cookies else found.headers).startswith(before)
    assert not (found.headers if cookies else found.cookies)
    assert folded_names([replace(SPEC, carrier=carrier)], carrier.kind) == {carrier.name.lower().encode()}


def test_without_a_key_nothing_is_made() -> None:
    with pytest.raises(GatewayError, match=r"gateway\.fault"):
        make([SPEC], HELENE, [key("RS256")], now=NOW, not_after=FOREVER, chance=bytes)


def test_what_is_described_can_be_used_by_nobody() -> None:
    headers, cookies = described([SPEC, replace(SPEC, carrier=Carrier("cookie", "T"))], HELENE)
    told_of = '{"sub": "he-1", "uid": "helene", "iss": "https://portail.example", "aud": "permis"}'
    assert headers == {"X-Token": f"(JWT, ES256, 300 s) {told_of}"}
    assert cookies == {"T": f"(JWT, ES256, 300 s) {told_of}"}
