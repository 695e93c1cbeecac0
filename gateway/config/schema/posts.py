"""Forms and uploads that are kept across a sign-in: which of an application, and how much of everybody's."""

from typing import Annotated

from pydantic import Field, model_validator

from gateway.config.schema.types import Maybe, Size, Strict, WholeSeconds, wrong
from gateway.model.kept_post import MOST_KEPT


class KeepPostsSection(Strict):
    """Forms and uploads that are sent when the session has ended: kept, encrypted, until their person has signed in
    again and sends them on."""

    largest: Size = 25 << 20
    """The largest request that is kept, its files included."""
    lasts: WholeSeconds = 3600
    """How long one is kept; a day at most."""

    @model_validator(mode="after")
    def _a_day(self) -> "KeepPostsSection":
        if self.lasts > MOST_KEPT:
            raise wrong("nothing is kept for longer than a day", "write lasts: 24h, or less")
        return self


class PostsSection(Strict):
    """Where forms and uploads are kept across a sign-in, for the applications whose files say `keep_posts`, and how
    much of them. They are encrypted."""

    folder: Maybe[Annotated[str, Field(min_length=1)]] = None
    """A relative one starts from the policy folder; `posts` in the state folder where it is left out. Gateways that
    serve the same hosts on several machines need one that they share."""
    per_person: Size = 100 << 20
    """What one person may have kept at a time."""
    in_all: Size = 1 << 30
    """What everybody together may have kept at a time."""
