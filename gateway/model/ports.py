"""What the lanes need of the services, so that siblings never import each other; `app.py` joins them by hand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from gateway.model.codes import Code
from gateway.model.identity import Identity
from gateway.model.session import Entry, NameIdFields, Seat, SeatLimits, Session, SignOutNote, Tokens
from gateway.model.transaction import (
    HandOver,
    OidcLogin,
    ParkedAnswer,
    SamlLogin,
    SamlLogout,
    SignOut,
    Transaction,
)


class Write:
    """What a service has made ready for its store, for whoever writes it together with what else there is to write."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session whose first seat nobody has yet. It is good for something when its `write` is done: then `written` is
    called."""

    session: Session
    cookie: bytes = field(repr=False)
    entry: Entry
    write: Write = field(repr=False)
    written: Callable[[], None] = field(repr=False)


class Sessions(Protocol):
    """Sessions and seats. `host` is canonical; `cookie` is the raw value of `__Host-ecluse`.

    Every coroutine raises GatewayError(STORE_UNREACHABLE) when the store cannot say: never None for that.
    """

    def cached(self, host: str, cookie: bytes) -> Seat | None:
        """The live seat from this worker's memory; None says nothing but that it is not here."""

    async def load(self, host: str, cookie: bytes) -> Seat | None:
        """The seat from the store, kept in this worker's memory; None: absent, expired, revoked, or another host's."""

    def touch(self, seat: Seat, now: float) -> None:
        """The seat was used (`now`: monotonic): moves its idle deadline, written to the store in batches."""

    async def new_session(
        self,
        *,
        host: str,
        identity: Identity,
        tenant: str | None,
        browser: str,
        idle: int,
        absolute: int,
        id_token: str | None,
        sid: str | None,
        replaces: bytes | None,
        limits: SeatLimits,
        app: str = "",
        name_id: NameIdFields | None = None,
        tokens: Tokens | None = None,
    ) -> NewSession:
        """A new session with its first seat, on `host`, still to be written.

        `browser`: SHA-256 (hex) of the portal host's binding cookie: logout ends every session of it.
        `replaces`: the cookie presented; its seat on this host ends.
        """

    async def add(self, made: NewSession) -> None:
        """Writes a new session by itself."""

    async def entry(self, host: str, cookie: bytes) -> Entry | None:
        """To the session of this seat; None if the seat is gone."""

    def hand_over(self, entry: Entry, transaction: Transaction) -> tuple[str, Write]:
        """A code that lives 30 s for this session, for `transaction.host`; good for something when it is written."""

    async def take_hand_over(self, code: str) -> HandOver | None:
        """The hand-over, once: whoever takes it has burnt it, whatever is found wrong afterwards."""

    async def take_seat(self, hand_over: HandOver, *, replaces: bytes | None, limits: SeatLimits) -> bytes | None:
        """A new seat on the hand-over's host; its cookie value, or None if the session has ended meanwhile."""

    async def of_browser(self, host: str, cookie: bytes) -> tuple["SessionSummary", ...]:
        """The sessions of the browser to which this seat belongs, as far as they can be told without their cookies."""

    async def opened(self, host: str, cookie: bytes) -> Session | None:
        """The whole session of this seat, with what is kept for its provider alone."""

    async def renew(self, host: str, cookie: bytes, before: Session, after: Session) -> bool:
        """The session of this seat as it is now; False, and nothing written, if it is not what it was before.

        What it is found by stays: who, by which provider, for which tenant."""

    async def end(self, session_ids: Sequence[str]) -> tuple[str, ...]:
        """Ends these sessions; durable when it returns. In force in a worker's memory only by its `revoke`."""

    async def end_browser(self, host: str, cookie: bytes) -> tuple[str, ...]:
        """Ends every session of the browser to which this seat belongs; durable when it returns; their ids."""

    async def end_once(self, session_ids: Sequence[str], kind: str, *parts: str, issued: int, until: int) -> bool:
        """Ends these sessions by a message that works once, until `until`, across all workers; `issued`: when its
        sender wrote it (both Unix seconds).

        In one step: a message is used up only by what it has done. False, and nothing ended, if it was used before, or
        may have been in a store that was before this one."""

    async def ids_of_subject(self, issuer: str, subject: str) -> tuple[str, ...]:
        """Every session of a person, found without any cookie."""

    async def ids_of_sid(self, issuer: str, sid: str) -> tuple[str, ...]:
        """What was signed in under this session id of the provider, found without any cookie."""

    def revoke(self, session_ids: Iterable[str]) -> tuple[Seat, ...]:
        """Kills the seats of these sessions in this worker's memory, at once, and returns them."""


