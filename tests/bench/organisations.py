"""What finding an organisation costs a worker, of 36,000: `python -m tests.bench.organisations` prints one JSON object.

200 people search at once, each of a network of their own and for something else, until all have asked ten times:
searches answered in a second, what one takes of the processor, and how long the last of 200 waits.
"""

import asyncio
import json
import tempfile
import time
from pathlib import Path

import uvloop

from gateway.identity.organisation_words import query_of
from gateway.organisations.indexing import make_organisations
from gateway.organisations.search import OrganisationSearch
from tests.directories.test_keeper import Told
from tests.organisations.samples import two_hundred, write_country

_ROUNDS = 10
# As many as a page shows, and one more.
_MOST = 21


async def measured(folder: Path) -> dict[str, object]:
    search, waited = OrganisationSearch(folder, log=Told()), []
    asked = [query_of(typed) for typed in two_hundred()]
    await search.find(asked[0], _MOST, "warm")
    began, spent = time.perf_counter(), time.process_time()
    for _ in range(_ROUNDS):
        before = time.perf_counter()
        found = await asyncio.gather(*(search.find(one, _MOST, str(at)) for at, one in enumerate(asked)))
        assert all(found), "each of them is found"
        waited.append(time.perf_counter() - before)
    took, spent = time.perf_counter() - began, time.process_time() - spent
    await search.close()
    searches = _ROUNDS * len(asked)
    return {
        "bench": "organisations",
        "per_second": round(searches / took),
        "cpu_ms_each": round(1000 * spent / searches, 2),
        "last_of_200_ms": round(1000 * sorted(waited)[_ROUNDS // 2], 1),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = make_organisations([write_country(Path(folder) / "communes.csv")], Path(folder)).rows
        print(json.dumps({**uvloop.run(measured(Path(folder))), "organisations": rows}))


if __name__ == "__main__":
    main()
