"""The keys of the demo, made once and never written over: `python -m deploy.demo.keys` makes those that are missing."""

import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS
from deploy.demo.ldap_server import ACCOUNTS as LDAP_ACCOUNTS

FORM_SECRET: Final = "education/examens.secret"
"""What the application with a login form takes for everybody's password: its team's own file."""


def make_all(folder: Path) -> None:
    """What the files of policies/ refer to. Raises OSError."""
    make_keys(folder, (*ACCOUNTS, LDAP_ACCOUNTS))
    make_pairs(folder, ("saml", *SAML_ACCOUNTS))
    _make(folder / FORM_SECRET)


def make_keys(folder: Path, providers: Iterable[str]) -> None:
    """store.key, and NAME.secret for each provider: one line each, mode 0600. Raises OSError."""
    folder.mkdir(exist_ok=True)
    for name in ("store.key", *(secret_name(provider) for provider in providers)):
        _make(folder / name)


def _make(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")


def make_pairs(folder: Path, names: Iterable[str]) -> None:
    """NAME.key and NAME.crt for each: an RSA key and a certificate for it, mode 0600. Raises OSError."""
    folder.mkdir(exist_ok=True)
    for name in names:
        if not (folder / f"{name}.key").exists():
            key, certificate = _pair(name)
            _write(folder / f"{name}.key", key)
            (folder / f"{name}.crt").unlink(missing_ok=True)
            _write(folder / f"{name}.crt", certificate)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _pair(name: str) -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


def read_secret(folder: Path, provider: str) -> str:
    return (folder / secret_name(provider)).read_text().rstrip("\n")


def secret_name(provider: str) -> str:
    return f"{provider}.secret"


if __name__ == "__main__":
    make_all(Path(__file__).resolve().parents[2] / "certs")
