"""Directories of gateway.yaml that report by SCIM which people are active."""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from gateway.model.account import SUBJECT
from gateway.model.identity import Identity

NameAttribute = Literal["userName", "externalId"]
"""The SCIM attribute by which a directory identifies a person."""


# RFC 6750 2.1
_BEARER: Final = re.compile(rb"bearer +([!-~]{1,512}) *", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ScimClient:
    """`tokens`: the directory may send any of these tokens.
    `named_by`: the SCIM attribute that names a person.
    `person`: the part of an identity with the same value: `subject` or an attribute.
    `tenants`: the organisations of the directory's people; None: all people of its provider.
    """

    name: str
    provider: str
    tokens: tuple[bytes, ...] = field(repr=False)
    named_by: NameAttribute = "userName"
    person: str = SUBJECT
    tenants: frozenset[str] | None = None

    def speaks_of(self, provider: str, tenant: str | None) -> bool:
        return provider == self.provider and (self.tenants is None or tenant in self.tenants)

    def names_of(self, identity: Identity) -> tuple[str, ...]:
        """The directory's possible names of the person; empty: the provider does not state the attribute."""
        if self.person == SUBJECT:
            return (identity.subject,)
        return () if self.person in identity.left_out else identity.attributes.get(self.person, ())


@dataclass(frozen=True, slots=True)
class ScimDirectories:
    """`keys`: (id, secret), which encrypt the announcements in the store. The first key encrypts, every key
    decrypts."""

    clients: tuple[ScimClient, ...] = ()
    keys: tuple[tuple[str, bytes], ...] = ()


def token_shown(authorization: bytes) -> bytes | None:
    """The Bearer token of an Authorization header; None: no such header value."""
    found = _BEARER.fullmatch(authorization)
    return None if found is None else found[1]


def client_of(clients: Iterable[ScimClient], token: bytes) -> ScimClient | None:
    """The directory with this token, else None. The comparison takes the same time for a wrong token."""
    found: ScimClient | None = None
    for client in clients:
        for own in client.tokens:
            if hmac.compare_digest(own, token):
                found = client
    return found
