"""The organisations that people search before a sign-in."""

from dataclasses import dataclass
from typing import Literal

from gateway.model.directory import FileSource

OrganisationKind = Literal["commune", "epci", "departement", "region", "other"]

MOST_ORGANISATIONS = 200_000


@dataclass(frozen=True, slots=True)
class OrganisationTable:
    """A file of organisations/. People see `credit` and `as_of`, which may be empty.

    `credit`: the owner of the data, and the licence.
    `as_of`: the date of the data (2026-01-15).
    """

    name: str
    source: FileSource
    credit: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class ListedOrganisation:
    """One row of the file.

    `place`: shown beside a name that several organisations share.
    `siren`, `siret`, `insee`, `departement`: codes; empty: none.
    `aliases`: further names for the search.
    `postcodes`: of the addresses.
    `domains`: of the e-mail addresses, in lower case.
    """

    name: str
    kind: OrganisationKind = "other"
    place: str = ""
    siren: str = ""
    siret: str = ""
    insee: str = ""
    departement: str = ""
    aliases: str = ""
    postcodes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
