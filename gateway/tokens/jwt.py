"""JSON Web Tokens for applications (RFC 7519), and the published keys for verifying (RFC 7517)."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final, cast

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gateway.tokens.spec import SigningKey, TokenAlgorithm

Sign = Callable[[bytes], bytes]

_COORDINATE: Final = 32
# Characters of an id: SHA-256 in base64url.
_THUMBPRINT: Final = 43
# Bytes; the shortest RSA key that signs has 2048 bits.
_LEAST_SIGNATURE: Final[dict[TokenAlgorithm, int]] = {"ES256": 64, "EdDSA": 64, "RS256": 256}
# After a change of keys the old ones are soon pushed out.
_KEPT: Final = 64


def sign(key: SigningKey, claims: Mapping[str, object]) -> bytes:
    """The compact form (RFC 7515 7.1): ASCII, without a blank."""
    prefix, signer = _signer(key)
    body = b"%b.%b" % (prefix, _base64url(_json(claims)))
    return b"%b.%b" % (body, _base64url(signer(body)))


def least_length(algorithm: TokenAlgorithm, claims: Mapping[str, object]) -> int:
    """The length of the compact form of these claims, with the shortest possible key."""
    kid = "x" * _THUMBPRINT
    header = _base64url(_header(algorithm, kid))
    return len(header) + len(_base64url(_json(claims))) + len(_base64url(bytes(_LEAST_SIGNATURE[algorithm]))) + 2


def signing_key(algorithm: TokenAlgorithm, pem: bytes) -> SigningKey:
    """Raises ValueError for a key of another kind. The key id is its thumbprint (RFC 7638), the same in every
    process."""
    private = load_pem_private_key(pem, None)
    required: dict[str, str]
    match algorithm, private.public_key():
        case "ES256", EllipticCurvePublicKey() as public:
            point = public.public_numbers()
            x, y = _number(point.x, _COORDINATE), _number(point.y, _COORDINATE)
            required = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
        case "EdDSA", Ed25519PublicKey() as public:
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw).decode()}
        case "RS256", RSAPublicKey() as public:
            numbers = public.public_numbers()
            required = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        case _:
            raise ValueError(f"not a key for {algorithm}")
    # RFC 7638 3: the required members alone, in the order of their names.
    kid = _base64url(hashlib.sha256(_json(required)).digest()).decode()
    return SigningKey(algorithm, kid, pem, _json({**required, "kid": kid, "use": "sig", "alg": algorithm}).decode())


def jwk_set(keys: Iterable[SigningKey]) -> bytes:
    """The public halves, each once (RFC 7517 5)."""
    return b'{"keys":[%b]}' % b",".join(text.encode() for text in dict.fromkeys(key.public for key in keys))


@lru_cache(_KEPT)
def _signer(key: SigningKey) -> tuple[bytes, Sign]:
    """The encoded header of the tokens, and the signer."""
    # What is served has been loaded with every check before; to check an RSA key again takes 100 ms.
    private = load_pem_private_key(key.pem, None, unsafe_skip_rsa_key_validation=True)
    prefix = _base64url(_header(key.algorithm, key.id))
    match key.algorithm:
        case "ES256":
            return prefix, _ecdsa(cast(EllipticCurvePrivateKey, private))
        case "EdDSA":
            return prefix, cast(Ed25519PrivateKey, private).sign
        case "RS256":
            rsa = cast(RSAPrivateKey, private)
            return prefix, lambda body: rsa.sign(body, PKCS1v15(), SHA256())


def _header(algorithm: TokenAlgorithm, kid: str) -> bytes:
    return _json({"alg": algorithm, "kid": kid, "typ": "JWT"})


def _ecdsa(key: EllipticCurvePrivateKey) -> Sign:
    def signed(body: bytes) -> bytes:
        # RFC 7518 3.4: both numbers, each in 32 octets.
        r, s = decode_dss_signature(key.sign(body, ECDSA(SHA256())))
        return r.to_bytes(_COORDINATE) + s.to_bytes(_COORDINATE)

    return signed


def _number(value: int, length: int = 0) -> str:
    return _base64url(value.to_bytes(length or (value.bit_length() + 7) // 8)).decode()


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
