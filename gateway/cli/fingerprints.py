"""Fingerprints of a provider's keys, to compare with the provider's administrator."""

import hashlib
import re
from collections.abc import Sequence

from cryptography.x509 import load_der_x509_certificate

from gateway.model.quoting import quoted
from gateway.saml.key_info import NamedKey

_LENGTH = 64
_ALGORITHM = re.compile(r"sha-?256(?:\s+fingerprint)?\s*=?", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s:]")


def fingerprint(key: NamedKey) -> str:
    """The SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` writes it. Without a certificate: of the
    SubjectPublicKeyInfo."""
    digest = hashlib.sha256(key.spki if key.certificate is None else key.certificate).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, _LENGTH, 2))


def about(key: NamedKey) -> str:
    """The certificate's name and end, for the operator's eyes."""
    if key.certificate is None:
        return "a key without a certificate"
    certificate = load_der_x509_certificate(key.certificate)
    return f"{quoted(certificate.subject.rfc4514_string(), 80)}, until {certificate.not_valid_after_utc:%Y-%m-%d}"


def wrong_fingerprint(text: str) -> str:
    """The reason why a text is no SHA-256 fingerprint; empty for a fingerprint."""
    plain = _plain(text)
    if len(plain) == 40:
        return "this is a SHA-1 fingerprint: ask for the SHA-256 (openssl x509 -in FILE -noout -fingerprint -sha256)"
    return "" if re.fullmatch(r"[0-9A-F]{64}", plain) else "a SHA-256 fingerprint has 64 hexadecimal digits"


def unconfirmed(keys: Sequence[NamedKey], told: Sequence[str]) -> tuple[list[NamedKey], list[str]]:
    """The keys without a given fingerprint, and the given fingerprints without a key."""
    given = {_plain(text): text for text in told}
    of_keys = {key: _fingerprints(key) for key in keys}
    return (
        [key for key in keys if not of_keys[key] & set(given)],
        [text for plain, text in given.items() if not any(plain in every for every in of_keys.values())],
    )


def _fingerprints(key: NamedKey) -> set[str]:
    """Administrators give the fingerprint of the certificate or of the key."""
    content = (key.spki, key.certificate or key.spki)
    return {hashlib.sha256(one).hexdigest().upper() for one in content}


def _plain(text: str) -> str:
    """The digits alone, of a line as openssl prints it."""
    text = text.strip()
    algorithm = _ALGORITHM.match(text)
    return _BETWEEN.sub("", text if algorithm is None else text[algorithm.end() :]).upper()
