"""What a SAML identity provider said of a person, validated: what the saml core hands on."""

import unicodedata
from dataclasses import dataclass, field

# Core 8.3.2
ADDRESS_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
# Core 8.3.7, 8.3.8 allow 256 to the provider's own kinds; X.509 subject names are longer.
LONGEST_NAME = 1024


def is_one_spelling(name: str) -> bool:
    """Whether the name has its only spelling. A name that looks like another person's name identifies nobody."""
    return name.isprintable() and name == name.strip() == unicodedata.normalize("NFKC", name)


@dataclass(frozen=True, slots=True)
class NameId:
    """Core 2.2.3: a name with its qualifiers, so that a logout names a person as the sign-in did.

    `None`: the attribute was absent, which differs from an empty attribute (Core 8.3.7).
    """

    value: str
    format: str | None = None
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    sp_provided_id: str | None = None


@dataclass(frozen=True, slots=True)
class SamlAttribute:
    """Core 2.7.3.1.

    `values`: as text, in the provider's order; for a NameID, its text.
    `of_another_sp`: a value is a NameID made for another service (SPNameQualifier).
    """

    name: str
    name_format: str | None
    friendly_name: str | None
    values: tuple[str, ...] = field(repr=False)
    of_another_sp: bool = False


@dataclass(frozen=True, slots=True)
class Assertion:
    """Signed by the provider, meant for us, in time and in answer to our request. Times are Unix seconds.

    `name_id`: None only where the provider file names an attribute to know people by in its place.
    `audience`: our entityID. `scopes`: shibmd:Scope of the provider's metadata, with whether each is a pattern.
    `expires`: until when `id` must be remembered, for it works once; `issued`: its IssueInstant.
    `session_not_on_or_after`: when the provider wants the session over; None where it does not say.
    """

    id: str
    issuer: str
    audience: str
    name_id: NameId | None = field(repr=False)
    session_index: str | None
    session_not_on_or_after: int | None
    authn_instant: int
    authn_context: str | None
    attributes: tuple[SamlAttribute, ...]
    scopes: tuple[tuple[str, bool], ...]
    expires: int
    issued: int = 0
