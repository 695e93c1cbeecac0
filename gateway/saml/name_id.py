"""Core 2.2.3: a NameID with what it was qualified by, so that a logout names a person as the sign-in did."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NameId:
    """`None`: the attribute was not there, which is not the same as an empty one (Core 8.3.7)."""

    value: str
    format: str | None = None
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    sp_provided_id: str | None = None
