"""Whether certificates and keys can be used at all; when they end is not asked here."""

from typing import TYPE_CHECKING

from gateway.config.scalars import Wrong

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


def check_certificates(content: bytes) -> None:
    """One or more PEM certificates; raises Wrong."""
    # Imported late: most folders have no certificate, and cryptography is slow to come.
    from cryptography.x509 import load_pem_x509_certificates

    try:
        load_pem_x509_certificates(content)
    except ValueError:
        raise Wrong("this is not a certificate in PEM form", "-----BEGIN CERTIFICATE-----") from None


def check_private_key(content: bytes) -> None:
    """A PEM key without a passphrase; raises Wrong."""
    _private_key(content)


def check_pair(certificate: bytes, key: bytes) -> None:
    """Raises Wrong unless `key` belongs to the first of the certificates. Both are readable each by itself."""
    from cryptography.x509 import load_pem_x509_certificates

    if load_pem_x509_certificates(certificate)[0].public_key() != _private_key(key).public_key():
        raise Wrong("this key does not belong to the certificate")


def _private_key(content: bytes) -> "PrivateKeyTypes":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(content, None)
    except TypeError:
        raise Wrong("this key has a passphrase", "take it off, and keep the file from other users") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Wrong("this is not a private key in PEM form", "-----BEGIN PRIVATE KEY-----") from None
