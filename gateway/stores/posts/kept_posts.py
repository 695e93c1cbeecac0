"""Keeps posts that arrived after their session had ended, finds them again and sends each on once only."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from gateway.model.codes import kept_post_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.kept_post import MOST_KEPT, KeepPosts, KeptBody, KeptFile, KeptPost, PostsSettings
from gateway.ops.log import Log
from gateway.stores import codec
from gateway.stores.posts.bodies import FoundBody, PostWriter, Worked
from gateway.stores.posts.folder import MOST, MOST_OF_ONE, FolderBounds, Occupant, PostFolder
from gateway.stores.records import RecordStore
from gateway.stores.sealing import KEY_BYTES, StoreKeys, TokenBytes, read_cookie
from gateway.stores.tickets.tickets import Bounds, Tickets, unix_now

PURGE_EVERY: Final = 300.0
# Threads off the loop. A hanging disk delays kept posts and nothing else.
_THREADS: Final = 4
# Seconds: a body may come slowly.
_WHILE_IT_COMES: Final = 3600
_ID_BYTES: Final = 16
# The description of a post outlives the post, so that a person who comes too late gets an explanation.
_TICKETS: Final = Bounds(2 * MOST_KEPT, per_group=2 * MOST_OF_ONE, in_all=2 * MOST)


class KeptPosts:
    """Coroutines raise GatewayError: store_codes.UNREACHABLE when the store cannot answer, and the codes named at each.

    `settings`: from gateway.yaml as currently loaded.
    Other parameters as in stores.tickets.tickets.Transactions.
    """

    def __init__(
        self,
        store: RecordStore,
        keys: StoreKeys | Sequence[tuple[str, bytes]],
        *,
        settings: Callable[[], PostsSettings],
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        token_bytes: TokenBytes = os.urandom,
    ) -> None:
        self._store = store
        self._keys = StoreKeys.of(keys)
        self._settings = settings
        self._now = now
        self._token_bytes = token_bytes
        self._tickets = Tickets(codec.KEPT_POST, store, self._keys, _TICKETS, log=log, now=now, token_bytes=token_bytes)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="posts")
        self._purging: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Inside the running loop."""
        self._purging = asyncio.get_running_loop().create_task(self._purge())

    def close(self) -> None:
        if self._purging is not None:
            self._purging.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    # --- a post comes

    async def admit(
        self, host: str, cookie: bytes, client: str, size: int | None, keep: KeepPosts
    ) -> PostWriter | None:
        """Reserves room for a body of `size` bytes (None: unknown), before the first byte is read. Returns None if the
        cookie was no seat of ours on this host, or if its session was ended on purpose.

        `client`: an address, or the /64 of an address. Raises GatewayError(kept_post_codes.NOT_KEPT) if there is no
        room.
        """
        presented = read_cookie(cookie)
        now = self._now()
        stone = None if presented is None else await self._store.tombstone(presented.key, now)
        if presented is None or stone is None or stone.host != host:
            return None
        settings, expires_at = self._settings(), now + keep.lasts + _WHILE_IT_COMES
        counted = (stone.person, presented.key.lookup, self._keys.index("client", client))
        person, seat, address = (part.hex()[:16] for part in counted)
        size = keep.largest if size is None else size
        occupant = Occupant(self._token_bytes(_ID_BYTES).hex(), person, seat, address, size, expires_at)
        tenant = self._keys.index("tenant", stone.tenant or "")
        file = KeptFile(occupant.name, self._token_bytes(KEY_BYTES), self._keys.current, stone.person, 0, tenant)
        folder, bounds = PostFolder(settings.folder), FolderBounds(settings.per_person, settings.in_all)
        descriptor = await self._room(lambda: folder.take_room(occupant, bounds, now), folder, file)
        return PostWriter(folder, file, self._key(file), descriptor, self._in_thread)

    async def keep(self, post: KeptPost) -> str:
        """Stores the description of a post whose body is on disk. Returns the id that finds and opens the
        description."""
        return await self._tickets.put(post, post.file.person.hex())

    # --- its person comes

    async def find(self, id: str, host: str) -> KeptPost:
        """Raises GatewayError: kept_post_codes.GONE if the post was sent on or never kept on this host;
        kept_post_codes.EXPIRED."""
        post = await self._tickets.peek(id)
        if post is None or post.host != host:
            raise GatewayError(kept_post_codes.GONE, "no such post is kept here")
        if post.expires_at <= self._now():
            raise GatewayError(kept_post_codes.EXPIRED, "it was kept for long enough")
        return post

    def is_of(self, post: KeptPost, identity: Identity) -> bool:
        """Whether the ended session belonged to this person."""
        return post.file.person in self._keys.indexes("subject", identity.issuer, identity.subject)

    def is_for(self, post: KeptPost, tenant: str | None) -> bool:
        """Whether the ended session was for the same organisation. A post is never sent in the name of another
        organisation."""
        return post.file.tenant in self._keys.indexes("tenant", tenant or "")

    async def open(self, post: KeptPost) -> KeptBody:
        """The post's body, found whole. Raises GatewayError(kept_post_codes.GONE)."""
        folder, key = PostFolder(self._settings().folder), self._key(post.file)
        descriptor = await self._in_thread(lambda: folder.open(post.file.name))
        body = FoundBody(descriptor, post.file, key, self._in_thread)
        try:
            await body.check()
        except BaseException:
            body.close()
            raise
        return body

    async def take(self, id: str) -> bool:
        """Takes the post for sending. True to one caller only, across all workers and machines."""
        return await self._tickets.take(id) is not None

    async def give_back(self, id: str, post: KeptPost) -> None:
        """Stores the post again, when no byte of it was sent on."""
        await self._tickets.put(post, post.file.person.hex(), id)

    async def remove(self, file: KeptFile) -> None:
        folder = PostFolder(self._settings().folder)
        with suppress(GatewayError):
            await self._in_thread(lambda: folder.remove(file.name))

    # --- steps

    def _key(self, file: KeptFile) -> bytes:
        """The key of the body, which needs both the description in the store and a store key: the disk or the store
        alone opens no body."""
        try:
            return self._keys.drawn(file.secret, b"post", file.key_id)
        except GatewayError as error:
            raise GatewayError(kept_post_codes.GONE, error.detail) from error

    async def _room(self, take: Callable[[], int], folder: PostFolder, file: KeptFile) -> int:
        """Runs `take` in a thread. If the client leaves in the meantime, the room is freed again."""
        taking = asyncio.get_running_loop().run_in_executor(self._threads, take)
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(lambda taken: self._left(taken, folder, file))
            raise

    def _left(self, taken: asyncio.Future[int], folder: PostFolder, file: KeptFile) -> None:
        if not taken.cancelled() and taken.exception() is None:
            os.close(taken.result())
            self._threads.submit(folder.remove, file.name)

    def _in_thread(self, work: Callable[[], Worked]) -> Awaitable[Worked]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _purge(self) -> None:
        """Deletes expired posts at the start and every few minutes: no other record shows the files that a dead worker
        left."""
        while True:
            with suppress(GatewayError):
                await self._in_thread(lambda: PostFolder(self._settings().folder).purge(self._now()))
            await asyncio.sleep(PURGE_EVERY)
