"""Asks directories about a person, for a worker: all side by side, each within its time.

One that is slow or away holds up nobody who does not need it. Ask with `needed` where only some have to be waited for.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from gateway.directories.kinds import opened
from gateway.directories.source import DirectoryAway, DirectorySource, FindingAndFaults, SourceCircuit
from gateway.identity.directories import DirectoryFault, key_of, unknown_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory, DirectoryFinding, FileSource
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.ops.log import Log

# Seconds in all that a sign-in waits for directories that its application does not list.
_WAITED_BESIDE: Final = 0.25


@dataclass(slots=True)
class _Line:
    """Towards one directory. `circuit`: None for a file, which is always asked."""

    directory: Directory
    source: DirectorySource
    circuit: SourceCircuit | None
    fails: bool = False


class KeptFindings(Protocol):
    """stores.last_findings.LastFindings, as far as it is asked. Both raise GatewayError."""

    async def keep(self, directory: Directory, key: str, finding: DirectoryFinding) -> None: ...

    async def said(self, directory: Directory, key: str) -> DirectoryFinding | None: ...


class Directories:
    """`now`: Unix seconds. `kept`: what servers said last, where their files want it. To be asked in the loop."""

    def __init__(self, folder: Path, *, log: Log, now: Callable[[], float], kept: KeptFindings) -> None:
        self._folder = folder
        self._log = log
        self._now = now
        self._kept = kept
        self._lines: dict[str, _Line] = {}
        self._beside: set[asyncio.Task[DirectoryFinding]] = set()

    async def asked(
        self,
        directories: Iterable[Directory],
        identity: Identity,
        tenant: str | None,
        *,
        needed: Collection[Directory] | None = None,
    ) -> Identity:
        """The person with what those directories say that take their provider's word. Never raises: what cannot be
        had is unknown.

        `needed`: those that are waited for as long as their files say; None: all. What the others have not said
        within a quarter of a second is unknown as well.
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
                # It goes on to its own end where nobody waits any more: so it is known who does not answer.
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
            return await self._last_said(directory, key) or unknown_of(directory, "away", now)
        if line.fails:
            line.fails = False
            self._log.event("directory.recovered", directory=directory.name)
        for fault in faults:
            self._log.event("directory.fault", directory=directory.name, code=fault.code.id, detail=fault.detail)
        await self._keep(directory, key, finding)
        return finding

    async def _keep(self, directory: Directory, key: str, finding: DirectoryFinding) -> None:
        """Also that it has nobody of this key: what it said before no longer counts."""
        if _is_kept(directory):
            # Where the store cannot take it, what is there ends by its own time.
            with suppress(GatewayError):
                await self._kept.keep(directory, key, finding)

    async def _last_said(self, directory: Directory, key: str) -> DirectoryFinding | None:
        found = None
        if _is_kept(directory):
            with suppress(GatewayError):
                found = await self._kept.said(directory, key)
        return found

    async def _line(self, directory: Directory) -> _Line:
        """A directory whose file is another one than before has a new line, and its old one is let go."""
        line = self._lines.get(directory.name)
        if line is None or (line.directory is not directory and line.directory != directory):
            before = line
            circuit = None if isinstance(directory.source, FileSource) else SourceCircuit(time.monotonic)
            line = self._lines[directory.name] = _Line(directory, opened(directory, self._folder), circuit)
            if before is not None:
                await before.source.close()
        return line


def _is_kept(directory: Directory) -> bool:
    """The index of a file is what it said last, of everybody."""
    return directory.away == "last" and not isinstance(directory.source, FileSource)


async def _in_time(line: _Line, directory: Directory, key: str, now: int) -> FindingAndFaults:
    """Raises DirectoryAway."""
    circuit = line.circuit
    if circuit is not None:
        circuit.enter(key)
    try:
        async with asyncio.timeout(directory.timeout):
            found = await line.source.finding(key, now)
    except (DirectoryAway, TimeoutError) as why:
        if circuit is not None:
            circuit.failed(key)
        if isinstance(why, DirectoryAway):
            raise
        raise DirectoryAway(directory_codes.UNREACHABLE, f"no answer within {directory.timeout:g} s") from None
    if circuit is not None:
        circuit.answered()
    return found
