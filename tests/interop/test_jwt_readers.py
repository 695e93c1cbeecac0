"""deploy/readers/jwt.php, and what the page has Python do, read the tokens that are made, and refuse all others."""

import json
import subprocess
import time
from pathlib import Path
from typing import get_args

import pytest

from gateway.tokens.jwt import jwk_set, sign
from gateway.tokens.spec import SigningKey, TokenAlgorithm
from tests.docs.blocks import blocks
from tests.tokens.keys import key

pytestmark = pytest.mark.service

READER = Path(__file__).resolve().parents[2] / "deploy" / "readers" / "jwt.php"
PROGRAM = """
require $argv[1];
[$token, $keys, $now] = json_decode(stream_get_contents(STDIN), true);
try { echo json_encode(ecluse_jwt($token, $keys, 'permis', 'https://portail.example', $now)); }
catch (RuntimeException $why) { echo json_encode($why->getMessage()); }
"""
CLAIMS = {"iss": "https://portail.example", "aud": "permis", "sub": "hélène", "exp": 1_800_000_000}
KEYS = json.loads(jwk_set(key(one) for one in get_args(TokenAlgorithm)))


def read(token: bytes, now: int = 1_799_999_999) -> object:
    given = json.dumps([token.decode(), KEYS, now])
    ran = subprocess.run(["php", "-r", PROGRAM, str(READER)], input=given, capture_output=True, text=True, timeout=30)
    assert not ran.stderr, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("algorithm", get_args(TokenAlgorithm))
def test_php_reads_each_kind(algorithm: TokenAlgorithm) -> None:
    for number in range(8):
        assert read(sign(key(algorithm), {**CLAIMS, "n": number})) == {**CLAIMS, "n": number}


def other(algorithm: TokenAlgorithm, kid: str) -> SigningKey:
    another = key(algorithm, 1)
    return SigningKey(algorithm, kid, another.pem, another.public)


def tampered(token: bytes) -> bytes:
    """Another signature than its own, whatever that is."""
    return token[:-20] + (b"A" if token[-20:-19] != b"A" else b"B") + token[-19:]


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (sign(key(), {**CLAIMS, "aud": "actes"}), "for another application"),
        (sign(key(), {**CLAIMS, "iss": "https://evil.example"}), "for another application"),
        (sign(key(), {**CLAIMS, "exp": 1_799_999_999}), "at its end"),
        (sign(key(), {**CLAIMS, "exp": "1800000000"}), "at its end"),
        (sign(key("ES256", 1), CLAIMS), "a key that is not known"),
        (sign(other("ES256", key("ES256").id), CLAIMS), "a signature that is not of this key"),
        (sign(other("RS256", key("RS256").id), CLAIMS), "a signature that is not of this key"),
        (sign(other("EdDSA", key("EdDSA").id), CLAIMS), "a signature that is not of this key"),
        (sign(other("RS256", key("ES256").id), CLAIMS), "a key that is not known"),
        (tampered(sign(key(), CLAIMS)), "a signature that is not of this key"),
        (b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "a key that is not known"),
        (b"x", "not a token"),
    ],
)
def test_php_refuses_any_other(token: bytes, why: str) -> None:
    assert read(token) == why


# --- Python, by the page ---

DEBIANS_PYTHON = "/usr/bin/python3"
DOCS = READER.parents[2] / "docs"
PAGES = (DOCS / "how-to/send-a-signed-token.md", DOCS / "fr/envoyer-un-jeton-signe.md")
ASKED = """
import json, sys
from types import SimpleNamespace
for token in json.load(sys.stdin):
    try:
        print(json.dumps(person(SimpleNamespace(META={"HTTP_X_IDENTITY_TOKEN": token}))))
    except jwt.PyJWTError as why:
        print(json.dumps(type(why).__name__))
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_page_has_python_do_reads_the_token_and_no_other(page: Path, tmp_path: Path) -> None:
    """PyJWT, which fetches the published keys."""
    (code,) = [block.text for block in blocks(page) if block.language == "python"]
    published = tmp_path / "jwks"
    published.write_bytes(jwk_set(key(one) for one in get_args(TokenAlgorithm)))
    address = "https://portail.example.org/_ecluse/app/jwks"
    assert address in code
    claims = {**CLAIMS, "iss": "https://portail.example.org", "exp": int(time.time()) + 60}
    others = [
        sign(key(), {**claims, "aud": "actes"}), sign(key(), {**claims, "iss": "https://evil.example"}),
        sign(key(), {**claims, "exp": 1}), sign(key("ES256", 1), claims), sign(key("RS256"), claims),
        tampered(sign(key(), claims)),
    ]  # fmt: skip
    ran = subprocess.run(
        [DEBIANS_PYTHON, "-c", code.replace(address, published.as_uri()) + ASKED],
        input=json.dumps([one.decode() for one in (sign(key(), claims), *others)]),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not ran.stderr, ran.stderr
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [
        claims, "InvalidAudienceError", "InvalidIssuerError", "ExpiredSignatureError", "PyJWKClientError",
        "InvalidAlgorithmError", "InvalidSignatureError",
    ]  # fmt: skip
