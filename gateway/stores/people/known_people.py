"""Directories' findings about people count for a limited time. A seat is looked up again before that time is over."""

from typing import Protocol

from gateway.model.session import Seat, Session


class KnownOfPeople(Protocol):
    """The findings of directories about the people of sessions."""

    def counts_until(self, session: Session) -> float:
        """Until when the directories' findings for this session count (Unix seconds); infinite without findings."""

    async def anew(self, host: str, cookie: bytes, session: Session) -> Session | None:
        """Asks the directories again and returns the new session. None: the answer ended the session."""

    def adopt(self, seat: Seat, session: Session) -> None:
        """Updates the seat from the session."""


class NothingKnown:
    """Used without directories."""

    def counts_until(self, session: Session) -> float:
        return float("inf")

    async def anew(self, host: str, cookie: bytes, session: Session) -> Session | None:
        return session

    def adopt(self, seat: Seat, session: Session) -> None:
        """Changes nothing."""
