"""The validated assertion of a SAML identity provider about a person: the result of the saml core."""

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
    """Core 2.2.3: a name with its qualifiers. A logout must repeat the name of the sign-in exactly.

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

    `audience`: our entityID.
    `name_id`: None only if the provider file has `subject_without_name_id`.
    `session_not_on_or_after`: the provider's limit for the session; None without a limit.
    `scopes`: shibmd:Scope values of the provider's metadata, and whether the value is a pattern.
    `expires`: the time until which the gateway remembers `id`, so that the assertion works once.
    `issued`: the IssueInstant.
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
