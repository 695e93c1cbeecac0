import asyncio

from gateway.server.watching import watch
from tests.patience import until


class Files:
    """`seen`: what each look finds, the last for ever. `live`: becomes what was taken, unless it is `bad`."""

    def __init__(self, *seen: bytes, bad: bytes = b"-") -> None:
        self.seen = list(seen)
        self.live = b"a"
        self.bad = bad
        self.taken: list[bytes] = []
        self.now = b"a"
        self.looks_after = 0

    async def look(self) -> bytes:
        self.looks_after += not self.seen
        self.now = self.seen.pop(0) if self.seen else self.now
        return self.now

    def changed(self) -> None:
        self.taken.append(self.now)
        if self.now != self.bad:
            self.live = self.now

    async def watched(self) -> list[bytes]:
        task = asyncio.create_task(watch(self.look, lambda: self.live, self.changed, every=0.001))
        await until(lambda: self.looks_after > 10)
        task.cancel()
        return self.taken


async def test_a_change_that_has_come_to_rest_is_taken_once() -> None:
    assert await Files(b"a", b"b").watched() == [b"b"]
    assert await Files(b"a", b"b", b"c", b"d").watched() == [b"d"]
    assert await Files(b"b", b"b", b"c").watched() == [b"b", b"c"]


async def test_what_is_live_already_is_no_change() -> None:
    assert await Files().watched() == []
    files = Files(b"a", b"b")
    files.live = b"b"
    assert await files.watched() == []


async def test_what_was_refused_is_not_tried_again_but_what_follows_is() -> None:
    assert await Files(b"b", bad=b"b").watched() == [b"b"]
    assert await Files(b"b", b"b", b"c", bad=b"b").watched() == [b"b", b"c"]
