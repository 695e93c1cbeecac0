"""Checks that certificates and keys can be used. Their dates are not checked here."""

import base64
import hashlib
from typing import TYPE_CHECKING

from gateway.config.schema.scalars import Wrong

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes


def check_certificates(content: bytes) -> None:
    """Checks that the content is PEM certificates, at least one. Raises Wrong."""
    # Imported late: most folders have no certificate, and cryptography is slow to come.
    from cryptography.x509 import InvalidVersion, load_pem_x509_certificates

    try:
        load_pem_x509_certificates(content)
    except (ValueError, InvalidVersion):
        raise Wrong("this is not a certificate in PEM form", _certificate_hint(content)) from None


def _certificate_hint(content: bytes) -> str:
    from cryptography.x509 import InvalidVersion, load_der_x509_certificate

    try:
        load_der_x509_certificate(content)
        return "it is one in DER form: openssl x509 -inform DER -in FILE -out FILE.pem"
    except (ValueError, InvalidVersion):
        pass
    if _is_pkcs12(content):
        return "it is PKCS #12 (.pfx, .p12): openssl pkcs12 -in FILE -nokeys -out FILE.pem"
    return "-----BEGIN CERTIFICATE-----"


def _is_pkcs12(content: bytes) -> bool:
    # RFC 7292 4: a SEQUENCE whose first member is the INTEGER 3.
    return content[:1] == b"\x30" and b"\x02\x01\x03" in content[1:9]


def check_one_certificate(content: bytes) -> None:
    """Checks that the content is a single PEM certificate. Raises Wrong."""
    check_certificates(content)
    if content.count(b"BEGIN CERTIFICATE") > 1:
        raise Wrong("this is more than one certificate", "a pin is the application's own: one file for each")


def certificate_der(content: bytes) -> bytes:
    """The DER form of a certificate that `check_one_certificate` accepted."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(content).public_bytes(Encoding.DER)


def check_private_key(content: bytes) -> None:
    """A PEM key without a passphrase; raises Wrong."""
    _private_key(content)


def check_own_key(algorithm: str, content: bytes) -> None:
    """A private key for `algorithm` (of model.provider.ClientKey or tokens.spec.SigningKey); raises Wrong."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    key = _private_key(content)
    if algorithm == "EdDSA":
        if not isinstance(key, Ed25519PrivateKey):
            raise Wrong("EdDSA needs an Ed25519 key", "openssl genpkey -algorithm ed25519")
    elif algorithm in ("ES256", "ECDH-ES"):
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise Wrong(f"{algorithm} needs an EC key on P-256")
    # RFC 7518 3.3: 2048 bits or more
    elif not isinstance(key, RSAPrivateKey) or not 2048 <= key.key_size <= 8192:
        other = "ES256" if algorithm in ("RS256", "PS256") else "ECDH-ES"
        raise Wrong(f"{algorithm} needs an RSA key of 2048 to 8192 bits", f"for an EC key write algorithm: {other}")


def check_pair(certificate: bytes, key: bytes) -> None:
    """Raises Wrong unless `key` belongs to the first of the certificates. Both are readable each by itself."""
    from cryptography.x509 import load_pem_x509_certificates

    if load_pem_x509_certificates(certificate)[0].public_key() != _private_key(key).public_key():
        raise Wrong("this key does not belong to the certificate")


def names_and_end(certificates: bytes) -> tuple[tuple[str, ...], float]:
    """The DNS names of the first certificate, in lower case, and the first end of a certificate, in Unix seconds."""
    from cryptography.x509 import (
        DNSName,
        DuplicateExtension,
        ExtensionNotFound,
        SubjectAlternativeName,
        load_pem_x509_certificates,
    )

    found = load_pem_x509_certificates(certificates)
    ends = min(one.not_valid_after_utc for one in found).timestamp()
    try:
        named = found[0].extensions.get_extension_for_class(SubjectAlternativeName).value
    except (ExtensionNotFound, DuplicateExtension, ValueError):
        return (), ends
    return tuple(name.lower() for name in named.get_values_for_type(DNSName)), ends


def thumbprint(certificates: bytes) -> str:
    """RFC 7515 4.1.7: the thumbprint of the first certificate. It names a certificate and proves nothing."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_pem_x509_certificates

    der = load_pem_x509_certificates(certificates)[0].public_bytes(Encoding.DER)
    digest = hashlib.sha1(der, usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def check_saml_key(content: bytes) -> None:
    """A private key that can sign our messages; raises Wrong."""
    _check_signs_saml(_private_key(content).public_key())


def check_public_key(content: bytes) -> None:
    """A PEM certificate or public key that can have signed SAML metadata; raises Wrong."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    _check_signs_saml(load_der_public_key(public_key_der(content)))


def _check_signs_saml(key: "PublicKeyTypes") -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, SECP521R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if isinstance(key, RSAPublicKey) and 2048 <= key.key_size <= 8192:
        return
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1 | SECP384R1 | SECP521R1):
        return
    raise Wrong("this key is not for SAML", "RSA of 2048 to 8192 bits, or EC on P-256, P-384 or P-521")


def public_key_der(content: bytes) -> bytes:
    """SubjectPublicKeyInfo of a PEM certificate or public key, in DER. The dates of a certificate do not matter. Raises
    Wrong."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
    from cryptography.x509 import InvalidVersion, load_pem_x509_certificate

    try:
        certified = b"BEGIN CERTIFICATE" in content
        key = load_pem_x509_certificate(content).public_key() if certified else load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm, InvalidVersion):
        hint = _certificate_hint(content)
        raise Wrong(
            "this is neither a certificate nor a public key in PEM form", hint if "DER" in hint else ""
        ) from None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _private_key(content: bytes) -> "PrivateKeyTypes":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(content, None)
    except TypeError:
        raise Wrong("this key has a passphrase", "take it off, and keep the file from other users") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Wrong("this is not a private key in PEM form", _key_hint(content)) from None


def _key_hint(content: bytes) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        load_der_private_key(content, None)
    except TypeError:
        pass  # it has a passphrase, which openssl asks for
    except (ValueError, UnsupportedAlgorithm):
        if _is_pkcs12(content):
            return "it is PKCS #12 (.pfx, .p12): openssl pkcs12 -in FILE -nocerts -noenc -out FILE.pem"
        return "-----BEGIN PRIVATE KEY-----"
    return "it is one in DER form: openssl pkey -inform DER -in FILE -out FILE.pem"
