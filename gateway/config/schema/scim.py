"""`scim`: directories that report which people are active (RFC 7643, RFC 7644)."""

from typing import Literal

from pydantic import Field

from gateway.config.schema.provider import Siret
from gateway.config.schema.store import StoreKeySection
from gateway.config.schema.types import AttributeName, Name, Secret, Strict


class ScimClientSection(Strict):
    """A directory that reports on the people of one provider."""

    name: Name
    """Its name in logs; what it tells is kept under it."""
    provider: Name
    """The provider by which its people sign in."""
    tokens: list[Secret] = Field(min_length=1, max_length=2)
    """At least 32 letters, digits and signs, drawn at random, which the directory sends with each request
    (`Authorization: Bearer`). A second one, while it is changed."""
    named_by: Literal["userName", "externalId"] = "userName"
    """The attribute of SCIM by which it names a person."""
    person: AttributeName = "subject"
    """What of an identity is the same: `subject`, or an attribute of the provider's file. A person of whom the provider
    does not say it is not signed in."""
    siret: list[Siret] = Field(default=[], max_length=1000)
    """The organisations in whose name its people act: of anybody else it says nothing. Where this is left out, all
    people of the provider."""


class ScimSection(Strict):
    """Directories that report by SCIM 2.0 which people are active, at `/_ecluse/scim/v2` of the portal. The sessions of
    an inactive person end at once, and the person cannot sign in again."""

    keys: list[StoreKeySection] = Field(min_length=1, max_length=16)
    """Keys of their own, under which the store keeps what was told. The first key seals; all of them open. Of what was
    told under a key that is gone nothing is known any more: who was deactivated signs in again."""
    clients: list[ScimClientSection] = Field(min_length=1, max_length=200)
    """The directories."""
