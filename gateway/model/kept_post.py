"""A form or an upload sent after its session had ended, kept until the person has signed in again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

# Seconds: the longest time that an application's file may ask for.
MOST_KEPT: Final = 86400


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A request's body in the folder of kept posts.

    `name`: of the file.
    `secret`: the secret from which the file's key is derived, with the store key `key_id`.
    `person`: the keyed hash of the owner of the ended session; b"": unknown.
    `tenant`: the keyed hash of the session's organisation, or of none; b"": unknown.
    `size`: bytes.
    """

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
    """The person's order to send this post to the application now, in place of the present request.

    `again`: the address of the page for a stronger sign-in, if one is needed first.
    `give_back`: called if no byte of the post was sent, so that the person can order again.
    `done`: called if bytes were sent, or may have been.
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
    """The limits of an application's kept posts. `largest`: bytes of one post. `lasts`: seconds."""

    largest: int
    lasts: int
