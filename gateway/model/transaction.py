"""A sign-in under way, in its two halves, and the code that carries it from the portal to an app host."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, NO_STEP_UP, Need, StepUpRequest
from gateway.model.ports import Page
from gateway.model.session import NameIdFields, Tokens

OTHER_ACCOUNT: Final = "other_account"
"""The hint, and the parameter of our sign-in addresses, by which a person asks for another account than theirs here.
Any link may say so: it costs a question at the provider, and ends no session."""

OTHER_ORGANISATION: Final = "organisation"
"""Its value where the person chooses among sign-in services first. With any other, the provider of their session is
asked."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What an app host asked of the portal: single use, server-side, bound to one browser on that host.

    `binding` is the SHA-256 (hex) of the host's binding cookie. `return_target` is the origin-form target
    asked for. `round` counts the sign-ins of this browser on this host that just ended without a seat.
    `not_before`: an authentication older than this (Unix seconds) is refused; 0: any authentication will do.
    `need`: the further demands on the sign-in.
    `provider`: the provider to ask, for a stronger sign-in or another account; empty: any that the app lists.
    `hints`: parameters of the link that led here, for the providers whose file passes them on.
    `embedded`: a frame asks. An open session may serve there; no provider is asked.
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
"""A closed union: portal.flow.ends knows every member, and the type checker names a member that it does not know."""


class Served(NamedTuple):
    """The transaction of a sign-in, as it was when the provider was asked. Its id spends it."""

    id: str
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class OidcLogin:
    """An authorization request to one provider, found again by its `state`.

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
    """An AuthnRequest to one provider, found again by its RelayState, which is a reference without content.

    `request_id`: its ID, which the response's InResponseTo must name.
    `authn_context`, `comparison`: as requested.
    `issued_at`: its IssueInstant, Unix seconds.
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
    """What a provider has proven of a person for whom it names several organisations, until they have chosen the one
    for which they act. `transaction`: the id of the sign-in that it is for, empty for the portal itself; `browser`:
    SHA-256 (hex) of the binding cookie; `at`, when it was, and `ends_at`: Unix seconds. `issued_at`: when the provider
    issued the ID token or the assertion, by the provider's clock; None in older records."""

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
    """A LogoutRequest sent to one provider, found again by its RelayState; our own sessions have ended before.

    `home`: as in SignOut.
    """

    provider: str
    request_id: str
    home: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """What `enter` on the app host needs within 30 seconds: the whole is sealed under a key drawn from the code.

    `session_key` is the session's own sealing key; `cookie` is that of the seat which the store adds when the code is
    taken, and which nobody else has until then.
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
