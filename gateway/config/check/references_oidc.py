"""What the section `oidc:` of a provider file refers to, and what each of it has to be."""

from collections.abc import Callable, Iterator
from functools import partial

from gateway.config.check.pem import check_certificates, check_own_key, check_private_key
from gateway.config.problems import Path
from gateway.config.schema.oidc import OidcSection
from gateway.config.schema.scalars import Reference, Wrong

_Check = Callable[[bytes], None]
# RFC 7518 3.2: a key of at least the size of the hash
MAC_SECRET_BYTES = 32


def oidc_references(oidc: OidcSection) -> Iterator[tuple[Path, Reference, _Check, bool]]:
    """Where it stands, the reference, its check, and whether development may write it inline."""
    if oidc.client_secret is not None:
        check: _Check = _mac_secret if oidc.makes_macs else _client_secret
        yield ("oidc", "client_secret"), oidc.client_secret, check, True
    for index, key in enumerate(oidc.client_keys):
        yield ("oidc", "client_keys", index, "key"), key.key, partial(check_own_key, key.algorithm), True
        if key.certificate is not None:
            yield ("oidc", "client_keys", index, "certificate"), key.certificate, check_certificates, False
    for index, opening in enumerate(oidc.encryption.keys if oidc.encryption else ()):
        check = partial(check_own_key, opening.algorithm)
        yield ("oidc", "encryption", "keys", index, "key"), opening.key, check, True
    if oidc.client_certificate is not None:
        path: Path = ("oidc", "client_certificate")
        yield (*path, "certificate"), oidc.client_certificate.certificate, check_certificates, False
        yield (*path, "key"), oidc.client_certificate.key, check_private_key, True
    if oidc.ca is not None:
        yield ("oidc", "ca"), oidc.ca, check_certificates, False


def _client_secret(content: bytes) -> None:
    # RFC 6749 A.2: visible ASCII and blanks.
    if not all(0x20 <= byte <= 0x7E for byte in content):
        raise Wrong("a client secret is visible ASCII, on one line")


def _mac_secret(content: bytes) -> None:
    _client_secret(content)
    if len(content) < MAC_SECRET_BYTES:
        why = f"a client secret that signs has at least {MAC_SECRET_BYTES} characters, and this one has {len(content)}"
        raise Wrong(why)
