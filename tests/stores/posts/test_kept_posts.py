"""Which posts are kept, how they are found again, and that each is sent on once: the service, before every store."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.codes import kept_post_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeepPosts, KeptPost, PostsSettings
from gateway.stores import codec
from gateway.stores.posts.bodies import PostWriter
from gateway.stores.posts.folder import FolderBounds, Occupant, PostFolder
from gateway.stores.posts.kept_posts import KeptPosts
from gateway.stores.records import RecordStore
from tests.patience import PATIENCE
from tests.stores.samples import JEANNE, KEYS, OTHER_KEYS, PAIE, PERMIS, Clock, Worker

CLIENT = "192.0.2.7"
KEEP = KeepPosts(largest=1_000, lasts=600)
PAUL = replace(JEANNE, subject="subject-of-paul")
IDLE = 1800
SIRET = "21590350100017"


@pytest.fixture
def settings(tmp_path: Path) -> PostsSettings:
    return PostsSettings(str(tmp_path / "posts"), per_person=2_500, in_all=4_000)


@pytest.fixture
def posts(store: RecordStore, clock: Clock, settings: PostsSettings) -> Iterator[KeptPosts]:
    made = KeptPosts(store, KEYS, settings=lambda: settings, now=clock.now)
    yield made
    made.close()


async def ended(worker: Worker, name: str = "jeanne's browser", **more: object) -> bytes:
    """The cookie of a seat on PERMIS that has ended by the idle limit of its session."""
    portal = await worker.sign_in(name, idle=IDLE, **more)  # type: ignore[arg-type]
    cookie = await worker.enter(portal)
    worker.clock.pass_by(IDLE)
    return cookie


async def admitted(posts: KeptPosts, cookie: bytes, size: int | None = 44, client: str = CLIENT) -> PostWriter:
    writer = await posts.admit(PERMIS, cookie, client, size, KEEP)
    assert writer is not None
    return writer


async def kept(posts: KeptPosts, cookie: bytes, body: bytes = b"objet=essai") -> tuple[str, KeptPost]:
    writer = await admitted(posts, cookie, len(body))
    file = await writer.finish(body)
    now = posts._now()
    post = KeptPost("permis", PERMIS, "/depot", "text/plain", "binding", now, now + KEEP.lasts, file)
    return await posts.keep(post), post


async def refusal(posts: KeptPosts, cookie: bytes, size: int | None = 44, client: str = CLIENT) -> str:
    with pytest.raises(GatewayError) as refused:
        await posts.admit(PERMIS, cookie, client, size, KEEP)
    assert refused.value.code is kept_post_codes.NOT_KEPT
    return refused.value.detail


async def code_of_finding(posts: KeptPosts, id: str, host: str = PERMIS) -> Code:
    with pytest.raises(GatewayError) as refused:
        await posts.find(id, host)
    return refused.value.code


def files(settings: PostsSettings) -> list[str]:
    return [name for name in os.listdir(settings.folder) if name != ".lock"] if Path(settings.folder).exists() else []


# --- a post comes


async def test_only_the_host_of_the_seat_that_has_ended_has_room(
    posts: KeptPosts, worker: Worker, settings: PostsSettings
) -> None:
    """A cookie that was stolen by one application opens nothing on another host, ended or not."""
    cookie = await ended(worker)
    assert await posts.admit(PAIE, cookie, CLIENT, 44, KEEP) is None
    assert files(settings) == []
    assert await posts.admit(PERMIS, cookie, CLIENT, 44, KEEP) is not None


@pytest.mark.parametrize("change", ["lives", "signed out", "made up", "other secret", "garbage", "forgotten"])
async def test_no_other_cookie_has_any(
    posts: KeptPosts, worker: Worker, clock: Clock, settings: PostsSettings, change: str
) -> None:
    portal = await worker.sign_in(idle=IDLE)
    cookie = await worker.enter(portal)
    if change == "signed out":
        await worker.sessions.end([cookie.partition(b".")[0].decode()])
    if change != "lives":
        clock.pass_by(IDLE + (13 * 3600 if change == "forgotten" else 0))
    id, _, secret = cookie.partition(b".")
    shown = {
        "made up": b"A" * 22 + b"." + secret,
        "other secret": id + b"." + b"B" * 43,
        "garbage": b"garbage",
    }.get(change, cookie)
    assert await posts.admit(PERMIS, shown, CLIENT, 44, KEEP) is None
    assert files(settings) == []


async def test_a_body_of_unknown_size_takes_the_room_of_the_largest(posts: KeptPosts, worker: Worker) -> None:
    cookie = await ended(worker)
    for _ in range(2):
        await admitted(posts, cookie, None)
    assert await refusal(posts, cookie, 501) == "2501 bytes of this person would be kept, over 2500"
    await admitted(posts, cookie, 500)


async def test_bytes_are_counted_by_person_whatever_the_session_and_the_address(
    posts: KeptPosts, worker: Worker
) -> None:
    of_jeanne = [await ended(worker, f"browser {number}") for number in range(3)]
    for number, cookie in enumerate(of_jeanne[:2]):
        await admitted(posts, cookie, 1_000, f"192.0.2.{number}")
    assert "of this person" in await refusal(posts, of_jeanne[2], 501, "192.0.2.9")
    of_paul = await ended(worker, "paul's browser", identity=PAUL)
    await admitted(posts, of_paul, 1_000)
    assert "of everybody" in await refusal(posts, of_paul, 1_001)


async def test_posts_are_counted_by_session_and_by_address(
    posts: KeptPosts, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.posts.folder.MOST_OF_ONE", 3)
    monkeypatch.setattr("gateway.stores.posts.folder.MOST_OF_CLIENT", 4)
    cookie = await ended(worker)
    for number in range(3):
        await admitted(posts, cookie, 1, f"198.51.100.{number}")
    assert await refusal(posts, cookie, 1) == "3 posts of this person are kept already"
    others = [await ended(worker, name, identity=replace(PAUL, subject=name)) for name in ("a", "b", "c", "d", "e")]
    for other in others[:4]:
        await admitted(posts, other, 1)
    assert await refusal(posts, others[4], 1) == "4 posts of this address are kept already"
    await admitted(posts, others[4], 1, "203.0.113.1")


# --- its person comes


async def test_it_is_found_on_its_own_host_only(posts: KeptPosts, worker: Worker) -> None:
    id, post = await kept(posts, await ended(worker))
    assert await posts.find(id, PERMIS) == post
    assert await code_of_finding(posts, id, PAIE) is kept_post_codes.GONE
    assert await code_of_finding(posts, id[:-1] + ("A" if id[-1] != "A" else "B")) is kept_post_codes.GONE


async def test_it_is_the_one_persons(posts: KeptPosts, worker: Worker) -> None:
    _, post = await kept(posts, await ended(worker))
    assert posts.is_of(post, JEANNE)
    assert not posts.is_of(post, PAUL)
    assert not posts.is_of(post, replace(JEANNE, issuer="https://op.other.example"))


@pytest.mark.parametrize("tenant", [SIRET, None])
async def test_it_is_for_the_organisation_of_the_session_that_had_ended(
    posts: KeptPosts, worker: Worker, tenant: str | None
) -> None:
    _, post = await kept(posts, await ended(worker, tenant=tenant))
    assert [posts.is_for(post, one) for one in (SIRET, "13002526500013", None)] == [tenant == SIRET, False, not tenant]


async def test_one_that_an_older_release_kept_is_for_no_organisation_that_is_known(
    posts: KeptPosts, worker: Worker
) -> None:
    _, post = await kept(posts, await ended(worker))
    told = json.loads(codec.KEPT_POST.write(post))
    del told["file"]["tenant"]
    older = codec.KEPT_POST.read(json.dumps(told).encode())
    assert older == replace(post, file=replace(post.file, tenant=b""))
    assert not posts.is_for(older, SIRET)
    assert not posts.is_for(older, None)


async def test_a_new_store_key_finds_its_person_and_opens_its_body(
    store: RecordStore, posts: KeptPosts, worker: Worker, settings: PostsSettings
) -> None:
    id, post = await kept(posts, await ended(worker))
    newer = KeptPosts(store, (*OTHER_KEYS, *KEYS), settings=lambda: settings, now=worker.clock.now)
    found = await newer.find(id, PERMIS)
    assert newer.is_of(found, JEANNE)
    assert newer.is_for(found, SIRET)
    body = await newer.open(post)
    assert await body.read() == b"objet=essai"
    body.close()
    newer.close()
    without = KeptPosts(store, OTHER_KEYS, settings=lambda: settings, now=worker.clock.now)
    with pytest.raises(GatewayError) as refused:
        await without.open(post)
    assert refused.value.code is kept_post_codes.GONE
    without.close()


async def test_it_is_found_until_its_time_is_over_and_then_told_of(
    posts: KeptPosts, worker: Worker, clock: Clock
) -> None:
    id, post = await kept(posts, await ended(worker))
    clock.now_s = post.expires_at - 1
    assert await posts.find(id, PERMIS) == post
    clock.now_s = post.expires_at
    assert await code_of_finding(posts, id) is kept_post_codes.EXPIRED


async def test_one_of_many_takes_it(posts: KeptPosts, worker: Worker) -> None:
    id, post = await kept(posts, await ended(worker))
    taken = await asyncio.gather(*(posts.take(id) for _ in range(8)))
    assert sorted(taken) == [False] * 7 + [True]
    assert await code_of_finding(posts, id) is kept_post_codes.GONE
    await posts.give_back(id, post)
    assert await posts.find(id, PERMIS) == post
    assert await posts.take(id)


async def test_the_body_of_another_post_is_not_read_for_it(
    posts: KeptPosts, worker: Worker, settings: PostsSettings
) -> None:
    """Whoever writes to the disk exchanges two files of one size."""
    cookie = await ended(worker)
    _, mine = await kept(posts, cookie, b"montant=10")
    _, other = await kept(posts, cookie, b"montant=99")
    os.rename(f"{settings.folder}/{other.file.name}", f"{settings.folder}/{mine.file.name}")
    with pytest.raises(GatewayError) as refused:
        await posts.open(mine)
    assert refused.value.code is kept_post_codes.GONE


async def test_whoever_leaves_while_room_is_made_has_none(
    posts: KeptPosts, worker: Worker, settings: PostsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = await ended(worker)
    begun, goes_on, take_room = threading.Event(), threading.Event(), PostFolder.take_room

    def slowly(self: PostFolder, wanted: Occupant, bounds: FolderBounds, now: int) -> int:
        begun.set()
        goes_on.wait(PATIENCE)
        return take_room(self, wanted, bounds, now)

    monkeypatch.setattr(PostFolder, "take_room", slowly)
    admitting = asyncio.ensure_future(posts.admit(PERMIS, cookie, CLIENT, 44, KEEP))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    admitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await admitting
    goes_on.set()
    async with asyncio.timeout(PATIENCE):
        while not Path(settings.folder, ".lock").exists() or files(settings):
            await asyncio.sleep(0.01)
