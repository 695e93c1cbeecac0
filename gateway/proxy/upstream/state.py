"""The position of an application's connection in a response, and the calls to its pool."""

from enum import Enum, auto
from typing import Final, Protocol, TypeVar

from gateway.wire.fences import Fence

C_contra = TypeVar("C_contra", contravariant=True)

# Servers close idle connections after 5 s (Apache, Node), some after 2: a request must not cross that close.
IDLE_SECONDS: Final = 4.0


class ResponseState(Enum):
    """What the connection reads next."""

    IDLE = auto()
    HEAD = auto()
    COUNTED = auto()
    IN_CHUNKS = auto()
    TO_END = auto()
    CLOSED = auto()


# Names of this module: at each use an attribute of the class would be looked up first.
IDLE: Final = ResponseState.IDLE
HEAD: Final = ResponseState.HEAD
COUNTED: Final = ResponseState.COUNTED
IN_CHUNKS: Final = ResponseState.IN_CHUNKS
TO_END: Final = ResponseState.TO_END
CLOSED: Final = ResponseState.CLOSED


class Keeper(Protocol[C_contra]):
    """The pool of these connections, which keeps idle connections."""

    def give(self, connection: C_contra) -> None: ...

    def forget(self, connection: C_contra) -> None: ...

    def is_beyond(self, connection: C_contra, fence: Fence | None) -> bool: ...
