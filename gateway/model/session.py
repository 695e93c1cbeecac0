"""A signed-in person, and one host's entry to that session."""

from dataclasses import dataclass, field
from typing import final

from gateway.model.identity import Identity

NameIdFields = tuple[str, str | None, str | None, str | None, str | None]
"""Value, Format, NameQualifier, SPNameQualifier, SPProvidedID; None: the attribute was not there."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What keeps a session true at its provider, where its file says so.

    `refresh_at`: Unix seconds, ahead of the end of what was given last. `number`: how many times it was renewed.
    """

    refresh_token: str = field(repr=False)
    refresh_at: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """`id`: 22 characters, random but for the first (stores.sealing).

    `tenant`: the SIRET in whose name the person acts, or None.
    Times are Unix seconds; `idle` is in seconds. `id_token` is kept only to be sent back to its own
    provider (id_token_hint). `sid` is the provider's own session id, where it sent one: SAML's SessionIndex.
    `name_id` is SAML's NameID as it came, so that a logout names the person as the provider did.
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
    """What lets a seat be made for a session: whoever holds it has the session's key. `expires_at`: its absolute limit,
    Unix seconds; `browser`: hash (hex) of the browser that it belongs to."""

    session_id: str
    session_key: bytes = field(repr=False)
    provider: str
    expires_at: int
    browser: str


@dataclass(frozen=True, slots=True)
class SignOutNote:
    """What an application is told at the end of a session where no browser brings its cookies: the application and its
    host, `login`, what it was told of the person, as it was sent, and `cookies`, its own of that session, as last seen.
    `whose`: what these cookies belong to, the person as a rule; it is used when the note is kept, and not read back.
    """

    session_id: str
    host: str
    app: str
    login: bytes = field(repr=False)
    cookies: bytes = field(repr=False)
    whose: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SeatLimits:
    """An app's own, shorter limits for its seats: seconds, None where the app sets none."""

    idle: int | None = None
    absolute: int | None = None

    @property
    def shortest(self) -> int | None:
        """Seconds after which a seat may end; None where only the limits of its session count."""
        limits = [limit for limit in (self.idle, self.absolute) if limit is not None]
        return min(limits) if limits else None


@final
@dataclass(slots=True, weakref_slot=True, eq=False, repr=False)
class Seat:
    """One host's entry to a session as a worker holds it: flat, mutable, private to that worker.

    `deadline` is on the monotonic clock: the earliest of the idle and absolute limits, and of `counts_until`, when what
    directories said of the person counts no longer: the next use of it reads the seat anew. `live` turns False
    when the session is revoked, and nothing may be let in by a dead seat. `refresh_at`, on the same clock: when its
    provider is to be asked whether it stands. `outcomes` belongs to
    gateway.access: what comes of a route and method, ready, valid for `revision` only. So do `made`: the tokens that
    an application is sent, by what its file says of them; `account`: the person's login there, where it asks for one;
    `known`: the person with what its directories add; and `application`: the person's session at it. `jar` belongs to
    gateway.proxy.hidden_cookies: the cookies of the application that the browser does not have. `store_keys`: the ids
    of those that seal it and its session. `size`: bytes, as the worker's cache has counted it.
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
