"""Metadata 2.4.1.1: the keys with which a role may sign. From a certificate we read only the key."""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import InvalidVersion, load_der_x509_certificate
from lxml import etree

from gateway.saml.algorithms import CURVES, LARGEST_RSA, LONGEST_EXPONENT, SMALLEST_RSA
from gateway.saml.names import DSIG11, ds, md

_MOST_KEYS = 16
_UNUSABLE = (ValueError, TypeError, UnsupportedAlgorithm, InvalidVersion)
_LONGEST = 1 << 16
# RFC 5480 2.1.1.1, as dsig11:NamedCurve names them
_CURVES: dict[str, EllipticCurve] = {
    "urn:oid:1.2.840.10045.3.1.7": SECP256R1(),
    "urn:oid:1.3.132.0.34": SECP384R1(),
    "urn:oid:1.3.132.0.35": SECP521R1(),
}


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key that a document names.

    `spki`: SubjectPublicKeyInfo (DER).
    `certificate`: the certificate of the key (DER); None: the document names the key alone.
    """

    spki: bytes
    certificate: bytes | None


def signing_keys(role: etree._Element) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """The signing keys as SubjectPublicKeyInfo (DER), and the reasons why keys were left out.

    An unusable key does not affect the other keys.
    """
    keys, left_out = named_signing_keys(role)
    return tuple(dict.fromkeys(key.spki for key in keys)), left_out


def named_signing_keys(role: etree._Element) -> tuple[tuple[NamedKey, ...], tuple[str, ...]]:
    """As `signing_keys`, with the certificates."""
    keys: list[NamedKey] = []
    left_out: list[str] = []
    for place, descriptor in enumerate(role.iterchildren(md("KeyDescriptor"))):
        # Metadata 2.4.1.1: a key without `use` is for signing and for encryption.
        if descriptor.get("use", "signing") != "signing":
            continue
        if place >= _MOST_KEYS:
            left_out.append(f"more than {_MOST_KEYS} keys")
            break
        try:
            keys.append(_named_key(descriptor))
        except _UNUSABLE as error:
            left_out.append(f"key {place}: {str(error)[:100]}")
    return tuple(keys), tuple(left_out)


def signer_named_in(signature: etree._Element) -> NamedKey | None:
    """The key in the KeyInfo of a signature; None: no usable key. The KeyInfo is unsigned: a caller must not trust the
    key before a person has confirmed the key."""
    try:
        return _named_key(signature)
    except _UNUSABLE:
        return None


def _named_key(holder: etree._Element) -> NamedKey:
    """The key of a KeyInfo. Of several certificates we take the first; the others are its chain."""
    certificate = holder.find(f"{ds('KeyInfo')}/{ds('X509Data')}/{ds('X509Certificate')}")
    if certificate is None:
        return NamedKey(_public_bytes(_bare_key(holder)), None)
    der = _binary(certificate)
    return NamedKey(_public_bytes(load_der_x509_certificate(der).public_key()), der)


def _bare_key(descriptor: etree._Element) -> object:
    value = descriptor.find(f"{ds('KeyInfo')}/{ds('KeyValue')}/*")
    if value is None:
        raise ValueError("neither a certificate nor a key")
    if value.tag == ds("RSAKeyValue"):
        # XML Signature 4.4.2.2
        modulus, exponent = (int.from_bytes(_binary(value.find(ds(name))), "big") for name in ("Modulus", "Exponent"))
        return RSAPublicNumbers(exponent, modulus).public_key()
    return _ec_key(value)


def _ec_key(value: etree._Element) -> object:
    # XML Signature 1.1 4.5.2.3
    named, point = value.find(f"{{{DSIG11}}}NamedCurve"), value.find(f"{{{DSIG11}}}PublicKey")
    curve = None if named is None else _CURVES.get(named.get("URI", ""))
    if curve is None:
        raise ValueError("its type or curve is not accepted")
    return EllipticCurvePublicKey.from_encoded_point(curve, _binary(point))


def _public_bytes(key: object) -> bytes:
    if isinstance(key, RSAPublicKey):
        if not SMALLEST_RSA <= key.key_size <= LARGEST_RSA:
            raise ValueError(f"an RSA key of {key.key_size} bits, not of {SMALLEST_RSA} to {LARGEST_RSA}")
        # With an exponent as long as a modulus of 3072 bits, each verification would cost a hundred times as much.
        if key.public_numbers().e.bit_length() > LONGEST_EXPONENT:
            raise ValueError(f"an RSA exponent of over {LONGEST_EXPONENT} bits")
    elif not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise ValueError("its type or curve is not accepted")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _binary(element: etree._Element | None) -> bytes:
    text = None if element is None else element.text
    if not text or len(text) > _LONGEST:
        raise ValueError("it is empty, or far too long")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("it is not base64") from error
