"""Calls by which providers and directories end sessions without a browser. All calls of a provider come from one
address; the signature or the token identifies the sender. Strangers may send look-alikes."""

from typing import Final

from gateway.access.inbound import InboundRequest
from gateway.config.snapshot import Snapshot
from gateway.model.ports import Page
from gateway.model.scim import client_of, token_shown

_SOAP: Final = b"/_ecluse/saml/soap"
_BACK_CHANNEL: Final = b"/_ecluse/oidc/backchannel/"
_SCIM: Final = b"/_ecluse/scim/v2/"
_SCIM_ANSWER: Final = (b"Content-Type", b"application/scim+json")


def is_call(snapshot: Snapshot, method: bytes, path: bytes) -> bool:
    """Whether a request to the portal may be a provider's call."""
    if snapshot.gateway.scim.clients and path.startswith(_SCIM):
        return True
    if method != b"POST":
        return False
    name = path.removeprefix(_BACK_CHANNEL)
    return path == _SOAP or (name != path and name.decode("ascii", "replace") in snapshot.providers)


def called(path: bytes) -> str:
    """Returns the provider that the call names. A SOAP call names it only in the body."""
    name = path.removeprefix(_BACK_CHANNEL)
    return "" if name == path else name.decode("ascii", "replace")


def is_unread_refusal(inbound: InboundRequest, path: bytes) -> bool:
    """Whether a call without its body, or with a body that is too large, counts as refused. Only a directory
    identifies itself in the head."""
    token = token_shown(inbound.headers.get(b"authorization", b"")) if path.startswith(_SCIM) else None
    return token is None or client_of(inbound.snapshot.gateway.scim.clients, token) is None


def is_refusal(page: Page) -> bool:
    """Whether the answer shows that the call came from a stranger. Uncertain calls count as a provider's."""
    if _SCIM_ANSWER in page.headers:
        # An authenticated directory may send any request.
        return page.status == 401
    return 400 <= page.status < 500 or b"soap:Client" in page.body
