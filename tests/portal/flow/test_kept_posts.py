"""What becomes of a body on the disk that nothing can lead to; whose post is found; after which ends one is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from gateway.model.codes import kept_post_codes, store_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeepPosts, KeptFile, KeptPost
from gateway.model.session import Seat
from gateway.portal.flow.kept_posts import KeptPostPages
from gateway.stores.memory import MemoryStore
from gateway.stores.sealing import read_cookie
from tests.portal.browser import Browser
from tests.portal.installation import ACTES, Installation, installed
from tests.portal.openid.test_provider_logout import token, told

FILE = KeptFile("name", b"secret", "k1", b"person", 44)


class Posts:
    """stores.posts.kept_posts.KeptPosts, whose store is out of reach."""

    def __init__(self) -> None:
        self.removed: list[KeptFile] = []

    async def keep(self, post: Any) -> str:
        raise GatewayError(store_codes.UNREACHABLE, "no store")

    async def find(self, id: str, host: str) -> KeptPost:
        return KeptPost("one", "one.example", "/deposit", "", "binding", 0, 9, FILE)

    async def remove(self, file: KeptFile) -> None:
        self.removed.append(file)


@pytest.mark.parametrize("keep_posts", [None, SimpleNamespace(lasts=60)])
async def test_a_body_that_cannot_be_told_of_takes_up_no_room(keep_posts: Any) -> None:
    posts = Posts()
    pages = KeptPostPages(SimpleNamespace(posts=posts, now=lambda: 1.0, token_urlsafe=str))  # type: ignore[arg-type]
    request = SimpleNamespace(
        app=SimpleNamespace(name="one", keep_posts=keep_posts),
        inbound=SimpleNamespace(kept=FILE),
        host="one.example",
        target="/deposit",
        header=lambda name: None,
        binding_made=lambda token: "binding",
    )
    with pytest.raises(GatewayError):
        await pages.keep(request)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert posts.removed == [FILE]


@pytest.mark.parametrize("app", ["one", "two"])
async def test_a_host_that_is_another_applications_by_now_finds_no_post_of_the_one_before(app: str) -> None:
    pages = KeptPostPages(SimpleNamespace(posts=Posts()))  # type: ignore[arg-type]
    request: Any = SimpleNamespace(host="one.example", holds=lambda binding: binding == "binding", way_back=None)
    finding = pages._found(request, SimpleNamespace(name=app), "id")  # type: ignore[arg-type]
    if app == "one":
        assert (await finding).app == "one"
        return
    with pytest.raises(GatewayError) as refused:
        await finding
    assert refused.value.code is kept_post_codes.GONE


# --- for which ends of a session a post is kept


async def _provider_tells(here: Installation, browser: Browser, seat: Seat) -> None:
    assert (await told(here, token(here.metropole))).status == 200


async def _refresh_is_over(here: Installation, browser: Browser, seat: Seat) -> None:
    here.metropole.refresh_answer = lambda claims: web.json_response({"error": "invalid_grant"}, status=400)
    await _refreshed(here, seat)


async def _refresh_is_another_persons(here: Installation, browser: Browser, seat: Seat) -> None:
    here.metropole.refresh_answer = lambda claims: claims.update(sub="bob")
    await _refreshed(here, seat)


async def _refreshed(here: Installation, seat: Seat) -> None:
    here.clock.ahead = 241
    assert here.renewal is not None
    await here.renewal.renew(seat)


async def _person_signs_out(here: Installation, browser: Browser, seat: Seat) -> None:
    await browser.post(here.url(ACTES, "/_ecluse/logout"))


async def _somebody_else_ends_it(here: Installation, browser: Browser, seat: Seat) -> None:
    await here.sessions.end([seat.session_id])


@pytest.mark.parametrize(
    ("end", "leaves_one"),
    [
        (_provider_tells, True),
        (_refresh_is_over, True),
        (_refresh_is_another_persons, False),
        (_person_signs_out, False),
        (_somebody_else_ends_it, False),
    ],
)
@pytest.mark.parametrize("keep_posts", [KeepPosts(1000, 60), None])
async def test_an_end_at_the_provider_leaves_a_tombstone_and_one_that_was_meant_for_here_none(
    end: Callable[[Installation, Browser, Seat], Awaitable[None]], leaves_one: bool, keep_posts: KeepPosts | None
) -> None:
    store = MemoryStore()
    async with installed(store=store) as here:
        here.change_provider("metropole", refresh=True)
        here.change("actes", keep_posts=keep_posts)
        browser = here.browser()
        await browser.get(here.url(ACTES))
        cookie = browser.jar[ACTES]["__Host-ecluse"].encode()
        seat = await here.sessions.load(ACTES, cookie)
        presented = read_cookie(cookie)
        assert seat is not None
        assert presented is not None
        await end(here, browser, seat)
        assert await here.sessions.opened(ACTES, cookie) is None
        stone = await store.tombstone(presented.key, int(here.clock.now()))
        assert (stone is not None and stone.host == ACTES) is (leaves_one and keep_posts is not None)
