"""What is carried to the workers as an application's tokens."""

import json

from gateway.model.codec import codec_of
from gateway.tokens.spec import RESERVED_CLAIMS, SigningKey, TokenSpec
from tests.tokens.keys import key
from tests.tokens.test_making import SPEC


def test_specs_and_keys_reach_a_worker_as_they_are() -> None:
    for kind, value in ((TokenSpec, SPEC), (SigningKey, key("RS256"))):
        codec = codec_of(kind)
        assert codec.read(json.loads(json.dumps(codec.write(value)))) == value


def test_what_says_for_whom_and_until_when_is_no_claim_of_a_file() -> None:
    """`sub` may be another name of the same person; these say what the token is."""
    assert {"iss", "aud", "exp", "iat"} <= RESERVED_CLAIMS
    assert "sub" not in RESERVED_CLAIMS
