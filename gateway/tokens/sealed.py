"""Tokens under a key shared with the application: encrypted (JWE, RFC 7516: `dir` and A256GCM), or signed only (JWS,
RFC 7515: HS256).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.tokens.spec import SharedKeySpec

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


def shared_key(content: bytes) -> bytes:
    """`content`: the key in base64. Raises ValueError for anything but 32 bytes."""
    key = base64.b64decode(content, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"{len(key)} bytes")
    return key


def key_id(key: bytes) -> str:
    """Tells two keys apart during a key change, without revealing either."""
    return hashlib.sha256(b"ecluse key id\0" + key).hexdigest()[:16]


def sealed(spec: SharedKeySpec, claims: Mapping[str, object], nonce: bytes) -> bytes:
    """The compact form. `nonce`: 12 random bytes, new for each token."""
    protected = _protected(spec.algorithm, key_id(spec.key))
    text = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    if spec.algorithm == "HS256":
        body = b"%b.%b" % (protected, _base64url(text))
        return b"%b.%b" % (body, _base64url(hmac.digest(spec.key, body, "sha256")))
    # RFC 7516 5.1: the encoded header is what is authenticated beside; `dir` has no encrypted key.
    both = AESGCM(spec.key).encrypt(nonce, text, protected)
    parts = (protected, b"", _base64url(nonce), _base64url(both[:-_TAG_BYTES]), _base64url(both[-_TAG_BYTES:]))
    return b".".join(parts)


@lru_cache(64)
def _protected(algorithm: str, kid: str) -> bytes:
    header = {"alg": "HS256"} if algorithm == "HS256" else {"alg": "dir", "enc": algorithm}
    return _base64url(json.dumps({**header, "kid": kid, "typ": "JWT"}, separators=(",", ":")).encode())


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
