"""A sign-in under way, in its two halves, and the code that carries it from the portal to an app host."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, NO_STEP_UP, Need, StepUpRequest
from gateway.model.ports import Page
from gateway.model.session import NameIdFields, Tokens

OTHER_ACCOUNT: Final = "other_account"
"""The parameter of our sign-in addresses with which a person asks for another account. Safe to take from a link: the
parameter causes a question to the provider, and ends no session."""

OTHER_ORGANISATION: Final = "organisation"
"""The value of OTHER_ACCOUNT with which the person first chooses a sign-in service. With another value, the sign-in
goes to the provider of the session."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """The request of an app host to the portal: single use, server-side, bound to a browser on the host.

    `return_target`: the requested target, in origin form.
    `binding`: SHA-256 (hex) of the host's binding cookie.
    `round`: the number of sign-ins of the browser on the host that just ended without a seat.
    `not_before`: Unix seconds; refuses an older authentication. 0: accepts every authentication.
    `need`: further demands on the sign-in.
    `provider`: the provider to ask, for a stronger sign-in or another account; empty: a provider of the app's list.
    `hints`: parameters of the incoming link, for providers whose file passes them on.
    `embedded`: the request came from a frame. An open session may serve; no provider is asked.
    """

    app: str
    host: str
    scheme: str
    return_target: str
    binding: str
    round: int
    created_at: int
    not_before: int = 0
    need: Need = NO_NEED
    provider: str = ""
    hints: tuple[tuple[str, str], ...] = ()
    embedded: bool = False

    @property
    def end(self) -> "End":
        """The way in which the application gets to know the person."""
        return SeatOnHost(self.host, self.return_target, self.binding)


@dataclass(frozen=True, slots=True)
class SeatOnHost:
    """A seat on the application's own host, and the page that the person asked for. `binding`: as of Transaction."""

    host: str
    return_target: str
    binding: str


End = SeatOnHost
"""A closed union. portal.flow.ends handles every member: the type checker reports a member without a handler."""


class Served(NamedTuple):
    """The transaction of a sign-in, at the time of the request to the provider. `id` spends the transaction."""

    id: str
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class OidcLogin:
    """An authorization request to a provider, found again by its `state`.

    `serves`: None for a sign-in to the portal itself.
    `binding`: SHA-256 (hex) of the portal host's binding cookie.
    `max_age`: requested, in seconds.
    `asking`: additional demands of this sign-in, beyond the provider file's.
    `issuer`: the provider's at the time of the request; empty in older records.
    """

    provider: str
    nonce: str
    code_verifier: str
    redirect_uri: str
    binding: str
    serves: Served | None
    created_at: int
    max_age: int | None = None
    asking: StepUpRequest = NO_STEP_UP
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class SamlLogin:
    """An AuthnRequest to a provider, found again by the RelayState, which is a reference without content.

    `request_id`: the ID, which InResponseTo of the response must name.
    `authn_context`, `comparison`: as requested.
    `issued_at`: the IssueInstant, Unix seconds.
    `fresh`: requests a new authentication (ForceAuthn).
    `passive`: the provider was to show no page of its own (IsPassive).
    `binding`, `serves`: as in OidcLogin.
    """

    provider: str
    request_id: str
    authn_context: tuple[str, ...]
    comparison: str
    fresh: bool
    binding: str
    serves: Served | None
    issued_at: int
    passive: bool = False


@dataclass(frozen=True, slots=True)
class SignOut:
    """A person's way to a provider for a sign-out, found again by its `state`.

    `home`: the address of the application that the person left; empty for the portal itself.
    """

    provider: str
    home: str


@dataclass(frozen=True, slots=True)
class ParkedResponse:
    """An OpenID provider's response by `form_post`, unverified: (name, value) of each field."""

    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ParkedAssertion:
    """A SAML provider's verified assertion. The browser is not yet verified, because a POST from elsewhere brings no
    cookie. Times are Unix seconds.

    `reference`: the RelayState of the SamlLogin; None if the provider began by itself.
    `login`: the SamlLogin as it was then, to spare a read. Only the step that spends the login shows whether it is
    still under way.
    `replayable_until`: until when the assertion would be accepted a second time.
    `session_until`: SessionNotOnOrAfter.
    `issued`: its IssueInstant; 0 in older records.
    `skew`: seconds by which the provider's clock was allowed to be ahead.
    `at`: when the assertion was verified; 0 in older records, so that every sign-out counts as later and refuses them.
    """

    identity: Identity
    reference: str | None
    assertion_id: str
    replayable_until: int
    session_until: int | None
    name_id: NameIdFields | None
    session_index: str | None
    issued: int = 0
    skew: int = 0
    login: SamlLogin | None = None
    at: int = 0


@dataclass(frozen=True, slots=True)
class ParkedSignIn:
    """A verified sign-in of a person with several organisations, until the person has chosen an organisation. Times are
    Unix seconds.

    `at`: the time of the verification.
    `transaction`: the id of the transaction; empty for a sign-in to the portal itself.
    `browser`: SHA-256 (hex) of the binding cookie.
    `ends_at`: the provider's limit for the session.
    `issued_at`: the time of the ID token or the assertion, by the provider's clock; None in older records."""

    provider: str
    identity: Identity
    at: int
    transaction: str
    browser: str
    sid: str | None
    id_token: str | None = field(repr=False)
    name_id: NameIdFields | None
    tokens: Tokens | None = field(repr=False)
    ends_at: int | None
    issued_at: int | None = None


@dataclass(frozen=True, slots=True)
class SamlLogout:
    """A LogoutRequest to a provider, found again by its RelayState. Our own sessions have ended before.

    `home`: as in SignOut.
    """

    provider: str
    request_id: str
    home: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """The data for `enter` on the app host, within 30 seconds. A key derived from the code encrypts the record.

    `session_key`: the session's own key.
    `cookie`: the cookie of the new seat. The store adds the seat when the code is spent; nobody has the cookie before.
    """

    app: str
    host: str
    return_target: str
    binding: str
    session_id: str
    session_key: bytes
    provider: str
    created_at: int
    cookie: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WaitedPage:
    """The result of a slow request, for the waiting browser. `binding`: SHA-256 (hex) of the browser's binding
    cookie."""

    binding: str
    page: Page
