"""What becomes of a body on the disk that nothing can lead to; whose post is found."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.model.codes import STORE_UNREACHABLE
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeptFile, KeptPost
from gateway.model.kept_post_codes import SESSION_FORM_GONE
from gateway.portal.flow.kept_posts import KeptPostPages

FILE = KeptFile("name", b"secret", "k1", b"person", 44)


class Posts:
    """stores.posts.kept_posts.KeptPosts, whose store is out of reach."""

    def __init__(self) -> None:
        self.removed: list[KeptFile] = []

    async def keep(self, post: Any) -> str:
        raise GatewayError(STORE_UNREACHABLE, "no store")

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
    assert refused.value.code is SESSION_FORM_GONE
