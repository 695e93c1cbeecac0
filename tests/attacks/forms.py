"""The six rule files on which each line of HS and PC is tried, and who tries it."""

from collections.abc import AsyncIterator

from tests.attacks.exchange import Exchange
from tests.attacks.request import request
from tests.attacks.world import World

FORMS = tuple(f"{form}-{first}" for form in ("prefix", "exact", "regex") for first in ("public", "deny"))
PUBLIC_FIRST = tuple(app for app in FORMS if app.endswith("-public"))
_METHODS = (b"GET", b"OPTIONS", b"POST")

# (person, Cookie value, target): what the app lets through.
Try = tuple[str | None, bytes, str]


async def tries(world: World, app: str) -> list[Try]:
    """Nobody on a public page, a person there and on a private one. A stand-in has no people."""
    found: list[Try] = [(None, b"", "/public/page")]
    if world.is_gateway:
        cookie = await world.cookie(app)
        found += [("alice", cookie, "/public/page"), ("alice", cookie, "/private/page")]
    return found


async def each(world: World, *lines: bytes) -> AsyncIterator[tuple[str, str | None, Exchange]]:
    """Tries the lines on every file by everybody, the methods by turns: (app, person, exchange) after each."""
    turn = 0
    for app in FORMS:
        for user, cookie, target in await tries(world, app):
            turn += 1
            data = request(app, target, *lines, method=_METHODS[turn % 3], cookie=cookie)
            yield app, user, await world.send(data)
