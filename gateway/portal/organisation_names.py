"""The name of an organisation beside its number, if a table of organisations has its SIREN."""

from collections.abc import Sequence
from typing import Any, Final

from gateway.organisations.search import OrganisationSearch
from gateway.portal.http.choices import NamedOrganisation
from gateway.portal.http.request import PortalRequest
from gateway.portal.services import PortalServices

# Stands in the place of a person's network (OrganisationSearch): a flood of people's searches does not keep operators
# from the names.
_OPERATORS: Final = "operators"


async def organisation_lines(
    services: PortalServices, request: PortalRequest, numbers: Sequence[str]
) -> list[NamedOrganisation]:
    """In the order of `numbers`."""
    names = await services.organisations.names(numbers, request.network) if request.snapshot.organisations else {}
    return [NamedOrganisation(number, names.get(number, "")) for number in numbers]


async def organisation_line(services: PortalServices, request: PortalRequest, number: str) -> NamedOrganisation:
    return (await organisation_lines(services, request, (number,)))[0]


async def name_organisations(search: OrganisationSearch, sessions: Sequence[dict[str, Any]]) -> None:
    """Adds `organisation`, the name of `tenant`, to each session in an operator's list; empty if no name is known.
    Never raises."""
    names = await search.names({session["tenant"] for session in sessions} - {None}, _OPERATORS)
    for session in sessions:
        session["organisation"] = names.get(session["tenant"], "")
