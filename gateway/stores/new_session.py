"""A session that is made and not written yet."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.model.session import Entry, Session
from gateway.stores.records import Write


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session whose first seat nobody has yet. It is good for something when its `writes` are done: then `written`
    is called."""

    session: Session
    cookie: bytes = field(repr=False)
    entry: Entry
    writes: tuple[Write, ...] = field(repr=False)
    written: Callable[[], None] = field(repr=False)
