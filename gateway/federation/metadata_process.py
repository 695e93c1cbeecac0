"""The helper process that fetches, verifies and indexes metadata: forks a child for each try, within limits of its own.

A task is one line of JSON on standard input: the folder of the copies (`folder`), the source, the limits, and whether
to believe a further answer that the entity does not exist (`gone`). The outcome is one line of JSON on standard output.

The helper reads no document. The helper has loaded the modules a child needs, and forks. A child's memory, up to 100 MB
or its limit, is freed when the child ends. The kernel kills a child that exceeds its limits.
"""

import asyncio
import json
import os
import selectors
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, NoReturn

from gateway.federation.addresses import Resolver
from gateway.federation.client import ProviderClient
from gateway.federation.logo_images import LARGEST_LOGO
from gateway.federation.metadata_index import Copy, index_path, read_copy
from gateway.federation.metadata_indexing import LONGEST_FRESH, LONGEST_VALIDITY, index_document, index_gone, index_logo
from gateway.federation.metadata_lanes import FetchLimits
from gateway.federation.metadata_source import NO_VALIDATORS, MetadataSource, Validators, validators
from gateway.model.codes import saml_codes
from gateway.model.codes.table import all_codes
from gateway.model.errors import GatewayError
from gateway.oidc.documents import ProviderResponse
from gateway.ops.child_process import stay_within
from gateway.ops.whole_file import forget_unfinished
from gateway.saml.metadata_document import LARGEST_AGGREGATE, LARGEST_ENTITY

_NOT_THERE = (404, 410)
_ROOM = "make room there, and let the gateway's account write"
_PIECE = 1 << 18
_OUT_OF_MEMORY = 3
# Seconds. A missing machine never answers; the slow lane's longer limits are not meant for waiting on a connection.
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class FetchTask:
    """One try to fetch a source.

    `folder`: the folder of the copies.
    `gone`: believe the server if it answers once more that the entity does not exist.
    """

    folder: Path
    source: MetadataSource
    limits: FetchLimits
    gone: bool = False


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """The result of one try.

    `copy`: the copy after the try; None: the try gave no copy.
    `code`, `detail`: the fault of the source; empty: no fault.
    `overran`: the process was killed at one of its limits.
    """

    source_id: str
    copy: Copy | None
    code: str = ""
    detail: str = ""
    overran: bool = False

    def error(self) -> GatewayError:
        codes = {code.id: code for code in all_codes()}
        return GatewayError(codes.get(self.code, saml_codes.METADATA_UNREACHABLE), self.detail)


def encode_task(task: FetchTask) -> bytes:
    """Encodes a task as one line."""
    value = {"folder": str(task.folder), "source": asdict(task.source), "limits": asdict(task.limits)}
    return json.dumps({**value, "gone": task.gone}).encode() + b"\n"


def _decode_task(line: bytes) -> FetchTask:
    value: dict[str, Any] = json.loads(line)
    source = MetadataSource(**{**value["source"], "keys": tuple(value["source"]["keys"])})
    return FetchTask(Path(value["folder"]), source, FetchLimits(**value["limits"]), value["gone"])


def encode_outcome(outcome: FetchOutcome) -> bytes:
    return json.dumps(asdict(outcome)).encode() + b"\n"


def decode_outcome(line: bytes) -> FetchOutcome:
    value = json.loads(line)
    copy = value.pop("copy")
    return FetchOutcome(copy=None if copy is None else Copy(**copy), **value)


