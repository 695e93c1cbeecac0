"""Checks that the keys of a keyring can be used, and that a key is in force now."""

from gateway.config.check.pem import check_certificates, check_own_key, check_pair, check_saml_key
from gateway.config.keyring import Keyring, NoKeyring, RingKey, RingKind, read_keyring
from gateway.config.schema.scalars import Wrong

STORE_KEY_BYTES = 32
_ALGORITHMS = ("RS256", "PS256", "ES256")


def check_keyring(kind: RingKind, content: bytes) -> None:
    """`content`: the keyring with only the keys in force. Raises Wrong."""
    ring = _read(kind, content)
    if not ring.keys:
        raise Wrong("no key of this keyring is in force now: each has ended or is yet to come", "ecluse key list")
    for key in ring.keys:
        try:
            _check(kind, key)
        except Wrong as wrong:
            raise Wrong(f"key {key.id}: {wrong.message}", wrong.hint) from None


def _read(kind: RingKind, content: bytes) -> Keyring:
    try:
        ring = read_keyring(content)
    except NoKeyring as why:
        raise Wrong(str(why), f"ecluse key new {kind} FILE") from None
    if ring.kind != kind:
        raise Wrong(f"this is a keyring of {ring.kind} keys", f"ecluse key new {kind} FILE")
    return ring


def _check(kind: RingKind, key: RingKey) -> None:
    match kind:
        case "store":
            if len(key.parts["secret"].encode()) < STORE_KEY_BYTES:
                raise Wrong(f"a store key has at least {STORE_KEY_BYTES} bytes", "ecluse key rotate")
        case "saml":
            certificate, own = key.parts["certificate"].encode(), key.parts["key"].encode()
            check_certificates(certificate)
            check_saml_key(own)
            check_pair(certificate, own)
        case "client":
            if key.parts["algorithm"] not in _ALGORITHMS:
                raise Wrong("this algorithm signs nothing here", ", ".join(_ALGORITHMS))
            check_own_key(key.parts["algorithm"], key.parts["key"].encode())
