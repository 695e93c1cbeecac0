"""Keeps the index of the organisations up to date with the tables. One process, the supervisor, owns the index.

The keeper checks the files every two seconds. After a change, a separate process reads all files, and puts the new
index in place as a whole.
"""

import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.directories.indexing import ANSWERS_WITHIN, SECONDS
from gateway.model.organisations import OrganisationTable
from gateway.ops.child_process import NoOutcome, ask_once
from gateway.ops.log import Log
from gateway.ops.whole_file import prepare_folder
from gateway.organisations.index import organisation_index_path, read_organisation_stamp
from gateway.organisations.indexing import (
    OrganisationsOutcome,
    decode_organisations_outcome,
    encode_tables,
    stats_of,
)

# -P: Python imports no module from the current folder.
HELPER: Final = (sys.executable, "-P", "-m", "gateway.organisations.indexing")

LOOKED_EVERY: Final = 2.0
_TRIED_AGAIN: Final = 60.0


class OrganisationKeeper:
    """Keeps the index in `folder`, a folder of the gateway's own that the keeper creates on first use."""

    def __init__(self, folder: Path, log: Log, *, helper: Sequence[str] = HELPER) -> None:
        self._folder = folder
        self._log = log
        self._helper = helper
        self._tables: tuple[OrganisationTable, ...] = ()
        # The tables and file status of the index, or of the last failed try. At `_again_at` (monotonic seconds)
        # unchanged files are tried again.
        self._known: tuple[str, tuple[tuple[int, ...], ...]] | None = None
        self._again_at = float("inf")
        self._fails = False
        self._woken = asyncio.Event()
        self._making: asyncio.Task[None] | None = None

    async def use(self, tables: Iterable[OrganisationTable]) -> None:
        """Replaces the tables. Raises OSError if the folder cannot be created."""
        before, self._tables = self._tables, tuple(tables)
        if not before:
            self._known = await asyncio.to_thread(_made, self._folder, self._tables)
        self._woken.set()

    async def run(self) -> None:
        """Watches the files, until cancelled."""
        while True:
            self._woken.clear()
            if tables := self._tables:
                now = encode_tables(tables), await asyncio.to_thread(stats_of, tables)
                if now != self._known or time.monotonic() >= self._again_at:
                    self._making = asyncio.get_running_loop().create_task(self._make(tables))
                    await asyncio.shield(self._making)
            elif self._known is not None:
                self._known = None
                await asyncio.to_thread(organisation_index_path(self._folder).unlink, missing_ok=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_EVERY if self._tables else None):
                    await self._woken.wait()

    async def close(self) -> None:
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait([self._making])

    async def _make(self, tables: tuple[OrganisationTable, ...]) -> None:
        said = encode_tables(tables)
        outcome = await self._outcome(tables, said)
        self._known = said, outcome.stats
        self._again_at = time.monotonic() + _TRIED_AGAIN if outcome.detail else float("inf")
        if not outcome.detail:
            self._log.event("organisations.read", rows=outcome.rows)
        elif not self._fails:
            self._log.event("organisations.unreadable", detail=outcome.detail)
        self._fails = bool(outcome.detail)

    async def _outcome(self, tables: tuple[OrganisationTable, ...], said: str) -> OrganisationsOutcome:
        before = await asyncio.to_thread(stats_of, tables)
        command, question = (*self._helper, str(self._folder)), said.encode() + b"\n"
        try:
            return await ask_once(
                command, question, decode_organisations_outcome, within=SECONDS + ANSWERS_WITHIN, reads="them"
            )
        except NoOutcome as why:
            return OrganisationsOutcome(detail=str(why), stats=before)


def _made(folder: Path, tables: Sequence[OrganisationTable]) -> tuple[str, tuple[tuple[int, ...], ...]] | None:
    """Returns the tables and the file status of the index that an earlier gateway left; None: no index."""
    path = organisation_index_path(folder)
    prepare_folder(folder, [path] if tables else [])
    stamp = read_organisation_stamp(path)
    return None if stamp is None else (stamp.tables, stamp.stats)
