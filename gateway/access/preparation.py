"""What an application is sent of somebody, where its file asks for tokens: these end, and are made beside the loop."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.access.outcome import Prepared
from gateway.access.shared_work import SharedWork
from gateway.config.snapshot import App
from gateway.model.codes import GATEWAY_FAULT, TRANSLATION_BUDGET
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.tokens.basic import basic_line
from gateway.tokens.making import MadeTokens, check, make
from gateway.tokens.spec import SigningKey

# While new ones are being made, it is looked for them so often.
_LOOK_AGAIN: Final = 1.0
_MADE_WITHIN: Final = 10.0

InThread = Callable[[Callable[[], MadeTokens]], Awaitable[MadeTokens]]
"""Does a piece of work where it does not hold the loop (invariant 14)."""


def translated(app: App, seat: Seat | None, now: float) -> Prepared:
    """By the application's own file, without what has to be made: this never ends, for it turns on the identity alone.
    Raises GatewayError."""
    identity = None if seat is None else seat.identity
    injection = app.translation.render(identity)
    headers = injection.headers
    if identity is not None:
        check(app.tokens, identity)
        headers += b"" if app.basic is None else basic_line(app.basic, identity)
    return Prepared(headers, injection.cookies)


@dataclass(frozen=True, slots=True)
class _Kept:
    """For one seat. `until`: monotonic seconds, past which it is not sent; `renew_at`: when new ones are made."""

    identity: Identity
    made: MadeTokens
    renew_at: float
    until: float


class Preparation:
    """access.application.Preparing of a worker. `keys`: the live ones, of each algorithm the first signs. `wall`: Unix
    seconds; `monotonic`: the clock of Seat.hard_deadline. What was made is kept with the seat, and ends with it."""

    def __init__(
        self,
        *,
        keys: Callable[[], Sequence[SigningKey]],
        in_thread: InThread,
        chance: Callable[[int], bytes],
        wall: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._in_thread = in_thread
        self._chance = chance
        self._wall = wall
        self._monotonic = monotonic
        self._shared: SharedWork[None] = SharedWork(_MADE_WITHIN, GATEWAY_FAULT)

    def __call__(self, app: App, seat: Seat | None, now: float) -> Prepared | Callable[[], Awaitable[None]]:
        fixed = translated(app, seat, now)
        if seat is None or not app.tokens:
            return fixed
        kept = seat.made.get(app.tokens)
        if not isinstance(kept, _Kept) or not self._holds(kept, seat, now):
            return lambda: self._shared.done((seat, app.tokens), lambda: self._make(app, seat))
        until = kept.renew_at
        if now >= kept.renew_at:
            # It can still be sent: nobody waits for the new ones.
            self._shared.begin((seat, app.tokens), lambda: self._make(app, seat))
            until = min(kept.until, now + _LOOK_AGAIN)
        made = kept.made
        size = sum(map(len, (fixed.headers, fixed.cookies, made.headers, made.cookies)))
        if size > app.translation.budget:
            detail = f"all headers, cookies and tokens together: {size} bytes, over {app.translation.budget}"
            raise GatewayError(TRANSLATION_BUDGET, detail)
        both = b"; ".join(filter(None, (fixed.cookies, made.cookies)))
        return replace(fixed, headers=fixed.headers + made.headers, cookies=both, valid_until=until)

    def _holds(self, kept: _Kept, seat: Seat, now: float) -> bool:
        """Made of what the provider says of this person now, by keys that are still published; and by neither clock at
        its end: an application looks at the wall clock, which somebody may set."""
        if kept.identity is not seat.identity or now >= kept.until or self._wall() >= kept.made.ends:
            return False
        return kept.made.keys <= {key.id for key in self._keys()}

    async def _make(self, app: App, seat: Seat) -> None:
        identity, keys = seat.identity, tuple(self._keys())
        wall, monotonic = self._wall(), self._monotonic()
        not_after = wall + (seat.hard_deadline - monotonic)
        made = await self._in_thread(
            lambda: make(app.tokens, identity, keys, now=wall, not_after=not_after, chance=self._chance)
        )
        # From the time before, so that what took long does not end late.
        kept = _Kept(identity, made, monotonic + (made.renew_at - wall), monotonic + (made.ends - wall))
        seat.made = {app.tokens: kept}
