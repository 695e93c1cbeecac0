"""XML Encryption: elements that were encrypted to one of our keys.

We use cryptography and not xmlsec. It supports every OAEP digest and prints nothing to stderr; every failure can take
the same time and give the same error; and the plain text goes through our one parser.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass
from functools import lru_cache
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.document import DEEPEST, parse
from gateway.saml.names import XENC, XENC11, ds, xenc
from gateway.saml.parties import KeyPair, ServiceProvider

# XML Encryption 1.1 5.2: bytes of the key. 3DES is missing on purpose.
_GCM: Mapping[str, int] = {f"{XENC11}aes{bits}-gcm": bits // 8 for bits in (128, 192, 256)}
_CBC: Mapping[str, int] = {f"{XENC}aes{bits}-cbc": bits // 8 for bits in (128, 192, 256)}
# XML Encryption 1.1 5.5: RSA 1.5 is missing on purpose. SHA-1 inside OAEP needs no collision resistance.
_OAEP_MGF1P = f"{XENC}rsa-oaep-mgf1p"
_OAEP = f"{XENC11}rsa-oaep"
_DIGESTS: Mapping[str, hashes.HashAlgorithm] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": hashes.SHA1(),  # noqa: S303
    "http://www.w3.org/2001/04/xmlenc#sha256": hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384(),
    "http://www.w3.org/2001/04/xmlenc#sha512": hashes.SHA512(),
}
_MASKS: Mapping[str, hashes.HashAlgorithm] = {
    f"{XENC11}mgf1sha1": hashes.SHA1(),  # noqa: S303
    f"{XENC11}mgf1sha256": hashes.SHA256(),
    f"{XENC11}mgf1sha384": hashes.SHA384(),
    f"{XENC11}mgf1sha512": hashes.SHA512(),
}
_MOST_KEYS = 4
_BLOCK = 16
_FAILED = "none of our keys decrypts the encrypted part, or its content is not allowed"
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class Decrypted:
    """`element`: the content of `encrypted`. Decryption does not prove the author: any sender can encrypt to our
    key."""

    element: etree._Element
    encrypted: etree._Element
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("an Decrypted comes from decrypt alone")


@dataclass(frozen=True, slots=True)
class _WrappedKey:
    oaep: padding.OAEP
    value: bytes


def decrypt(encrypted: etree._Element, expected: str, sp: ServiceProvider, *, cbc: bool) -> Decrypted:
    """Decrypt an EncryptedAssertion, EncryptedID or EncryptedAttribute that matches the schema.

    `expected`: the tag of the content.
    `cbc`: AES-CBC is allowed. AES-CBC has a padding oracle: an attacker who sends changed ciphertexts and watches our
    responses can read the content.

    Raises GatewayError: saml_codes.ENCRYPTION_ALGORITHM or ENCRYPTION_FORM before any key is used. After that, only
    DECRYPTION, with the same detail and after the same work: each of our keys on each wrapped key, and one content.
    Only a successful decryption ends sooner.
    """
    data = next(encrypted.iterchildren(xenc("EncryptedData")), None)
    if data is None:
        raise GatewayError(saml_codes.ENCRYPTION_FORM, "no EncryptedData")
    algorithm = _method(data).get("Algorithm", "")
    _check_content(algorithm, cbc)
    wrapped = [_wrapped(key) for key in _encrypted_keys(encrypted, data, sp.entity_id)]
    size, value = _GCM.get(algorithm) or _CBC[algorithm], _cipher_value(data)
    tried = False
    for content_key in _content_keys(wrapped, sp.keys, size):
        if content_key is None or tried:
            continue
        tried = True
        element = _read(_decrypted(algorithm, content_key, value), encrypted, expected)
        if element is not None:
            return Decrypted(element, encrypted, _PROVEN)
    if not tried:
        _read(_decrypted(algorithm, _no_key(wrapped, sp.keys, size), value), encrypted, expected)
    raise GatewayError(saml_codes.DECRYPTION, _FAILED)


def _check_content(algorithm: str, cbc: bool) -> None:
    if algorithm in _CBC and not cbc:
        detail = (
            "encrypted with AES-CBC, which is accepted only with `aes_cbc_inside_a_signed_response: true`, and if "
            "the Response itself is signed (AD FS: -SamlResponseSignature MessageAndAssertion)"
        )
        raise GatewayError(saml_codes.ENCRYPTION_ALGORITHM, detail)
    if algorithm not in _CBC and algorithm not in _GCM:
        raise GatewayError(saml_codes.ENCRYPTION_ALGORITHM, "encrypted with neither AES-GCM nor AES-CBC")


def _encrypted_keys(encrypted: etree._Element, data: etree._Element, recipient: str) -> list[etree._Element]:
    """The wrapped keys that may be for us (Core 6): beside the data or in the KeyInfo, filtered by Recipient."""
    keys = [*data.findall(f"{ds('KeyInfo')}/{xenc('EncryptedKey')}"), *encrypted.findall(xenc("EncryptedKey"))]
    ours = [key for key in keys if key.get("Recipient", recipient) == recipient]
    if not 0 < len(ours) <= _MOST_KEYS:
        raise GatewayError(saml_codes.ENCRYPTION_FORM, f"{len(ours)} EncryptedKeys for us, not 1 to {_MOST_KEYS}")
    return ours


def _wrapped(key: etree._Element) -> _WrappedKey:
    method = _method(key)
    algorithm = method.get("Algorithm")
    digest = next(method.iterchildren(ds("DigestMethod")), None)
    mask = next(method.iterchildren(f"{{{XENC11}}}MGF"), None)
    hash = hashes.SHA1() if digest is None else _DIGESTS.get(digest.get("Algorithm", ""))  # noqa: S303
    mgf = hashes.SHA1() if mask is None else _MASKS.get(mask.get("Algorithm", ""))  # noqa: S303
    # XML Encryption 1.1 5.5.2: the older name has MGF1 with SHA-1 and no parameter for it
    if algorithm not in (_OAEP_MGF1P, _OAEP) or (algorithm == _OAEP_MGF1P and mask is not None):
        raise GatewayError(saml_codes.ENCRYPTION_ALGORITHM, "a key transport that is not RSA-OAEP")
    if hash is None or mgf is None:
        raise GatewayError(saml_codes.ENCRYPTION_ALGORITHM, "RSA-OAEP with a digest that is not accepted")
    return _WrappedKey(padding.OAEP(padding.MGF1(mgf), hash, None), _cipher_value(key))


def _content_keys(wrapped: list[_WrappedKey], pairs: tuple[KeyPair, ...], size: int) -> Iterator[bytes | None]:
    """The results of each of our keys on each wrapped key; None: no content key.

    A generator: a private operation costs a third of a millisecond, and the caller stops at the right key.
    """
    for each in wrapped:
        for pair in pairs:
            unwrapped = _unwrapped(pair, each)
            yield unwrapped if unwrapped is not None and len(unwrapped) == size else None


def _no_key(wrapped: list[_WrappedKey], pairs: tuple[KeyPair, ...], size: int) -> bytes:
    """A key that opens nothing: without a fitting key, the failure looks and lasts like any other failure."""
    return hashlib.sha256(b"".join(pair.key for pair in pairs) + wrapped[0].value).digest()[:size]


def _unwrapped(pair: KeyPair, wrapped: _WrappedKey) -> bytes | None:
    key = _private_key(pair)
    if key is None:
        return None
    try:
        return key.decrypt(wrapped.value, wrapped.oaep)
    except ValueError:
        return None


# Loading the PEM costs nearly as much as the decryption.
@lru_cache(maxsize=8)
def _private_key(pair: KeyPair) -> rsa.RSAPrivateKey | None:
    key = load_pem_private_key(pair.key, None, unsafe_skip_rsa_key_validation=True)
    return key if isinstance(key, rsa.RSAPrivateKey) else None


def _decrypted(algorithm: str, key: bytes, value: bytes) -> bytes:
    """The plain text, or on failure bytes that the parser refuses: every failure costs the same work."""
    if algorithm in _GCM:
        # XML Encryption 1.1 5.2.4: 12 bytes of IV and 16 of tag. We accept no shorter tag.
        try:
            return AESGCM(key).decrypt(value[:12], value[12:], None)
        except (InvalidTag, ValueError):
            return b""
    if len(value) < 2 * _BLOCK or len(value) % _BLOCK:
        return b""
    decryptor = Cipher(AES(key), CBC(value[:_BLOCK])).decryptor()
    plaintext = decryptor.update(value[_BLOCK:]) + decryptor.finalize()
    # XML Encryption 1.1 5.2.3: the last byte counts the padding
    return plaintext[: -plaintext[-1]] if 1 <= plaintext[-1] <= _BLOCK else plaintext


def _read(plaintext: bytes, encrypted: etree._Element, expected: str) -> etree._Element | None:
    """Parses the plain text in place (XML Encryption 4.3.3), so that prefixes declared around the text keep their
    meaning.

    None: the plain text is not the one expected element.
    """
    declared = "".join(
        f" xmlns{f':{prefix}' if prefix else ''}={quoteattr(uri)}" for prefix, uri in encrypted.nsmap.items()
    )
    document = b"".join((b"<context", declared.encode(), b">", plaintext, b"</context>"))
    try:
        context = parse(document, max_depth=DEEPEST + 1).root
    except GatewayError:
        return None
    children = list(context)
    if len(children) != 1 or children[0].tag != expected or context.text or children[0].tail:
        return None
    return children[0]


def _method(element: etree._Element) -> etree._Element:
    method = next(element.iterchildren(xenc("EncryptionMethod")), None)
    if method is None:
        raise GatewayError(saml_codes.ENCRYPTION_FORM, "no EncryptionMethod")
    return method


def _cipher_value(element: etree._Element) -> bytes:
    text = element.findtext(f"{xenc('CipherData')}/{xenc('CipherValue')}") or ""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
