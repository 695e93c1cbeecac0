"""200 people search at the same time: counted, for seconds would say how busy the machine is."""

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
from tests.organisations.samples import two_hundred, write_country
from tests.patience import PATIENCE
from tests.portal.installation import PORTAL, installed

pytestmark = pytest.mark.slow
SHOWN = 21
# Two ways by the name and one by a domain, then a row for each that is shown.
MOST_QUERIES = 3 + SHOWN


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("country")
    make_organisations([write_country(folder / "communes.csv")], folder)
    return folder


async def test_all_are_answered_and_a_page_between_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is asked for after them does not wait for them: the hundredth search goes on when it is there."""
    answered, goes_on, found_in = 0, threading.Event(), OrganisationIndex.find

    def find(self: OrganisationIndex, query: OrganisationQuery, most: int) -> list[ListedOrganisation]:
        nonlocal answered
        answered += 1
        assert answered != 100 or goes_on.wait(PATIENCE)
        return found_in(self, query, most)

    monkeypatch.setattr(OrganisationIndex, "find", find)
    async with installed() as here:
        search = OrganisationSearch(folder, log=Told())
        people = [
            asyncio.create_task(search.find(query_of(typed), SHOWN, f"192.0.2.{at}"))
            for at, typed in enumerate(two_hundred())
        ]
        page = await here.browser().get(here.url(PORTAL, "/_ecluse/home"))
        assert (page.status, sum(one.done() for one in people) < 100) == (200, True)
        goes_on.set()
        found = await asyncio.gather(*people)
        await search.close()
    assert len(found) == answered == 200
    assert all(found), "each found what they typed"


def test_each_takes_a_few_queries(folder: Path) -> None:
    index = OrganisationIndex(organisation_index_path(folder))
    told: list[str] = []
    index._database.set_trace_callback(told.append)
    taken = []
    for typed in two_hundred():
        told.clear()
        assert index.find(query_of(typed), SHOWN)
        taken.append(sum(1 for statement in told if statement.startswith("SELECT")))
    index.close()
    assert max(taken) <= MOST_QUERIES, sorted(taken)[-5:]
