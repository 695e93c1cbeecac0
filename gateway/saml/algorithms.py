"""The algorithms and keys that a signature may be made with, and whether a key made one over some bytes.

The HTTP-Redirect binding signs the query string so (Bindings 3.4.4.1). An XML signature comes down to the same check,
over its canonical SignedInfo. The algorithms are checked before a cryptographic library sees the document. Keys
are those of a provider's metadata, and no others.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gateway.saml.names import EXC_C14N

KeyType = Literal["RSA", "EC"]

ENVELOPED_SIGNATURE = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
# The only canonicalisation that a message may name. It leaves comments out, so that what is signed is what is read.
# Where a message names none, the inclusive one applies, which also signs the namespaces around an element.
CANONICALISATION = EXC_C14N

# RFC 9231 2.3, each with its type of key. SHA-1, MD5, SHA-224, DSA and every MAC are missing on purpose.
SIGNATURES: Mapping[str, KeyType] = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": "RSA",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": "RSA",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": "RSA",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": "RSA",
    "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1": "RSA",
    "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1": "RSA",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": "EC",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": "EC",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": "EC",
}

DIGESTS: Mapping[str, str] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}

SMALLEST_RSA = 2048
LARGEST_RSA = 8192
LONGEST_EXPONENT = 32
CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
# RFC 9231 2.3, without SHA-1.
_RSA = {f"{_MORE}rsa-sha256": SHA256(), f"{_MORE}rsa-sha384": SHA384(), f"{_MORE}rsa-sha512": SHA512()}
_PSS = {f"{_MORE_2007}sha{hash.digest_size * 8}-rsa-MGF1": hash for hash in _RSA.values()}
_ECDSA = {f"{_MORE}ecdsa-sha256": SHA256(), f"{_MORE}ecdsa-sha384": SHA384(), f"{_MORE}ecdsa-sha512": SHA512()}


def is_made_by_one_of(signing_keys: tuple[bytes, ...], algorithm: str, octets: bytes, signature: bytes) -> bool:
    """Whether one of the keys made the signature. False also for an algorithm that we do not accept, or a weak key."""
    return any(_made(key, algorithm, octets, signature) for key in signing_keys)


def key_type(spki: bytes) -> KeyType | None:
    """The type of a key (SubjectPublicKeyInfo, DER). None: the key is too weak, or of a type that we do not accept."""
    key = _public_key(spki)
    return None if key is None else "RSA" if isinstance(key, RSAPublicKey) else "EC"


def _made(spki: bytes, algorithm: str, octets: bytes, signature: bytes) -> bool:
    key = _public_key(spki)
    try:
        if isinstance(key, RSAPublicKey):
            return _made_by_rsa(key, algorithm, octets, signature)
        if key is not None and algorithm in _ECDSA:
            key.verify(_der(key, signature), octets, ECDSA(_ECDSA[algorithm]))
            return True
    except (InvalidSignature, ValueError):
        return False
    return False


# Loading a key costs as much as verifying a signature with it.
@lru_cache(maxsize=256)
def _public_key(spki: bytes) -> RSAPublicKey | EllipticCurvePublicKey | None:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(key, RSAPublicKey) and SMALLEST_RSA <= key.key_size <= LARGEST_RSA:
        return key
    return key if isinstance(key, EllipticCurvePublicKey) and key.curve.name in CURVES else None


def _made_by_rsa(key: RSAPublicKey, algorithm: str, octets: bytes, signature: bytes) -> bool:
    if algorithm in _RSA:
        key.verify(signature, octets, PKCS1v15(), _RSA[algorithm])
        return True
    if algorithm in _PSS:
        # RFC 9231 2.3.10: the salt is as long as the hash, which MGF1 uses too
        hash = _PSS[algorithm]
        key.verify(signature, octets, PSS(MGF1(hash), hash.digest_size), hash)
        return True
    return False


def _der(key: EllipticCurvePublicKey, signature: bytes) -> bytes:
    # RFC 6931 2.3.6: both numbers side by side, each as long as the curve's order
    size = (key.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise ValueError("not two numbers of the curve")
    return encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
