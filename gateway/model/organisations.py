"""The organisations among which people find theirs where they sign in."""

from dataclasses import dataclass
from typing import Literal

from gateway.model.directory import FileSource

OrganisationKind = Literal["commune", "epci", "departement", "region", "other"]

MOST_ORGANISATIONS = 200_000


@dataclass(frozen=True, slots=True)
class OrganisationTable:
    """One file of organisations/. `credit`: whose data it is, and under which licence; `as_of`: the day of the data
    (2026-01-15). People are shown both. Empty where the file does not say."""

    name: str
    source: FileSource
    credit: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class ListedOrganisation:
    """A row of such a file. `place`: what is shown beside a name that several share. `siren`, `siret`, `insee`,
    `departement`: codes, empty where there is none. `aliases`: other names by which it is found. `postcodes`,
    `domains`: of its addresses, and of its e-mail addresses in lower case."""

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
