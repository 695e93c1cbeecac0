"""The JSON of a request, refused wherever two readers could read it differently."""

import json
from typing import Final

from gateway.model.codes import scim_codes
from gateway.model.errors import GatewayError

ScimObject = dict[str, object]
"""Names of attributes and of schemas in lower case: RFC 7643 2.1 knows no case in them."""

# Bytes. The full user of RFC 7643 8.2 has under 3,000.
LARGEST: Final = 64 << 10
_MOST_SCHEMAS: Final = 16


def read_object(body: bytes) -> ScimObject:
    """Raises GatewayError(scim_codes.SYNTAX)."""
    if len(body) > LARGEST:
        raise GatewayError(scim_codes.SYNTAX, f"{len(body)} bytes, at most {LARGEST} are read")
    try:
        text = body.decode("utf-8")
        found: object = _DECODER.decode(text)
        # RFC 7493 2.1: an escape can spell half a surrogate pair, which cannot be written in UTF-8.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise GatewayError(scim_codes.SYNTAX, "nested too deeply") from None
    except ValueError as error:
        # The error's text could repeat sent data.
        why = str(error) if isinstance(error, _Refused) else "not JSON in UTF-8"
        raise GatewayError(scim_codes.SYNTAX, why) from None
    if not isinstance(found, dict):
        raise GatewayError(scim_codes.SYNTAX, "not a JSON object")
    return found


def require_schema(document: ScimObject, schema: str) -> None:
    """RFC 7643 3: every message names its schemas. Raises GatewayError(scim_codes.SYNTAX)."""
    named = document.get("schemas")
    if not isinstance(named, list) or len(named) > _MOST_SCHEMAS:
        raise GatewayError(scim_codes.SYNTAX, "schemas is not a list")
    if schema.lower() not in [one.lower() for one in named if isinstance(one, str)]:
        raise GatewayError(scim_codes.SYNTAX, f"schemas does not name {schema}")


class _Refused(ValueError):
    pass


def _once(pairs: list[tuple[str, object]]) -> ScimObject:
    members = {name.lower(): value for name, value in pairs}
    if len(members) != len(pairs):
        raise _Refused("an object has one member twice (upper and lower case are the same)")
    return members


def _no_constant(constant: str) -> object:
    raise _Refused(f"{constant} is no JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
