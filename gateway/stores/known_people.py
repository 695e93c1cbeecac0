"""What is known of people beyond what their provider said counts for a time, which a seat does not outlive unread."""

from typing import Protocol

from gateway.model.session import Seat, Session


class KnownOfPeople(Protocol):
    """The findings of directories about the people of sessions."""

    def counts_until(self, session: Session) -> float:
        """Until when the directories' word on this session counts: Unix seconds; infinite if no directory said a
        word."""

    async def anew(self, host: str, cookie: bytes, session: Session) -> Session | None:
        """The session as it counts, after they were asked anew; None where it has ended by that."""

    def adopt(self, seat: Seat, session: Session) -> None:
        """The seat is of the session as it is now."""


class NothingKnown:
    """Where there are no directories."""

    def counts_until(self, session: Session) -> float:
        return float("inf")

    async def anew(self, host: str, cookie: bytes, session: Session) -> Session | None:
        return session

    def adopt(self, seat: Seat, session: Session) -> None:
        """Changes nothing."""
