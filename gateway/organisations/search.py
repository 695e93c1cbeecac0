"""Searches the organisations for a worker, in a thread of its own. The typed text is never sent on or stored."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from gateway.identity.organisation_words import OrganisationQuery
from gateway.model.organisations import ListedOrganisation
from gateway.ops.log import Log
from gateway.ops.whole_file import Followed
from gateway.organisations.index import OrganisationIndex, organisation_index_path

# A search takes 0.2 to 1 ms, so a person waits for half a second at most. A network may hold a small share of the
# waiting searches: a flood delays its own network, and sixty-four networks have to flood before a further network is
# refused.
_MOST_WAITING: Final = 512
_MOST_OF_ONE_NETWORK: Final = 8

_Found = TypeVar("_Found")


class OrganisationSearch:
    """Searches the index. For use in the event loop. `folder`: the folder of the supervisor's index."""

    def __init__(self, folder: Path, *, log: Log) -> None:
        self._index = Followed(organisation_index_path(folder), OrganisationIndex)
        self._log = log
        self._waiting: Counter[str] = Counter()
        self._fails = False
        self._thread: ThreadPoolExecutor | None = None

    async def find(self, query: OrganisationQuery, most: int, network: str) -> Sequence[ListedOrganisation] | None:
        """Finds organisations. Never raises. None: no search is possible now.

        `network`: the network of the person who searches.
        """
        return await self._ask(network, lambda index: index.find(query, most))

    async def names(self, numbers: Iterable[str], network: str) -> Mapping[str, str]:
        """Returns the names of organisations by SIREN or SIRET; an organisation without a name, or without an
        answer now, is left out. Never raises.
        """
        return await self._ask(network, lambda index: index.names(numbers)) or {}

    async def _ask(self, network: str, question: Callable[[OrganisationIndex], _Found]) -> _Found | None:
        if self._waiting.total() >= _MOST_WAITING or self._waiting[network] >= _MOST_OF_ONE_NETWORK:
            return None
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="organisations")
        self._waiting[network] += 1
        under_way = asyncio.get_running_loop().run_in_executor(self._thread, self._answer, question)
        under_way.add_done_callback(lambda done: self._left(network))
        try:
            found = await asyncio.shield(under_way)
        except FileNotFoundError:
            # The index does not exist yet; if it cannot be made, the supervisor logs the reason.
            return None
        except (OSError, sqlite3.Error) as error:
            if not self._fails:
                self._log.event("organisations.unsearched", detail=f"{type(error).__name__}: {error}")
            self._fails = True
            return None
        self._fails = False
        return found

    async def close(self) -> None:
        if self._thread is not None:
            self._thread.submit(self._index.close)
            self._thread.shutdown(wait=False)

    def _left(self, network: str) -> None:
        self._waiting[network] -= 1
        if not self._waiting[network]:
            del self._waiting[network]

    # --- in the thread

    def _answer(self, question: Callable[[OrganisationIndex], _Found]) -> _Found:
        try:
            return question(self._index.reader())
        except sqlite3.Error:
            self._index.close()
            raise
