"""Bodies on the disk: forms and uploads that are kept across a sign-in, and what waits for slow clients; how much of
everybody's."""

from typing import Annotated

from pydantic import Field, model_validator

from gateway.config.schema.types import Maybe, Size, Strict, WholeSeconds, wrong
from gateway.model.kept_post import MOST_KEPT


class KeepPostsSection(Strict):
    """Forms and uploads that browsers send after the end of the session. The gateway encrypts and keeps the content
    until the person has signed in again and sends it on."""

    largest: Size = 25 << 20
    """The largest request that is kept, files included."""
    lasts: WholeSeconds = 3600
    """How long a request is kept, at most a day."""

    @model_validator(mode="after")
    def _a_day(self) -> "KeepPostsSection":
        if self.lasts > MOST_KEPT:
            raise wrong("nothing is kept for longer than a day", "write lasts: 24h, or less")
        return self


class PostsSection(Strict):
    """Where the gateway keeps the encrypted forms and uploads of applications with `keep_posts`, and how many bytes."""

    folder: Maybe[Annotated[str, Field(min_length=1)]] = None
    """The folder; a relative path starts from the policy folder. Default: `posts` in the state folder. Gateways on
    several machines that serve the same hosts need a shared folder."""
    per_person: Size = 100 << 20
    """The most that is kept for one person at a time."""
    in_all: Size = 1 << 30
    """The most that is kept for all people together at a time."""


class BuffersSection(Strict):
    """Where bodies wait for slow clients, for the applications whose files say `upstream.buffer`. The files have no
    names, are encrypted under keys that are nowhere else, and are gone with the process."""

    folder: Maybe[Annotated[str, Field(min_length=1)]] = None
    """The folder, on a disk of this machine; a relative path starts from the policy folder. Default: `buffers` in the
    state folder."""
    in_all: Size = 1 << 30
    """The most that waits at a time in each worker. One application may use at most as much as is left free, which is
    half when it is alone. Beyond that, bodies are not buffered and proceed at the pace of the slower side."""
