"""LTPA version 2, the single sign-on of WebSphere and Domino: a cookie under the keys that a cell exports.

There is no specification. The layout is that of Open Liberty and of spring-security-ltpa2: `body%end%signature`, by
AES-128 in CBC with a vector that never changes, and RSA over SHA-1 with a key of 1024 bits. Both are weaker than what
ANSSI's guides ask for, and the application can take nothing else.
"""

import base64
import binascii
import hashlib
import re
from functools import lru_cache
from typing import Final, NamedTuple, cast

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.tokens.claims import account
from gateway.tokens.spec import Ltpa2Spec

_BLOCK_BYTES: Final = 16
_PREFIX: Final = "com.ibm.websphere.ltpa."
# Of the private key's fields: the length of the exponent, the public exponent, and each prime with a zero before it.
_LENGTH, _PUBLIC_EXPONENT, _PRIME = 4, 3, 65
_ESCAPED: Final = re.compile(r"([:$%])")
# A reader would take the separator behind it for a part of the name.
_ESCAPES_WHAT_FOLLOWS: Final = re.compile(r"\\(?:[:$%]|$)")


class LtpaKeys(NamedTuple):
    """`shared`: 16 bytes, the encryption key. `private`: PEM, the signing key. `realm`: empty: the file has none."""

    shared: bytes
    private: bytes
    realm: str


def ltpa_keys(exported: bytes, password: bytes) -> LtpaKeys:
    """The keys of a file exported by WebSphere (`ltpa.keys`). Raises ValueError, without content of the file."""
    properties = _properties(exported)
    shared, private = (
        _opened(properties.get(f"{_PREFIX}{name}", ""), password, name) for name in ("3DESKey", "PrivateKey")
    )
    if len(shared) < _BLOCK_BYTES:
        raise ValueError("3DESKey is no key")
    return LtpaKeys(shared[:_BLOCK_BYTES], _pem(private), properties.get(f"{_PREFIX}Realm", ""))


def ltpa2_token(spec: Ltpa2Spec, identity: Identity, *, ends: int) -> bytes:
    """The value of the cookie. `ends`: Unix seconds. Raises GatewayError(translation_codes.UNENCODABLE)."""
    body = _body(spec.realm, account_in_token(spec, identity), ends)
    # SHA-1 of SHA-1: what is signed is the digest, which is digested once more.
    signature = _signer(spec.private_key).sign(hashlib.sha1(body, usedforsecurity=False).digest(), PKCS1v15(), SHA1())
    written = b"%b%%%d%%%b" % (body, ends * 1000, base64.b64encode(signature))
    padder = PKCS7(8 * _BLOCK_BYTES).padder()
    encryptor = Cipher(AES(spec.shared_key), CBC(spec.shared_key)).encryptor()
    padded = padder.update(written) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize())


def account_in_token(spec: Ltpa2Spec, identity: Identity) -> str:
    """Raises GatewayError(translation_codes.UNENCODABLE), without the name."""
    name = account(spec.account, identity, spec.carrier.name)
    if _ESCAPES_WHAT_FOLLOWS.search(name):
        raise GatewayError(translation_codes.UNENCODABLE, f"{spec.carrier.name}: a backslash before a separator")
    return name


def _body(realm: str, name: str, ends: int) -> bytes:
    user = _ESCAPED.sub(r"\\\1", f"user:{realm}/{name}")
    return f"expire:{ends * 1000}$u:{user}".encode()


@lru_cache(64)
def _signer(pem: bytes) -> RSAPrivateKey:
    # What is served has been loaded with every check before.
    return cast(RSAPrivateKey, load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True))


def _properties(content: bytes) -> dict[str, str]:
    """A Java properties file, as far as WebSphere writes one."""
    found = {}
    for line in content.decode("latin-1").splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith(("#", "!")):
            found[name.strip()] = re.sub(r"\\(.)", r"\1", value.strip())
    return found


def _opened(written: str, password: bytes, name: str) -> bytes:
    """3DES takes a key of 24 bytes: the SHA-1 of the password, and four zeros."""
    if not written:
        raise ValueError(f"{name} is missing")
    key = hashlib.sha1(password, usedforsecurity=False).digest() + bytes(4)
    # Nothing is encrypted so: this opens what WebSphere has exported.
    decryptor = Cipher(TripleDES(key), ECB()).decryptor()
    unpadder = PKCS7(64).unpadder()
    try:
        plain = decryptor.update(base64.b64decode(written, validate=True)) + decryptor.finalize()
        return unpadder.update(plain) + unpadder.finalize()
    except (binascii.Error, ValueError):
        raise ValueError(f"{name} does not open with this password") from None


def _pem(private: bytes) -> bytes:
    """WebSphere's form of a key: length and private exponent, public exponent, two primes. Raises ValueError for
    anything but an RSA key of 1024 bits."""
    size = int.from_bytes(private[:_LENGTH])
    if len(private) < _LENGTH + size + _PUBLIC_EXPONENT + 2 * _PRIME:
        raise ValueError("PrivateKey is no key of 1024 bits")
    fields, at = [], _LENGTH
    for length in (size, _PUBLIC_EXPONENT, _PRIME, _PRIME):
        fields.append(int.from_bytes(private[at : at + length]))
        at += length
    d, e, p, q = fields
    try:
        numbers = RSAPrivateNumbers(
            p, q, d, rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), rsa_crt_iqmp(p, q), RSAPublicNumbers(e, p * q)
        )
        key = numbers.private_key()
    except ValueError:
        raise ValueError("PrivateKey is no RSA key") from None
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
