"""Metadata 2.2.2: the endpoints of an identity provider. Endpoints that we never use are left out."""

import re
from itertools import islice

from lxml import etree

from gateway.saml.names import BINDING_POST, BINDING_REDIRECT, BINDING_SOAP
from gateway.saml.parties import Binding, Endpoint

_BINDINGS: dict[str, Binding] = {BINDING_REDIRECT: "redirect", BINDING_POST: "post", BINDING_SOAP: "soap"}

_LONGEST = 2048
# A worker reads all of them whenever it looks the entity up. Real entities have fewer than ten.
_MOST = 64
# Characters of RFC 3986 only, without user part or fragment, and with nothing that a parser would strip or fold.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?][!$%&'()*+,./0-9:;=?@A-Z_a-z~-]*)?"
)
_INDEX = re.compile(r"[0-9]{1,5}", re.ASCII)


def endpoints(role: etree._Element, tag: str, *bindings: Binding, development: bool) -> tuple[Endpoint, ...]:
    """The children of `role` with one of `bindings` and an address to which we would send a browser or a call."""
    found = (_endpoint(element, development) for element in islice(role.iterchildren(tag), _MOST))
    return tuple(endpoint for endpoint in found if endpoint is not None and endpoint.binding in bindings)


def _endpoint(element: etree._Element, development: bool) -> Endpoint | None:
    binding = _BINDINGS.get(element.get("Binding", ""))
    location, response_location = element.get("Location", ""), element.get("ResponseLocation")
    index = element.get("index")
    # K142: https alone
    if binding is None or not _is_usable(location, development):
        return None
    if response_location is not None and not _is_usable(response_location, development):
        return None
    if index is not None and (not _INDEX.fullmatch(index) or int(index) > 65535):
        return None
    return Endpoint(binding, location, response_location, None if index is None else int(index))


def _is_usable(url: str, development: bool) -> bool:
    match = _URL.fullmatch(url) if len(url) <= _LONGEST else None
    return match is not None and (match["scheme"] == "https" or development)
