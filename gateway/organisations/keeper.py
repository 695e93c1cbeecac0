"""Keeps the index of the organisations up to date with the tables, in the supervisor."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from gateway.model.organisations import OrganisationTable
from gateway.ops.index_files import IndexStamp, IndexTask
from gateway.ops.index_keeper import IndexKeeper
from gateway.ops.index_process import NoIndex
from gateway.ops.log import Log
from gateway.organisations.index import task_of

# -P: Python imports no module from the current folder.
HELPER: Final = (sys.executable, "-P", "-m", "gateway.organisations.indexing")


class OrganisationKeeper:
    """`folder`: as in IndexKeeper."""

    def __init__(self, folder: Path, log: Log, *, helper: Sequence[str] = HELPER) -> None:
        self._log = log
        self._indexes = IndexKeeper(folder, helper, self._tell)

    async def use(self, tables: Iterable[OrganisationTable]) -> None:
        """Replaces the tables. Raises OSError if the folder cannot be created."""
        present = tuple(tables)
        await self._indexes.use([task_of(present)] if present else [])

    async def run(self) -> None:
        """Watches the files, until cancelled."""
        await self._indexes.run()

    async def close(self) -> None:
        await self._indexes.close()

    def _tell(self, task: IndexTask, result: IndexStamp | NoIndex) -> None:
        if isinstance(result, NoIndex):
            self._log.event("organisations.unreadable", detail=result.detail)
        else:
            self._log.event("organisations.read", rows=result.rows)
