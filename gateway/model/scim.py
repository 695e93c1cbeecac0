"""A directory that tells us by SCIM which people are active, as gateway.yaml has it."""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from gateway.model.account import SUBJECT
from gateway.model.identity import Identity

NameAttribute = Literal["userName", "externalId"]
"""What a directory names a person by."""


# RFC 6750 2.1
_BEARER: Final = re.compile(rb"bearer +([!-~]{1,512}) *", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ScimClient:
    """`tokens`: any of them lets it in. `named_by`: the attribute of SCIM that names a person. `person`: the part of an
    identity that has the same value, `subject` or an attribute. `tenants`: the organisations of whose people it speaks;
    None: it speaks of all people of its provider."""

    name: str
    provider: str
    tokens: tuple[bytes, ...] = field(repr=False)
    named_by: NameAttribute = "userName"
    person: str = SUBJECT
    tenants: frozenset[str] | None = None

    def speaks_of(self, provider: str, tenant: str | None) -> bool:
        return provider == self.provider and (self.tenants is None or tenant in self.tenants)

    def names_of(self, identity: Identity) -> tuple[str, ...]:
        """By what it may have named this person; empty where their provider does not say."""
        if self.person == SUBJECT:
            return (identity.subject,)
        return () if self.person in identity.left_out else identity.attributes.get(self.person, ())


@dataclass(frozen=True, slots=True)
class ScimDirectories:
    """`keys`: (id, secret), under which is kept what they tell; the first seals, all open."""

    clients: tuple[ScimClient, ...] = ()
    keys: tuple[tuple[str, bytes], ...] = ()


def token_shown(authorization: bytes) -> bytes | None:
    """By the line of this name, empty where there is none."""
    found = _BEARER.fullmatch(authorization)
    return None if found is None else found[1]


def client_of(clients: Iterable[ScimClient], token: bytes) -> ScimClient | None:
    """The one that has this token; None where none has. As much is compared for a wrong one as for a right one."""
    found: ScimClient | None = None
    for client in clients:
        for own in client.tokens:
            if hmac.compare_digest(own, token):
                found = client
    return found
