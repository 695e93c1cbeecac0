"""A signed-in person, and the entry of one host to the session."""

from dataclasses import dataclass, field
from typing import final

from gateway.model.identity import Identity

NameIdFields = tuple[str, str | None, str | None, str | None, str | None]
"""Value, Format, NameQualifier, SPNameQualifier, SPProvidedID; None: the attribute was absent."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The renewal of a session at its provider, if the provider's file asks for renewal.

    `refresh_at`: Unix seconds, before the last grant ends.
    `number`: of renewals so far.
    """

    refresh_token: str = field(repr=False)
    refresh_at: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in. Times are Unix seconds.

    `id`: 22 characters. All but the first are random (stores.sealing).
    `tenant`: the SIRET of the organisation for which the person acts, or None.
    `idle`: seconds.
    `id_token`: for id_token_hint, to the provider that issued the token.
    `sid`: the provider's own session id, if the provider sent an id; with SAML, the SessionIndex.
    `name_id`: SAML's NameID unchanged, which a logout must repeat.
    """

    id: str
    identity: Identity
    tenant: str | None
    created_at: int
    expires_at: int
    idle: int
    id_token: str | None = None
    sid: str | None = None
    name_id: NameIdFields | None = None
    tokens: Tokens | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """The right to make a seat for a session: the holder has the session's key.

    `expires_at`: the session's absolute limit, Unix seconds.
    `browser`: hash (hex) of the session's browser.
    """

    session_id: str
    session_key: bytes = field(repr=False)
    provider: str
    expires_at: int
    browser: str


@dataclass(frozen=True, slots=True)
class SignOutNote:
    """The sign-out call to an application at the end of a session, when no browser brings the cookies.

    `login`: the person's login, as sent to the application.
    `cookies`: the application's cookies of the session, as last seen.
    `whose`: the owner of the cookies, usually the person; used when the note is kept, and not read back.
    """

    session_id: str
    host: str
    app: str
    login: bytes = field(repr=False)
    cookies: bytes = field(repr=False)
    whose: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SeatLimits:
    """An application's shorter limits for seats, in seconds. None: the session's limit."""

    idle: int | None = None
    absolute: int | None = None

    @property
    def shortest(self) -> int | None:
        """Seconds after which a seat may end; None without own limits."""
        limits = [limit for limit in (self.idle, self.absolute) if limit is not None]
        return min(limits) if limits else None


@final
@dataclass(slots=True, weakref_slot=True, eq=False, repr=False)
class Seat:
    """The entry of one host to a session as a worker holds it: flat, mutable, private to the worker.

    `deadline`: on the monotonic clock, the earliest of the idle limit, the absolute limit and `counts_until`. The next
    use after the deadline reads the seat again.
    `counts_until`: the time until which the findings of directories count.
    `live`: False once the session is revoked; a dead seat admits nobody.
    `refresh_at`: on the same clock, the time to ask the provider whether the session still stands.
    `outcomes`: of gateway.access: the prepared outcome by route and method, valid for `revision` only.
    `made`: of gateway.access: the tokens for the application.
    `account`: of gateway.access: the person's login at the application.
    `known`: of gateway.access: the person with the attributes of directories.
    `application`: of gateway.access: the person's session at the application's login form.
    `jar`: of gateway.proxy.hidden_cookies: the application's cookies that the browser does not receive.
    `store_keys`: the ids of the keys that encrypt the seat and its session.
    `size`: bytes, as counted by the worker's cache.
    """

    cookie: bytes
    host: str
    session_id: str
    identity: Identity
    tenant: str | None
    idle: float
    deadline: float
    hard_deadline: float
    touched: float
    refresh_at: float = float("inf")
    counts_until: float = float("inf")
    live: bool = True
    revision: str = ""
    outcomes: dict[object, object] = field(default_factory=dict)
    made: dict[object, object] = field(default_factory=dict)
    application: object | None = None
    account: object = None
    jar: object | None = None
    store_keys: tuple[str, ...] = ()
    known: object | None = None
    size: int = 0