class Callers(Protocol):
    """Programs that bring an access token. `app`: its name. `owner`: the provider to which a token that is no JWT is
    shown, empty for none."""

    def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
        """Of a token that was accepted a moment ago."""

    async def identify(self, app: str, host: str, token: bytes, owner: str) -> Seat:
        """Raises GatewayError: the token is not accepted, or its provider cannot say."""


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What the store knows of a session without its cookie. Times: Unix seconds."""

    id: str
    provider: str
    apps: tuple[str, ...]
    created_at: int
    expires_at: int


class SignOutNotes(Protocol):
    """What applications that name an address for sign-outs are told when a session has ended, kept with that session.

    Every coroutine raises GatewayError(STORE_UNREACHABLE) when the store cannot say.
    """

    async def keep(self, notes: Sequence[SignOutNote]) -> None:
        """In the place of those of the same session and host, and of this browser's older sessions on that host: their
        cookies may be the same. What a session that has ended would have kept is left out."""

    async def take(self, most: int) -> tuple[SignOutNote, ...]:
        """Some of sessions that have ended, however they did: each to one caller only, across all workers."""


class Transactions(Protocol):
    """Sign-ins under way. `network` bounds them per client (an address or prefix); the oldest go first.

    Ids are random secrets: the store is keyed by their hash and holds values sealed under them.
    Every coroutine raises GatewayError(STORE_UNREACHABLE) when the store cannot say.
    """

    async def put(self, transaction: Transaction, network: str) -> str: ...

    async def peek(self, id: str) -> Transaction | None: ...

    async def spend(self, id: str, writes: Sequence[Write]) -> bool:
        """Ends this transaction and writes all of this in the same step; False, and nothing written, if it is gone."""

    async def put_login(self, login: OidcLogin, state: str, network: str) -> None: ...

    async def take_login(self, state: str) -> OidcLogin | None: ...

    async def knows_login(self, state: str) -> bool:
        """Whether there is one to take."""

    async def put_sign_out(self, sign_out: SignOut, state: str, network: str) -> None: ...

    async def take_sign_out(self, state: str) -> SignOut | None: ...

    async def park(self, parameters: Sequence[tuple[str, str]], state: str) -> str:
        """A response that came without its browser's cookie, for 60 s; the id that takes it. Of one `state` few are
        kept. Raises GatewayError(LIMIT_BODY) for more than 32 KB."""

    async def take_parked(self, id: str) -> list[tuple[str, str]] | None: ...

    async def first_use(self, kind: str, *parts: str, issued: int | None = None, until: int) -> bool:
        """True to the first caller only, across all workers, until `until`: what works once.

        `issued`: when its sender wrote it, where it answers nothing of ours; it may then have been used in a store that
        was before this one (Unix seconds, both)."""

    async def rounds(self, binding: str, host: str) -> int:
        """How many hand-overs this browser finished on this host in the last 60 s without a seat coming back."""

    def round_counted(self, binding: str, host: str, round: int, within: int = 60) -> Write:
        """A hand-over was given for a transaction of this round: `rounds` says at least round + 1 for `within` s, 60 at
        most: who comes back when the seat may have ended by its own limits has not gone round.

        A maximum, not a sum: ten tabs that sign in at once are all of round 0 and make one round together.
        """

    async def clear_rounds(self, binding: str, host: str) -> None: ...

    async def start_cleanly(self, binding: str, host: str, network: str) -> bool:
        """False where this browser did so on this host in the last 60 s, and was not cleared since."""

    async def clear_clean_start(self, binding: str, host: str) -> None: ...

    async def first_seat(self, session_id: str, host: str, *, ends_at: int, until: int) -> int:
        """When this session's first seat on this host may have ended: the `ends_at` of the first call, which is kept
        `until` (Unix seconds, both)."""


class SamlTransactions(Protocol):
    """SAML sign-ins and sign-outs under way, as Transactions."""

    async def put_login(self, login: SamlLogin, reference: str, network: str) -> None:
        """`reference`: its RelayState."""

    async def peek_login(self, reference: str) -> SamlLogin | None: ...

    async def take_login(self, reference: str) -> SamlLogin | None: ...

    async def park(self, answer: ParkedAnswer, network: str) -> str:
        """For 60 s; the id that finds it. Raises GatewayError(LIMIT_BODY) for more than 256 KB."""

    async def peek_parked(self, id: str) -> ParkedAnswer | None: ...

    async def spend_parked(self, id: str) -> bool:
        """False where it is gone: somebody else has spent it."""

    async def put_logout(self, logout: SamlLogout, reference: str, network: str) -> None: ...

    async def take_logout(self, reference: str) -> SamlLogout | None: ...


@dataclass(frozen=True, slots=True)
class Page:
    """A ready answer: `headers` are (name, value) in bytes, without Content-Length, which the sender writes."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class ErrorPages(Protocol):
    """Renders what the data plane answers by itself; ready bytes, cheap enough for a flood."""

    def render(
        self,
        code: Code,
        *,
        kind: Literal["html", "json", "frame"],
        language: str,
        reference: str,
        login_url: str = "",
        refusal: str = "",
    ) -> Page:
        """`kind`: "html" page, "json" body, or "frame": the small 401 page whose link opens at the top.

        `language`: the raw Accept-Language value, or empty. `reference`: the request id. `login_url`: of the page's one
        link, whose text goes by the code: to sign in, to sign out and be somebody else, to start again, or back.
        """


class Revoker(Protocol):
    """Puts the end of sessions in force in every worker."""

    async def revoked(self, session_ids: tuple[str, ...]) -> None:
        """Returns when every worker has confirmed, or after 1 s: a worker that does not answer reads the
        store's revocation list by itself within that time."""


class Counters(Protocol):
    """Plain numbers of one worker, rendered by the supervisor. A key is (metric, label value, ...)."""

    values: dict[tuple[str, ...], float]

    def add(self, *key: str) -> None:
        """One more of this."""

    def overhead(self, seconds: float) -> None:
        """Time that we spent ourselves on one request."""


class Log(Protocol):
    """One JSON line per event, written by a thread in batches; never blocks, counts what it had to drop."""

    def event(self, event: str, **fields: object) -> None:
        """`event` is an id of the table of events; fields are operator facts: no secret, no attribute value."""

    def access(self, line: bytes) -> None:
        """A ready access log line, newline included."""
