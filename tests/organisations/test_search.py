"""A worker's end: the index that is there now, nothing of what is typed told, and a flood costs its own network."""

import asyncio
import threading
from pathlib import Path

import pytest

from gateway.identity.organisation_words import OrganisationQuery, query_of
from gateway.model.organisations import ListedOrganisation
from gateway.organisations.index import OrganisationIndex, organisation_index_path
from gateway.organisations.indexing import make_organisations
from gateway.organisations.search import OrganisationSearch
from tests.directories.test_keeper import Told
from tests.organisations.samples import table

pytestmark = pytest.mark.asyncio


def make(folder: Path, *names: str) -> None:
    path = folder / "organisations.csv"
    path.write_text("\n".join(["name", *names]) + "\n", encoding="utf-8")
    make_organisations([table(path)], folder)


async def names(search: OrganisationSearch, typed: str, network: str = "192.0.2.1") -> list[str] | None:
    found = await search.find(query_of(typed), 20, network)
    return None if found is None else [one.name for one in found]


async def test_the_index_that_is_there_now_is_searched_and_trouble_is_told_once(tmp_path: Path) -> None:
    told = Told()
    search = OrganisationSearch(tmp_path, log=told)
    assert await names(search, "lille") is None
    assert told.events == [], "it is not made yet"
    make(tmp_path, "Lille")
    assert await names(search, "lille") == ["Lille"]
    make(tmp_path, "Lillers")
    assert await names(search, "lille") == ["Lillers"]
    organisation_index_path(tmp_path).write_bytes(b"no index" * 1000)
    assert await names(search, "secret-name") is None
    assert await names(search, "secret-name") is None
    assert [event for event, _ in told.events] == ["organisations.unsearched"]
    assert "secret" not in repr(told.events)
    make(tmp_path, "Lille")
    assert await names(search, "lille") == ["Lille"]
    await search.close()


async def test_a_flood_of_one_network_leaves_others_their_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "Lille")
    goes_on = threading.Event()

    def slow(self: OrganisationIndex, query: OrganisationQuery, *more: object) -> list[ListedOrganisation]:
        goes_on.wait(60)
        return [ListedOrganisation("Lille")]

    monkeypatch.setattr(OrganisationIndex, "find", slow)
    search = OrganisationSearch(tmp_path, log=Told())
    flood = [asyncio.create_task(names(search, "l")) for _ in range(100)]
    others = [asyncio.create_task(names(search, "l", f"2001:db8:{at:x}::/64")) for at in range(600)]
    await asyncio.sleep(0)
    goes_on.set()
    assert [await one for one in flood].count(["Lille"]) == 8
    assert [await one for one in others].count(["Lille"]) == 512 - 8
    assert await names(search, "l") == ["Lille"], "all are let go"
    await search.close()
