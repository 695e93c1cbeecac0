import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.federation.cached import LONGEST_AGE, SHORTEST_AGE, USUAL_AGE, CachedDocument, age_allowed
from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError


class Source:
    """Numbers its documents. `clock` stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.fetches = 0
        self.failing = False
        self.cache_control = ""
        self.gate = asyncio.Event()
        self.gate.set()
        self.stale: list[str] = []

    async def fetch(self) -> tuple[str, str]:
        self.fetches += 1
        number = self.fetches
        await self.gate.wait()
        if self.failing:
            raise GatewayError(login_codes.PROVIDER_UNREACHABLE, f"failure {number}")
        return f"document {number}", self.cache_control

    def document(self) -> CachedDocument[str]:
        return CachedDocument(self.fetch, self.clock, lambda error: self.stale.append(error.detail))

    @property
    def clock(self) -> Callable[[], float]:
        return lambda: self.now


# --- age --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", USUAL_AGE),
        ("public", USUAL_AGE),
        ("max-age=600", 600),
        ("public, max-age=600, must-revalidate", 600),
        ("Max-Age=600", 600),
        ('max-age="600"', 600),
        ("max-age=0", SHORTEST_AGE),
        ("max-age=299", SHORTEST_AGE),
        ("max-age=604800", LONGEST_AGE),
        ("max-age=9999999999", LONGEST_AGE),
        ("max-age=99999999999999999999", USUAL_AGE),
        ("max-age=-1", USUAL_AGE),
        ("s-maxage=600", USUAL_AGE),
        ("x-max-age=600", USUAL_AGE),
        ("no-store", SHORTEST_AGE),
        ("no-cache, max-age=600", SHORTEST_AGE),
        ("max-age=600, No-Store", SHORTEST_AGE),
    ],
)
def test_a_documents_age_is_the_providers_within_our_bounds(cache_control: str, seconds: float) -> None:
    assert age_allowed(cache_control) == seconds


@given(st.text(max_size=40) | st.integers().map(lambda age: f"max-age={age}"))
def test_any_header_gives_an_age_within_the_bounds(cache_control: str) -> None:
    assert SHORTEST_AGE <= age_allowed(cache_control) <= LONGEST_AGE


# --- fetching ---------------------------------------------------------------------------------------------------------


async def test_a_document_is_fetched_when_it_is_needed_and_kept() -> None:
    source = Source()
    document = source.document()
    assert source.fetches == 0
    assert [await document.get() for _ in range(3)] == ["document 1"] * 3


async def test_a_document_is_fetched_anew_when_it_is_too_old() -> None:
    source = Source()
    source.cache_control = "max-age=600"
    document = source.document()
    await document.get()
    source.now += 599
    assert await document.get() == "document 1"
    source.now += 1
    assert await document.get() == "document 2"


async def test_a_hundred_callers_share_one_fetch() -> None:
    source = Source()
    source.gate.clear()
    document = source.document()
    callers = [asyncio.create_task(document.get()) for _ in range(50)]
    callers += [asyncio.create_task(document.refetched()) for _ in range(50)]
    await asyncio.sleep(0.01)
    source.gate.set()
    assert set(await asyncio.gather(*callers)) == {"document 1"}
    assert source.fetches == 1


async def test_a_caller_who_goes_away_does_not_end_the_fetch_of_the_others() -> None:
    source = Source()
    source.gate.clear()
    document = source.document()
    first, second = asyncio.create_task(document.get()), asyncio.create_task(document.get())
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    source.gate.set()
    assert await second == "document 1"
    assert source.fetches == 1


async def test_a_failed_fetch_keeps_the_last_good_document() -> None:
    source = Source()
    document = source.document()
    await document.get()
    source.failing = True
    source.now += USUAL_AGE
    assert await document.get() == "document 1"
    source.now += 29
    assert await document.get() == "document 1"
    assert source.fetches == 2
    assert source.stale == ["failure 2"]
    source.failing = False
    source.now += 1
    assert await document.get() == "document 3"


async def test_with_nothing_to_fall_back_on_a_failure_is_told_and_soon_tried_again() -> None:
    source = Source()
    source.failing = True
    document = source.document()
    for _ in range(3):
        with pytest.raises(GatewayError) as refused:
            await document.get()
        assert refused.value.detail == "failure 1"
    assert source.stale == []
    source.failing = False
    source.now += 3
    assert await document.get() == "document 2"


async def test_every_caller_who_waits_is_told_of_the_failure() -> None:
    source = Source()
    source.failing = True
    document = source.document()
    answers = await asyncio.gather(*(document.get() for _ in range(10)), return_exceptions=True)
    assert all(isinstance(answer, GatewayError) for answer in answers)
    assert source.fetches == 1


# --- fetching again ---------------------------------------------------------------------------------------------------


async def test_a_document_is_refetched_at_most_once_in_thirty_seconds() -> None:
    source = Source()
    document = source.document()
    await document.get()
    assert await document.refetched() == "document 2"
    for _ in range(1000):
        assert await document.refetched() == "document 2"
    assert source.fetches == 2
    source.now += 29
    assert await document.refetched() == "document 2"
    source.now += 1
    assert await document.refetched() == "document 3"


async def test_a_refetch_that_fails_keeps_the_last_good_document_and_its_interval() -> None:
    source = Source()
    document = source.document()
    await document.get()
    source.failing = True
    for _ in range(1000):
        assert await document.refetched() == "document 1"
    assert source.fetches == 2


async def test_closing_ends_a_fetch_under_way() -> None:
    source = Source()
    source.gate.clear()
    document = source.document()
    caller = asyncio.create_task(document.get())
    await asyncio.sleep(0.01)
    await document.close()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await document.close()


# --- for how long -----------------------------------------------------------------------------------------------------


async def test_what_could_not_be_fetched_for_a_day_is_used_no_more() -> None:
    source = Source()
    document = CachedDocument(source.fetch, source.clock, lambda error: source.stale.append(error.detail), 86400.0)
    assert await document.get() == "document 1"
    source.failing = True
    source.now += 86400
    assert await document.get() == await document.refetched() == "document 1"
    source.now += 31
    for ask in (document.get, document.refetched):
        with pytest.raises(GatewayError, match="the last good copy is over 86400 s old") as error:
            await ask()
        assert error.value.code is login_codes.PROVIDER_UNREACHABLE
    asked, source.failing = source.fetches, False
    source.now += 4
    assert await document.get() == f"document {asked + 1}"


async def test_what_may_be_kept_long_is_asked_for_again_by_half_of_what_it_is_believed_for() -> None:
    """So that one failure is never the end of it."""
    source = Source()
    source.cache_control = "max-age=86400"
    document = CachedDocument(source.fetch, source.clock, lambda error: source.stale.append(error.detail), 86400.0)
    await document.get()
    source.now += 43199
    assert await document.get() == "document 1"
    source.now += 1
    assert await document.get() == "document 2"
