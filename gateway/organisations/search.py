"""Searches the organisations for a worker, in a thread of its own. The typed text is never sent on or stored."""

import asyncio
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from gateway.identity.organisation_words import OrganisationQuery
from gateway.model.organisations import ListedOrganisation
from gateway.ops.log import Log
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
        self._path = organisation_index_path(folder)
        self._log = log
        self._waiting: Counter[str] = Counter()
        self._fails = False
        self._thread: ThreadPoolExecutor | None = None
        self._open: tuple[tuple[int, int], OrganisationIndex] | None = None

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
            self._thread.submit(self._let_go)
            self._thread.shutdown(wait=False)

    def _left(self, network: str) -> None:
        self._waiting[network] -= 1
        if not self._waiting[network]:
            del self._waiting[network]

    # --- in the thread

    def _answer(self, question: Callable[[OrganisationIndex], _Found]) -> _Found:
        status = os.stat(self._path)
        seen = status.st_ino, status.st_mtime_ns
        if self._open is None or self._open[0] != seen:
            self._let_go()
            self._open = seen, OrganisationIndex(self._path)
        try:
            return question(self._open[1])
        except sqlite3.Error:
            self._let_go()
            raise

    def _let_go(self) -> None:
        if self._open is not None:
            self._open[1].close()
        self._open = None
