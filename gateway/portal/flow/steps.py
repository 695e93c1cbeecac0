"""What a step of the flow answers: a page, or what has to happen next. Steps never call each other."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from gateway.model.levels import NO_NEED, Need
from gateway.model.ports import Page
from gateway.model.session import Session
from gateway.portal.flow.pending import Pending
from gateway.portal.http.request import PortalRequest
from gateway.stores.sessions import NewSession


@dataclass(frozen=True, slots=True)
class BeginTransaction:
    """Send the browser to the portal for `target` (origin-form, safe) of this app host, to sign in as is needed.

    `query`: raw, of the request that asked for it, which may say more than the target's own does of who is to sign in.
    """

    target: str
    need: Need = NO_NEED
    query: str = ""


@dataclass(frozen=True, slots=True)
class Continue:
    """Serve this transaction: with the portal seat of `cookie`, or with the session that a provider has just made."""

    pending: Pending
    cookie: bytes | None = None
    made: NewSession | None = None


@dataclass(frozen=True, slots=True)
class BeginSignIn:
    """Ask this provider who the person is. `pending` None: a sign-in to the portal itself.

    `hints`: parameters of our login address or of the link, of which the provider's file may pass some on.
    """

    provider: str
    pending: Pending | None
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotifyProvider:
    """This session has ended here; its provider is still to be told, by way of the browser. `home`: as in SignOut."""

    session: Session
    home: str


NextStep = Page | BeginTransaction | Continue | BeginSignIn | NotifyProvider
Handler = Callable[[PortalRequest], Awaitable[NextStep]]
