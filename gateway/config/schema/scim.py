"""`scim`: directories that report which people are active (RFC 7643, RFC 7644)."""

from typing import Literal

from pydantic import Field

from gateway.config.schema.provider import Siret
from gateway.config.schema.store import StoreKeySection
from gateway.config.schema.types import AttributeName, Name, Secret, Strict


class ScimClientSection(Strict):
    """A directory that reports on the people of a provider."""

    name: Name
    """The name in logs. The directory's reports are stored under this name."""
    provider: Name
    """The provider with which the directory's people sign in."""
    tokens: list[Secret] = Field(min_length=1, max_length=2)
    """At least 32 random letters, digits and signs, which the directory sends with each request (`Authorization:
    Bearer`). List a second token while you replace the first."""
    named_by: Literal["userName", "externalId"] = "userName"
    """The SCIM attribute that identifies a person."""
    person: AttributeName = "subject"
    """The value of an identity that equals this SCIM attribute: `subject`, or an attribute of the provider's file. The
    gateway refuses the sign-in of a person without this value."""
    siret: list[Siret] = Field(default=[], max_length=1000)
    """The organisations of the directory's people: its reports do not concern people who act for another. Default: all
    people of the provider."""


class ScimSection(Strict):
    """Directories that report by SCIM 2.0 which people are active, at `/_ecluse/scim/v2` of the portal. The sessions of
    an inactive person end at once, and the person cannot sign in again."""

    keys: list[StoreKeySection] = Field(min_length=1, max_length=16)
    """Keys that encrypt the reports in the store and are used for nothing else. The first key encrypts; all keys
    decrypt. Reports under a deleted key are lost: people who were deactivated can sign in again."""
    clients: list[ScimClientSection] = Field(min_length=1, max_length=200)
    """The directories."""
