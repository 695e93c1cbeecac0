"""What a browser may send to us: nothing, or a small form."""

from aiohttp.web import BaseRequest

from gateway.model.codes import LIMIT_BODY, PORTAL_BODY
from gateway.model.errors import GatewayError

LIMIT = 64 * 1024
_FORM = "application/x-www-form-urlencoded"


async def read_body(request: BaseRequest) -> bytes:
    """To its end, so that no step runs on half a request. What its fields say, `Visit.form` tells."""
    if not request.can_read_body:
        return b""
    if request.content_type != _FORM:
        raise GatewayError(PORTAL_BODY, f"a body that is not {_FORM}")
    body = bytearray()
    try:
        async for chunk in request.content.iter_chunked(8192):
            body += chunk
            if len(body) > LIMIT:
                raise GatewayError(LIMIT_BODY, f"a form of over {LIMIT} bytes")
    except ConnectionError as error:
        raise GatewayError(PORTAL_BODY, "the browser left before all of its form had come") from error
    return bytes(body)
