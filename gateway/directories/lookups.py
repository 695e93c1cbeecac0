"""Queries directories about a person, for a worker, in parallel. Every directory has a timeout.

A slow or unavailable directory delays no person who does not need the directory. Pass `needed` if only some directories
are worth waiting for.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from gateway.directories.kinds import open_directory
from gateway.directories.source import DirectoryAway, DirectorySource, FindingAndFaults, SourceCircuit
from gateway.identity.directories import DirectoryFault, key_of, unknown_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory, DirectoryFinding, FileSource
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.ops.log import Log

# Seconds in all that a sign-in waits for directories that the application does not list.
_WAITED_BESIDE: Final = 0.25


@dataclass(slots=True)
class _Line:
    """The source and the state of one directory.

    `circuit`: None for a file, which is always queried.
    `fails`: whether the log has reported the directory as away.
    """

    directory: Directory
    source: DirectorySource
    circuit: SourceCircuit | None
    fails: bool = False


class KeptFindings(Protocol):
    """The methods used of stores.people.last_findings.LastFindings. Every method raises GatewayError."""

    async def keep(self, directory: Directory, key: str, finding: DirectoryFinding) -> None: ...

    async def read(self, directory: Directory, key: str) -> DirectoryFinding | None: ...


class Directories:
    """Queries directories. For use in the event loop.

    `now`: returns Unix seconds.
    `kept`: the servers' last findings, kept if the directory's file says so.
    """

    def __init__(self, folder: Path, *, log: Log, now: Callable[[], float], kept: KeptFindings) -> None:
        self._folder = folder
        self._log = log
        self._now = now
        self._kept = kept
        self._lines: dict[str, _Line] = {}
        self._beside: set[asyncio.Task[DirectoryFinding]] = set()

    async def look_up(
        self,
        directories: Iterable[Directory],
        identity: Identity,
        tenant: str | None,
        *,
        needed: Collection[Directory] | None = None,
    ) -> Identity:
        """Returns the identity, with the findings of the directories that accept the person's provider. Never raises:
        attributes without an answer are unknown.

        `needed`: the directories to wait for as long as their timeouts allow; None: all. A finding of a further
        directory that is missing after a quarter of a second is unknown as well.
        """
        taking = [one for one in directories if one.takes(identity.provider)]
        if not taking:
            return identity
        if needed is None or all(one in needed for one in taking):
            findings = await self._all_of(taking, identity, tenant)
        else:
            findings = await self._needed_of(taking, needed, identity, tenant)
        return replace(identity, findings=tuple(findings))

    async def close(self) -> None:
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await line.source.close()

    async def _all_of(
        self, directories: Sequence[Directory], identity: Identity, tenant: str | None
    ) -> Sequence[DirectoryFinding]:
        if len(directories) == 1:
            return [await self._finding(directories[0], identity, tenant)]
        return await asyncio.gather(*(self._finding(one, identity, tenant) for one in directories))

    async def _needed_of(
        self,
        directories: Sequence[Directory],
        needed: Collection[Directory],
        identity: Identity,
        tenant: str | None,
    ) -> Sequence[DirectoryFinding]:
        loop = asyncio.get_running_loop()
        until = loop.time() + _WAITED_BESIDE
        tasks = [loop.create_task(self._finding(one, identity, tenant)) for one in directories]
        for one, task in zip(directories, tasks, strict=True):
            if one in needed:
                await task
            else:
                # The query runs to its end even after the wait, so that the log and the circuit learn of a silent
                # directory.
                self._beside.add(task)
                task.add_done_callback(self._beside.discard)
        await asyncio.wait(tasks, timeout=max(0.0, until - loop.time()))
        now = int(self._now())
        both = zip(directories, tasks, strict=True)
        return [task.result() if task.done() else unknown_of(one, "away", now) for one, task in both]

    async def _finding(self, directory: Directory, identity: Identity, tenant: str | None) -> DirectoryFinding:
        now = int(self._now())
        key = key_of(directory, identity, tenant)
        if isinstance(key, DirectoryFault):
            return unknown_of(directory, "found", now)
        line = await self._line(directory)
        try:
            finding, faults = await _in_time(line, directory, key, now)
        except DirectoryAway as why:
            if not line.fails:
                self._log.event("directory.away", directory=directory.name, code=why.code.id, detail=why.detail)
            line.fails = True
            return await self._last_finding(directory, key) or unknown_of(directory, "away", now)
        if line.fails:
            line.fails = False
            self._log.event("directory.recovered", directory=directory.name)
        for fault in faults:
            self._log.event("directory.fault", directory=directory.name, code=fault.code.id, detail=fault.detail)
        await self._keep(directory, key, finding)
        return finding

    async def _keep(self, directory: Directory, key: str, finding: DirectoryFinding) -> None:
        """Keeps a finding, also the finding that no person has the key: the older finding no longer counts."""
        if _is_kept(directory):
            # If the store fails, the older finding expires in its own time.
            with suppress(GatewayError):
                await self._kept.keep(directory, key, finding)

    async def _last_finding(self, directory: Directory, key: str) -> DirectoryFinding | None:
        found = None
        if _is_kept(directory):
            with suppress(GatewayError):
                found = await self._kept.read(directory, key)
        return found

    async def _line(self, directory: Directory) -> _Line:
        """Returns the open source. A changed directory gets a new source, and the old source is closed."""
        line = self._lines.get(directory.name)
        if line is None or (line.directory is not directory and line.directory != directory):
            before = line
            circuit = None if isinstance(directory.source, FileSource) else SourceCircuit(time.monotonic)
            line = self._lines[directory.name] = _Line(directory, open_directory(directory, self._folder), circuit)
            if before is not None:
                await before.source.close()
        return line


def _is_kept(directory: Directory) -> bool:
    """Whether the store keeps the last finding. A file needs none: the index holds the last state of the whole file."""
    return directory.away == "last" and not isinstance(directory.source, FileSource)


async def _in_time(line: _Line, directory: Directory, key: str, now: int) -> FindingAndFaults:
    """Queries the source within the directory's timeout. Raises DirectoryAway."""
    circuit = line.circuit
    if circuit is not None:
        circuit.enter(key)
    try:
        async with asyncio.timeout(directory.timeout):
            found = await line.source.finding(key, now)
    except (DirectoryAway, TimeoutError) as why:
        if circuit is not None:
            circuit.note_failure(key)
        if isinstance(why, DirectoryAway):
            raise
        raise DirectoryAway(directory_codes.UNREACHABLE, f"no answer within {directory.timeout:g} s") from None
    if circuit is not None:
        circuit.note_answer()
    return found
