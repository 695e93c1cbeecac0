"""`/_ecluse/saml/logo?of=`: the logo of a provider, which the page of choice shows as a file of our own."""

import re

from gateway.model.codes import route_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.http.responses import BARE
from gateway.portal.services import PortalServices

_ID = re.compile(r"[0-9a-f]{32}")
# The same for everybody, and renewed once a day.
_CACHED = b"public, max-age=86400"


class Logos:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def logo(self, request: PortalRequest) -> Page:
        """Raises GatewayError(route_codes.RESERVED): no such logo."""
        id = request.parameter("of")
        picture = await self._services.saml_federation.logo(id) if _ID.fullmatch(id) else None
        if picture is None:
            raise GatewayError(route_codes.RESERVED, "no such logo")
        headers = tuple(header for header in BARE if header[0] != b"Cache-Control")
        return Page(200, (*headers, (b"Cache-Control", _CACHED), (b"Content-Type", b"image/png")), picture)


def logo_link(id: str) -> str:
    """The logo's address for a `federation.saml.SelfPresentation`; empty: no logo."""
    return f"{PREFIX}saml/logo?of={id}" if id else ""
