"""Names for people in the log: the same in every line, and telling nobody who it is without the store's key."""

import hmac

from gateway.model.identity import Identity

_LENGTH = 16
"""Hex digits: among a million people, no two have one in common (1 in 37 million)."""


class Pseudonyms:
    """`secret`: that of the current store key; a new one gives new names."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"ecluse: people in the log", "sha256")

    def of(self, identity: Identity) -> str:
        """16 hex digits. (issuer, subject) is the person (invariant 5)."""
        person = b"\0".join(part.encode("utf-8", "surrogatepass") for part in (identity.issuer, identity.subject))
        return hmac.digest(self._key, person, "sha256").hex()[:_LENGTH]
