"""The result of a step of the flow: a page, or the next step. Steps never call each other."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.config.snapshot import App
from gateway.model.identity import Identity
from gateway.model.kept_post import SendOn
from gateway.model.levels import NO_NEED, Need
from gateway.model.ports import Page
from gateway.model.provider import Provider
from gateway.model.session import NameIdFields, Session, Tokens
from gateway.model.transaction import Transaction
from gateway.portal.http.request import PortalRequest
from gateway.stores.new_session import NewSession


class Pending(NamedTuple):
    """The transaction of a sign-in on the portal, and its application in the present configuration."""

    id: str
    transaction: Transaction
    app: App


@dataclass(frozen=True, slots=True)
class BeginTransaction:
    """Send the browser to the portal for `target` (origin-form, safe) of this app's host, to sign in as is needed.

    `query`: raw, of the request that asked for it, which may carry hints that the target itself does not have.
    `other_account`: as the hint of that name, empty without it. `embedded`: a frame asks.
    """

    app: App
    target: str
    need: Need = NO_NEED
    query: str = ""
    other_account: str = ""
    embedded: bool = False


@dataclass(frozen=True, slots=True)
class Continue:
    """Serves this transaction: with the portal seat of `cookie`, or with a session just made. `in_frame`: a page
    cannot ask the person."""

    pending: Pending
    cookie: bytes | None = None
    made: NewSession | None = None
    in_frame: bool = False


@dataclass(frozen=True, slots=True)
class BeginSignIn:
    """Ask this provider who the person is. `pending` None: a sign-in to the portal itself.

    `hints`: parameters of our login address or of the link, of which the provider's file may pass some on.
    `all_the_same`: the person was told that the provider does not answer, and wants to go there.
    """

    provider: str
    pending: Pending | None
    hints: Mapping[str, str] = field(default_factory=dict)
    all_the_same: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What a protocol has proven of one sign-in, mapped. Whether the provider may assert it, `establish` finds out.

    `pending`: the transaction that it is for; None: a sign-in to the portal itself. `browser`: SHA-256 (hex) of the
    binding cookie. `sid`: what the provider's logout messages name the session by. `ends_at`: Unix seconds, where the
    provider says how long the session may last. `issued_at`: when the provider issued the ID token or the assertion,
    Unix seconds by the provider's clock. `tenant`: the organisation that the person has chosen, among several.
    """

    provider: Provider
    identity: Identity
    pending: Pending | None
    browser: str
    sid: str | None
    id_token: str | None = field(default=None, repr=False)
    name_id: NameIdFields | None = None
    tokens: Tokens | None = field(default=None, repr=False)
    ends_at: int | None = None
    issued_at: int | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class SignInSeenAgain:
    """What came back belongs to a sign-in that is over, or never was: Back, reload, sent twice, or another's."""

    detail: str


@dataclass(frozen=True, slots=True)
class NotifyProvider:
    """This session has ended here; its provider is still to be told, by way of the browser. `home`: as in SignOut.

    `otherwise`: the page where the provider cannot be told: the person is signed out here.
    """

    session: Session
    home: str
    otherwise: Page


NextStep = Page | SendOn | BeginTransaction | Continue | BeginSignIn | Authentication | SignInSeenAgain | NotifyProvider
Handler = Callable[[PortalRequest], Awaitable[NextStep]]
# By method; HEAD is answered like GET.
Handlers = Mapping[str, Handler]
