"""Rules about searchable organisations and their providers."""

from collections.abc import Iterator
from typing import Final

from gateway.config.problems import Problem
from gateway.identity.organisation_table import organisations_in
from gateway.identity.served_by import ProvidersByOrganisation, in_order
from gateway.lint.subject import Subject
from gateway.model.errors import GatewayError
from gateway.model.organisations import ListedOrganisation, OrganisationTable

_LISTS: Final = ("siren", "domains", "departements", "hosts")


def two_serve_one(subject: Subject) -> Iterator[Problem]:
    first: dict[tuple[str, str], str] = {}
    for provider in subject.providers:
        serves, name = provider.model.serves, provider.model.provider
        for key in _LISTS:
            for index, value in enumerate(getattr(serves, key)):
                other = first.setdefault((key, value), name)
                if other != name:
                    say = f"{other} serves {value} too: people of these organisations have to choose between the two"
                    yield provider.at("serves", key, index, say=say, write="leave it to one of them")
        if serves.others and (other := first.setdefault(("others", ""), name)) != name:
            say = f"{other} serves all other organisations too: their people have to choose between the two"
            yield provider.at("serves", "others", say=say, write="leave it to one of them")


def served_by_nobody(subject: Subject) -> Iterator[Problem]:
    providers = list(subject.snapshot.providers.values())
    if any(provider.serves.others for provider in providers):
        return
    known, accepted = ProvidersByOrganisation(providers), in_order(providers)
    tables = {table.name: table for table in subject.snapshot.organisations}
    for file in subject.organisations:
        rows = _rows(tables[file.model.organisations])
        left = [one for one in rows if not known.serving(one, accepted)]
        if left:
            such = ", ".join(f"{one.name} ({one.siren or one.place})" for one in left[:3])
            say = f"no provider serves {len(left)} of {len(rows)} organisations, such as {such}"
            yield file.at("organisations", say=say, write="serves: in a provider's file, others: true for the rest")


def _rows(table: OrganisationTable) -> list[ListedOrganisation]:
    """Empty for an unreadable table, which `ecluse check` reports."""
    source = table.source
    encoding = "utf-8-sig" if source.encoding == "utf-8" else source.encoding
    try:
        with open(source.path, encoding=encoding, newline="") as lines:
            return list(organisations_in(lines, source.delimiter))
    except (OSError, GatewayError):
        return []
