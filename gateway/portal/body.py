"""What a browser may send to us: nothing, or a small form."""

from aiohttp.web import BaseRequest

from gateway.model.codes import LIMIT_BODY, PORTAL_BODY
from gateway.model.errors import GatewayError

LIMIT = 64 * 1024
# A SAML message of 256 KB in base64, percent-encoded by a browser; the data plane lets as much through.
SAML_LIMIT = 512 * 1024
_FORM = "application/x-www-form-urlencoded"
_SAML, _SOAP = "saml/", "saml/soap"


async def read_body(request: BaseRequest, path: str) -> bytes:
    """To its end, so that no step runs on half a request. `path`: below /_ecluse/. Its fields: `Visit.form`."""
    if not request.can_read_body:
        return b""
    # Bindings 3.2.2: SOAP 1.1
    kind, limit = "text/xml" if path == _SOAP else _FORM, SAML_LIMIT if path.startswith(_SAML) else LIMIT
    if request.content_type != kind:
        raise GatewayError(PORTAL_BODY, f"a body that is not {kind}")
    body = bytearray()
    try:
        async for chunk in request.content.iter_chunked(8192):
            body += chunk
            if len(body) > limit:
                raise GatewayError(LIMIT_BODY, f"a body of over {limit} bytes")
    except ConnectionError as error:
        raise GatewayError(PORTAL_BODY, "the browser left before all of its form had come") from error
    return bytes(body)
