"""A new session before its first write."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.model.session import Entry, Session
from gateway.stores.records import Write


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session with its first seat, before any browser has the cookie. Counts once its `writes` are done; then the
    caller calls `written`. `issued_at`: as in SessionRecord."""

    session: Session
    cookie: bytes = field(repr=False)
    entry: Entry
    writes: tuple[Write, ...] = field(repr=False)
    written: Callable[[], None] = field(repr=False)
    issued_at: int | None
