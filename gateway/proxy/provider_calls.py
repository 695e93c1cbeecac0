"""What providers and directories say by themselves to end sessions, without a browser: all calls of one come from one
address, and the signature, or the token, says who asks. Anybody may send what looks like it."""

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
    """Whether what was asked of the portal may be one."""
    if snapshot.gateway.scim.clients and path.startswith(_SCIM):
        return True
    if method != b"POST":
        return False
    name = path.removeprefix(_BACK_CHANNEL)
    return path == _SOAP or (name != path and name.decode("ascii", "replace") in snapshot.providers)


def called(path: bytes) -> str:
    """The provider whose call it says it is. In SOAP nobody says so before the body is read."""
    name = path.removeprefix(_BACK_CHANNEL)
    return "" if name == path else name.decode("ascii", "replace")


def is_unread_refusal(inbound: InboundRequest, path: bytes) -> bool:
    """Of a call whose body did not come, or is too large: whether it counts as one that is refused. Only a directory
    says in the head who it is."""
    token = token_shown(inbound.headers.get(b"authorization", b"")) if path.startswith(_SCIM) else None
    return token is None or client_of(inbound.snapshot.gateway.scim.clients, token) is None


def is_refusal(page: Page) -> bool:
    """Of the page that answers a call: whether it was none of a provider's. Where we cannot say, it may be."""
    if _SCIM_ANSWER in page.headers:
        # A directory that has shown who it is asks what it likes.
        return page.status == 401
    return 400 <= page.status < 500 or b"soap:Client" in page.body