def main() -> int:
    """Serves tasks until standard input ends, then finishes the running tasks."""
    children: dict[int, _Child] = {}
    rest, told = b"", sys.stdin.fileno()
    with selectors.DefaultSelector() as ready:
        ready.register(told, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                if key.fd in children:
                    if not children[key.fd].has_more():
                        ready.unregister(key.fd)
                        sys.stdout.buffer.write(encode_outcome(children.pop(key.fd).outcome()))
                        sys.stdout.buffer.flush()
                    continue
                piece = os.read(told, 1 << 16)
                if not piece:
                    ready.unregister(told)
                *lines, rest = (rest + piece).split(b"\n")
                for child in map(_fork, map(_decode_task, lines)):
                    children[child.pipe] = child
                    ready.register(child.pipe, selectors.EVENT_READ)
    return 0


class _Child:
    """A running child. `pipe`: the file descriptor for the outcome."""

    def __init__(self, task: FetchTask, pid: int, pipe: int) -> None:
        self.pipe = pipe
        self._task = task
        self._pid = pid
        self._said = b""

    def has_more(self) -> bool:
        piece = os.read(self.pipe, 1 << 16)
        self._said += piece
        return bool(piece)

    def outcome(self) -> FetchOutcome:
        os.close(self.pipe)
        _, status = os.waitpid(self._pid, 0)
        if status == 0 and self._said:
            return decode_outcome(self._said)
        forget_unfinished(index_path(self._task.folder, self._task.source.id))
        why = _why(os.waitstatus_to_exitcode(status), self._task.limits)
        detail = f"{self._task.source.url}: {why}"
        return FetchOutcome(self._task.source.id, None, saml_codes.METADATA_UNREACHABLE.id, detail, overran=True)


def _why(status: int, limits: FetchLimits) -> str:
    if status == -signal.SIGALRM:
        return f"not fetched, verified and indexed within {limits.seconds:g} s"
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"took over {limits.cpu_seconds} s of processor time"
    if status == _OUT_OF_MEMORY:
        return f"took over {limits.memory >> 20} MB of memory"
    return f"the document served there ended the process that read it (status {status})"


def _fork(task: FetchTask) -> _Child:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _work(task, write)
    os.close(write)
    return _Child(task, pid, read)


def _work(task: FetchTask, pipe: int) -> NoReturn:
    """Runs in the child. Exits without the helper's cleanup and, whatever happens, never returns into the helper's
    loop.
    """
    status = 1
    try:
        limits = task.limits
        stay_within(seconds=limits.seconds, cpu_seconds=limits.cpu_seconds, memory=limits.memory)
        outcome = asyncio.run(_written(task))
        with open(pipe, "wb") as out:
            out.write(encode_outcome(outcome))
        status = 0
    except MemoryError:
        status = _OUT_OF_MEMORY
    except Exception:  # noqa: BLE001 - told to the operator on standard error, and to the keeper by the status
        traceback.print_exc()
    finally:
        os._exit(status)


async def _written(task: FetchTask) -> FetchOutcome:
    folder, source = task.folder, task.source
    try:
        outcome = await _outcome(folder, source, task.limits)
        if outcome.code == saml_codes.METADATA_GONE.id and task.gone:
            return replace(outcome, copy=index_gone(source, folder, time.time(), outcome.detail))
    except (OSError, sqlite3.Error) as error:
        return FetchOutcome(source.id, None, saml_codes.METADATA_UNWRITTEN.id, f"{folder}: {error}; {_ROOM}")
    return outcome


async def _outcome(folder: Path, source: MetadataSource, limits: FetchLimits) -> FetchOutcome:
    try:
        with tempfile.TemporaryFile(dir=folder) as document:
            known = _still_good(folder, source, time.time())
            response = await _fetch(source, _Download(folder, document), known, limits)
            if known is not None and response.status == 304:
                # RFC 9110 15.4.5: not modified. The copy on disk stays, with the end that its signature covers.
                return FetchOutcome(source.id, replace(known, fetched_at=int(time.time())))
            document.seek(0)
            if source.kind == "logo":
                return FetchOutcome(source.id, index_logo(source, document.read(), folder, time.time()))
            version = validators(response.etag, response.last_modified)
            copy = index_document(source, _pieces(document), folder, time.time(), version)
    except GatewayError as error:
        ours = error.code == saml_codes.METADATA_UNWRITTEN
        return FetchOutcome(source.id, None, error.code.id, error.detail if ours else f"{source.url}: {error.detail}")
    return FetchOutcome(source.id, copy)


@dataclass(frozen=True, slots=True)
class _Download:
    """A document being downloaded into the gateway's folder. A failed write is a fault of the folder, not of the
    server.
    """

    folder: Path
    document: IO[bytes]

    def write(self, piece: bytes) -> None:
        """GatewayError(saml_codes.METADATA_UNWRITTEN)."""
        try:
            self.document.write(piece)
        except OSError as error:
            raise GatewayError(saml_codes.METADATA_UNWRITTEN, f"{self.folder}: {error}; {_ROOM}") from error


def _still_good(folder: Path, source: MetadataSource, now: float) -> Copy | None:
    """Returns the copy on disk if a 304 response may renew the copy, else None.

    An expired copy is of no use. If the document names no end, the gateway set the end of the copy at the fetch, and
    fetches the whole document again before that end.
    """
    copy = read_copy(folder, source.id)
    if copy is None or copy.valid_until is None:
        return None
    ends_by_us = copy.valid_until == copy.fetched_at + LONGEST_VALIDITY
    return copy if now < copy.valid_until - (2 * LONGEST_FRESH if ends_by_us else 0) else None


async def _fetch(source: MetadataSource, into: _Download, known: Copy | None, limits: FetchLimits) -> ProviderResponse:
    largest = {"aggregate": LARGEST_AGGREGATE, "logo": LARGEST_LOGO}.get(source.kind, LARGEST_ENTITY)
    reach = source.ca_bytes, None, source.private_addresses, Resolver()
    client = ProviderClient(*reach, limits.fetch_seconds, _CONNECT_SECONDS)
    try:
        version = NO_VALIDATORS if known is None else Validators(known.etag, known.last_modified)
        response = await client.download(source.call(version), into.write, largest)
    finally:
        await client.close()
    if source.kind in ("mdq", "mdq_sha1") and response.status in _NOT_THERE:
        # Metadata Query Protocol 3.1: the service answers, and has no metadata of this entity.
        raise GatewayError(
            saml_codes.METADATA_GONE, f"answered {response.status}: it has no metadata of {source.entity_id}"
        )
    if response.status != 200 and not (response.status == 304 and version != NO_VALIDATORS):
        remedy = "; has the address changed? `metadata` of the provider's file names it"
        detail = f"answered with status {response.status}{remedy if response.status in _NOT_THERE else ''}"
        raise GatewayError(saml_codes.METADATA_UNREACHABLE, detail)
    return response


def _pieces(document: IO[bytes]) -> Iterator[bytes]:
    while piece := document.read(_PIECE):
        yield piece


if __name__ == "__main__":
    sys.exit(main())
