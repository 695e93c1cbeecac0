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
    """The transaction that a sign-in serves, as it was when the provider was asked; its id spends it."""

    id: str
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class OidcLogin:
    """An authorization request sent to one provider; found again by its `state`.

    `serves` is None for a sign-in begun on the portal itself.
    `binding` is the SHA-256 (hex) of the portal host's binding cookie. `max_age`: seconds, where it was asked for.
    `asking`: what else this one sign-in was asked for, beside what the provider file asks for each time. `issuer`: the
    provider's, when it was asked; empty in records of before this was kept.
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
    """An AuthnRequest sent to one provider; found again by its RelayState, which is a reference and tells nothing.

    `request_id`: its ID, which the answer's InResponseTo must name. `authn_context`, `comparison`: what it asked for.
    `issued_at`: its IssueInstant, Unix seconds; `fresh`: an authentication made now was asked for (ForceAuthn).
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
    """A person who was sent to a provider to be signed out there; found again by its `state`.

    `home`: the address of the application that they left, empty for the portal itself.
    """

    provider: str
    home: str


@dataclass(frozen=True, slots=True)
class ParkedResponse:
    """An OpenID provider's response by `form_post`, as it came: (name, value) of each field, none of them verified."""

    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ParkedAssertion:
    """What a SAML provider asserted, verified but for the browser, whose cookie a POST from elsewhere does not bring.

    `reference`: the RelayState of the SamlLogin that it answers, None where the provider began by itself. `login`: that
    login as it was then, so that it is not read once more; whether it is still under way, the step that spends it says.
    `replayable_until`: until when the assertion would pass a second time; `session_until`: SessionNotOnOrAfter.
    `issued`: its IssueInstant; 0 in records of before this was kept. All in Unix seconds. `skew`: the seconds by which
    the provider's clock was allowed to be ahead when this was verified.
    `at`: when it was verified (Unix seconds). Older records have 0: every sign-out then counts as later and refuses
    them.
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
    """What a slow request came to, for the browser that waits for it. `binding`: SHA-256 (hex) of its binding
    cookie."""

    binding: str
    page: Page
