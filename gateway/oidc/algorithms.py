"""The signature algorithms that a provider file may pin. `none` is not in the list."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

KeyKind = Literal["RSA", "P-256", "P-384", "P-521", "Ed25519", "secret"]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """`kind`: the type of key that fits; `secret` is the client secret, never a published key. `model`: joserfc's name
    for the algorithm. `hash`: the digest with which at_hash is made."""

    name: str
    kind: KeyKind
    model: str
    hash: str


def _table() -> Mapping[str, Algorithm]:
    rows: tuple[tuple[str, KeyKind, str, str], ...] = (
        # RFC 7518 3.3 and 3.5
        ("RS256", "RSA", "RS256", "sha256"),
        ("RS384", "RSA", "RS384", "sha384"),
        ("RS512", "RSA", "RS512", "sha512"),
        ("PS256", "RSA", "PS256", "sha256"),
        ("PS384", "RSA", "PS384", "sha384"),
        ("PS512", "RSA", "PS512", "sha512"),
        # RFC 7518 3.4: each algorithm has one curve.
        ("ES256", "P-256", "ES256", "sha256"),
        ("ES384", "P-384", "ES384", "sha384"),
        ("ES512", "P-521", "ES512", "sha512"),
        # RFC 8037 3.1, and its unambiguous name from RFC 9864. Ed25519 itself uses SHA-512.
        ("EdDSA", "Ed25519", "Ed25519", "sha512"),
        ("Ed25519", "Ed25519", "Ed25519", "sha512"),
        # RFC 7518 3.2: the only MAC, for providers that support nothing else
        ("HS256", "secret", "HS256", "sha256"),
    )
    return MappingProxyType({row[0]: Algorithm(*row) for row in rows})


ALGORITHMS = _table()
# The values of `alg` that a published key may have.
OF_PUBLIC_KEYS = frozenset(name for name, algorithm in ALGORITHMS.items() if algorithm.kind != "secret")
