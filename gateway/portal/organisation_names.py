"""The name of an organisation on a page: its number, and its name if a table of organisations has its SIREN."""

from collections.abc import Sequence

from gateway.portal.http.choices import NamedOrganisation
from gateway.portal.http.request import PortalRequest
from gateway.portal.services import PortalServices


async def organisation_lines(
    services: PortalServices, request: PortalRequest, numbers: Sequence[str]
) -> list[NamedOrganisation]:
    """In the order of `numbers`."""
    names = await services.organisations.names(numbers, request.network) if request.snapshot.organisations else {}
    return [NamedOrganisation(number, names.get(number, "")) for number in numbers]


async def organisation_line(services: PortalServices, request: PortalRequest, number: str) -> NamedOrganisation:
    return (await organisation_lines(services, request, (number,)))[0]
