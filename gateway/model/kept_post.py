"""A form or an upload that was sent when its session had ended, kept until its person has signed in again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

# Seconds: what an application's file may ask for at most.
MOST_KEPT: Final = 86400


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A request's body in the folder of kept posts. `name`: of its file; `secret`: what its key is drawn from, with the
    store key `key_id`. `person`: the keyed hash of whom the ended session belonged to; `tenant`: of the organisation
    that it was for, or of none; b"" where that is not known. `size`: bytes."""

    name: str
    secret: bytes = field(repr=False)
    key_id: str
    person: bytes
    size: int
    tenant: bytes = b""


@dataclass(frozen=True, slots=True)
class KeptPost:
    """`target`: in origin form, as it was sent to `host`, as was `content_type`. `binding`: SHA-256 (hex) of the
    browser's binding cookie on that host. Times: Unix seconds."""

    app: str
    host: str
    target: str
    content_type: str
    binding: str
    kept_at: int
    expires_at: int
    file: KeptFile


class KeptBody(Protocol):
    """The body of a kept post, found whole, that is read once. `size`: bytes."""

    @property
    def size(self) -> int: ...

    async def read(self) -> bytes:
        """The next piece; empty at the end. Raises GatewayError where the file has changed since it was found whole."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SendOn:
    """What its person has asked for: this post goes to the application now, in the place of the request that asked.

    `again`: where a stronger sign-in is needed first, the address of the page that offers it. `give_back`: called where
    nothing of it was sent, so that it can be asked for again. `done`: called where some of it was, or may have been.
    """

    target: str
    content_type: str
    again: str
    body: KeptBody
    give_back: Callable[[], None]
    done: Callable[[], None]


@dataclass(frozen=True, slots=True)
class PostsSettings:
    """Forms that are kept across a sign-in. `folder`: absolute. Bytes."""

    folder: str = ""
    per_person: int = 100 << 20
    in_all: int = 1 << 30


@dataclass(frozen=True, slots=True)
class KeepPosts:
    """What an application has kept of them. `largest`: bytes of one; `lasts`: seconds."""

    largest: int
    lasts: int
