"""policies/organisations/*.yaml, and the part of a provider file about the organisations of its people."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.config.schema.directory import CsvSection
from gateway.config.schema.types import MailDomain, Maybe, Name, NetworkText, QuestionHost, Strict, Text, Version, wrong
from gateway.identity.perimeter import is_siren

_DEPARTEMENT = re.compile(r"[0-9]{2,3}|2[AB]")


def _siren(text: str) -> str:
    if not is_siren(text):
        raise wrong("this is not a SIREN", "9 digits, the last of which checks the others")
    return text


def _departement(text: str) -> str:
    if not _DEPARTEMENT.fullmatch(text):
        raise wrong("this is not the code of a département", 'in quotation marks: "59", "2A", "974"')
    return text


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise wrong("this is no day", "written 2026-01-15, in quotation marks") from None


class ServesSection(Strict):
    """The organisations whose people a provider signs in, for the organisation search. The key widens or limits no
    assertion: the limits are in `asserts`."""

    siren: list[Annotated[str, AfterValidator(_siren)]] = Field(default=[], max_length=5000)
    """Organisations by SIREN."""
    domains: list[MailDomain] = Field(default=[], max_length=5000)
    """Organisations by the domain of their e-mail addresses, subdomains included."""
    departements: list[Annotated[str, AfterValidator(_departement)]] = Field(default=[], max_length=200)
    """All organisations of these départements that no provider lists by SIREN or domain."""
    others: bool = False
    """All organisations that no provider lists otherwise, and people who do not find their organisation."""
    networks: list[NetworkText] = Field(default=[], max_length=500)
    """Networks of the provider's people: browsers there see this provider first, and of several providers the one with
    the smallest network. The network only orders the list; it proves nothing about a person."""
    hosts: list[QuestionHost] = Field(default=[], max_length=500)
    """Hosts of applications whose people all use this provider: the sign-in begins there without a choice."""


class OrganisationsFile(Strict):
    """policies/organisations/*.yaml: a table of organisations. People who sign in search the table for their
    organisation."""

    version: Version
    organisations: Name
    """The name of the source in messages and logs."""
    csv: CsvSection
    """The columns: `name`, and any of `kind` (commune, epci, departement, region, other), `place`, `siren`, `siret`,
    `insee`, `departement`, `aliases`, `postcodes`, `domains`."""
    credit: Maybe[Text] = None
    """The origin and licence of the data, as pages show them."""
    as_of: Maybe[Annotated[str, AfterValidator(_day)]] = None
    """The date of the data, as pages show it: `"2026-01-15"`."""
