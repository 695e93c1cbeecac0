"""Work that several requests need at once."""

import asyncio

import pytest

from gateway.access.shared_work import SharedWork
from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError


class Work:
    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.may_end.wait()
        return number


async def test_those_who_need_the_same_wait_for_one_piece_and_others_do_not() -> None:
    shared, one, other = SharedWork[int](10, upstream_codes.TIMEOUT), Work(), Work()
    waiting = [asyncio.create_task(shared.done(key, work)) for key, work in ((1, one), (1, one), (2, other))]
    await asyncio.sleep(0)
    other.may_end.set()
    assert await waiting[2] == 1
    assert not waiting[0].done()
    one.may_end.set()
    assert await asyncio.gather(*waiting[:2]) == [1, 1]
    assert (one.begun, other.begun) == (1, 1)
    assert await shared.done(1, one) == 2, "what is done is not kept here"


async def test_who_leaves_ends_it_for_nobody_else() -> None:
    shared, work = SharedWork[int](10, upstream_codes.TIMEOUT), Work()
    first, second = (asyncio.create_task(shared.done(1, work)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.may_end.set()
    assert await second == 1


async def test_it_takes_no_longer_than_it_may_and_fails_for_all_who_wait() -> None:
    shared, work = SharedWork[int](0.02, upstream_codes.TIMEOUT), Work()
    failed = await asyncio.gather(shared.done(1, work), shared.done(1, work), return_exceptions=True)
    assert [error.code for error in failed if isinstance(error, GatewayError)] == [upstream_codes.TIMEOUT] * 2
    work.may_end.set()
    assert await shared.done(1, work) == 2


async def test_an_error_that_nobody_waits_for_is_not_told_to_the_loop() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    shared = SharedWork[int](0.01, upstream_codes.TIMEOUT)
    waiting = asyncio.create_task(shared.done(1, Work()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0.03)
    assert told == []
