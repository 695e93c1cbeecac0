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
from gateway.stores.sessions.new_session import NewSession


class Pending(NamedTuple):
    """The transaction of a sign-in on the portal, and its application in the present configuration."""

    id: str
    transaction: Transaction
    app: App


@dataclass(frozen=True, slots=True)
class BeginTransaction:
    """Send the browser to the portal, for a sign-in as `need` says.

    `target`: the page of this application's host (origin-form, safe).
    `query`: the raw query of the request, which may have hints that the target lacks.
    `other_account`: the hint of the same name; empty without a hint.
    `embedded`: the request comes from a frame.
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
    """Ask this provider for the person's identity.

    `pending`: None: a sign-in to the portal itself.
    `hints`: parameters of our login address or of the link. The provider's file may pass some of them on.
    `all_the_same`: the person knows that the provider does not answer, and wants to try.
    """

    provider: str
    pending: Pending | None
    hints: Mapping[str, str] = field(default_factory=dict)
    all_the_same: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """A protocol's proof of one sign-in, mapped. `establish` checks whether the provider may assert it.

    `pending`: the transaction; None: a sign-in to the portal itself.
    `browser`: SHA-256 (hex) of the binding cookie.
    `sid`: the name of the session in the provider's logout messages.
    `ends_at`: Unix seconds, if the provider limits the session.
    `issued_at`: when the provider issued the ID token or the assertion, Unix seconds by the provider's clock.
    `asked_at`: Unix seconds, when the provider was asked for the answer that the browser brought; None: the provider
    has just answered the gateway itself.
    `tenant`: the organisation that the person has chosen, among several.
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
    asked_at: int | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class SignInSeenAgain:
    """The response belongs to a finished or unknown sign-in: Back, reload, sent twice, or another browser's."""

    detail: str


@dataclass(frozen=True, slots=True)
class NotifyProvider:
    """Tell the provider through the browser that the session has ended.

    `home`: as in SignOut.
    `otherwise`: the page if the provider cannot be told: the person is signed out here.
    """

    session: Session
    home: str
    otherwise: Page


NextStep = Page | SendOn | BeginTransaction | Continue | BeginSignIn | Authentication | SignInSeenAgain | NotifyProvider
Handler = Callable[[PortalRequest], Awaitable[NextStep]]
# By method; HEAD is answered like GET.
Handlers = Mapping[str, Handler]
