"""The helper process that fetches, verifies and indexes metadata: a document of 100 MB and what it took go with it.

Told where (folder and sources, one JSON object) on standard input; for each source, one line of JSON goes to standard
output as soon as it is done. `gone`: the sources of which one more answer that the entity is not there is believed.
"""

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from gateway.federation.addresses import Resolver
from gateway.federation.client import ProviderClient
from gateway.federation.metadata_index import Copy, read_copy
from gateway.federation.metadata_indexing import index_document, index_gone
from gateway.federation.metadata_source import NO_VALIDATORS, Source, Validators, validators
from gateway.model.codes import SAML_METADATA_GONE, SAML_METADATA_UNREACHABLE, all_codes
from gateway.model.errors import GatewayError
from gateway.oidc.call import Answer
from gateway.saml.metadata_document import LARGEST_AGGREGATE, LARGEST_ENTITY

_AGGREGATE_SECONDS = 300.0
_ENTITY_SECONDS = 20.0
_AT_ONCE = 4
_NOT_THERE = (404, 410)
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Outcome:
    """`copy`: what was written, if anything. `code`, `detail`: how the source failed, empty where it did not."""

    source_id: str
    copy: Copy | None
    code: str = ""
    detail: str = ""

    def error(self) -> GatewayError:
        codes = {code.id: code for code in all_codes()}
        return GatewayError(codes.get(self.code, SAML_METADATA_UNREACHABLE), self.detail)


def encode_task(folder: Path, sources: tuple[Source, ...], gone: tuple[str, ...] = ()) -> bytes:
    task = {"folder": str(folder), "sources": [asdict(source) for source in sources], "gone": gone}
    return json.dumps(task).encode()


def decode_outcome(line: bytes) -> Outcome:
    value = json.loads(line)
    copy = value.pop("copy")
    return Outcome(copy=None if copy is None else Copy(**copy), **value)


def main() -> int:
    task = json.loads(sys.stdin.buffer.read())
    sources = tuple(Source(**{**value, "keys": tuple(value["keys"])}) for value in task["sources"])
    asyncio.run(_refresh(Path(task["folder"]), sources, frozenset(task["gone"])))
    return 0


async def _refresh(folder: Path, sources: tuple[Source, ...], gone: frozenset[str]) -> None:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(source: Source) -> None:
        async with turns:
            outcome = await _written(folder, source, believed_gone=source.id in gone)
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
        sys.stdout.flush()

    await asyncio.gather(*map(one, sources))


async def _written(folder: Path, source: Source, *, believed_gone: bool) -> Outcome:
    try:
        outcome = await _outcome(folder, source)
        if outcome.code == SAML_METADATA_GONE.id and believed_gone:
            return replace(outcome, copy=index_gone(source, folder, time.time(), outcome.detail))
    except (OSError, sqlite3.Error) as error:
        return Outcome(source.id, None, SAML_METADATA_UNREACHABLE.id, f"{folder}: {error}")
    return outcome


async def _outcome(folder: Path, source: Source) -> Outcome:
    try:
        with tempfile.TemporaryFile(dir=folder) as document:
            known = _still_good(folder, source, time.time())
            answer = await _fetch(source, document, known)
            if known is not None and answer.status == 304:
                # RFC 9110 15.4.5. What is on disk stays as it is, with the end that it was signed with.
                return Outcome(source.id, replace(known, fetched_at=int(time.time())))
            document.seek(0)
            version = validators(answer.etag, answer.last_modified)
            copy = index_document(source, _pieces(document), folder, time.time(), version)
    except GatewayError as error:
        return Outcome(source.id, None, error.code.id, f"{source.url}: {error.detail}")
    return Outcome(source.id, copy)


def _still_good(folder: Path, source: Source, now: float) -> Copy | None:
    """The copy on disk, if another could be the same: one that ran out is of no use any more."""
    copy = read_copy(folder, source.id)
    return copy if copy is not None and (copy.valid_until is None or now < copy.valid_until) else None


async def _fetch(source: Source, into: IO[bytes], known: Copy | None) -> Answer:
    aggregate = source.kind == "aggregate"
    seconds, largest = (_AGGREGATE_SECONDS, LARGEST_AGGREGATE) if aggregate else (_ENTITY_SECONDS, LARGEST_ENTITY)
    client = ProviderClient(source.ca_bytes, None, source.private_addresses, Resolver(), seconds)
    try:
        version = NO_VALIDATORS if known is None else Validators(known.etag, known.last_modified)
        answer = await client.download(source.call(version), into.write, largest)
    finally:
        await client.close()
    if source.kind in ("mdq", "mdq_sha1") and answer.status in _NOT_THERE:
        # Metadata Query Protocol 3.1: the service answers, and has no metadata of this entity
        raise GatewayError(SAML_METADATA_GONE, f"answered {answer.status}: it has no metadata of {source.entity_id}")
    if answer.status != 200 and not (answer.status == 304 and version != NO_VALIDATORS):
        raise GatewayError(SAML_METADATA_UNREACHABLE, f"answered with status {answer.status}")
    return answer


def _pieces(document: IO[bytes]) -> Iterator[bytes]:
    while piece := document.read(_PIECE):
        yield piece


if __name__ == "__main__":
    sys.exit(main())
