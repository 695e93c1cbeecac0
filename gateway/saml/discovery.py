"""Identity Provider Discovery Service Protocol and Profile: a person is sent to a federation's discovery service, and
comes back with the entityID of the provider that they have chosen there."""

from collections.abc import Mapping
from urllib.parse import urlencode

from gateway.saml.parties import ServiceProvider

# 2.4.1: `returnIDParam` where the request names no other
ENTITY_ID = "entityID"


def discovery_request(sp: ServiceProvider, back: Mapping[str, str]) -> str:
    """The address of the discovery service for the browser. `back`: parameters for the return, distinct from the
    answer's."""
    # 2.4.1: the return address may have a query of its own
    returned = sp.discovery_response + (f"?{urlencode(back)}" if back else "")
    query = urlencode({ENTITY_ID: sp.entity_id, "return": returned})
    return f"{sp.discovery}{'&' if '?' in sp.discovery else '?'}{query}"
