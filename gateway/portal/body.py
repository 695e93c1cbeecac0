"""What a browser may send to us: nothing, or a small form. How much of it, the data plane has seen to."""

from gateway.model.codes import PORTAL_BODY
from gateway.model.errors import GatewayError
from gateway.portal.visit import PREFIX, Visit

_FORM = "application/x-www-form-urlencoded"
_SOAP = f"{PREFIX}saml/soap"


def require_form(visit: Visit) -> None:
    """Its fields: `Visit.form`."""
    if not visit.body:
        return
    # Bindings 3.2.2: SOAP 1.1
    kind = "text/xml" if visit.path == _SOAP else _FORM
    # RFC 9110 8.3.1
    if (visit.header(b"content-type") or "").partition(";")[0].strip(" \t").lower() != kind:
        raise GatewayError(PORTAL_BODY, f"a body that is not {kind}")
