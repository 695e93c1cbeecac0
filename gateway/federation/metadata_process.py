"""The helper process that fetches, verifies and indexes metadata: a document of 100 MB and what it took go with it.

Told where (folder and sources, one JSON object) on standard input; for each source, one line of JSON goes to standard
output as soon as it is done.
"""

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from gateway.federation.addresses import Resolver
from gateway.federation.client import ProviderClient
from gateway.federation.metadata_index import Copy
from gateway.federation.metadata_indexing import index_document
from gateway.federation.metadata_source import Source
from gateway.model.codes import SAML_METADATA_UNREACHABLE, all_codes
from gateway.model.errors import GatewayError
from gateway.saml.metadata_document import LARGEST_AGGREGATE, LARGEST_ENTITY

_AGGREGATE_SECONDS = 300.0
_ENTITY_SECONDS = 20.0
_AT_ONCE = 4
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Outcome:
    """`copy`: what was written; None where the source failed, and `code`, `detail` say how."""

    source_id: str
    copy: Copy | None
    code: str = ""
    detail: str = ""

    def error(self) -> GatewayError:
        codes = {code.id: code for code in all_codes()}
        return GatewayError(codes.get(self.code, SAML_METADATA_UNREACHABLE), self.detail)


def encode_task(folder: Path, sources: tuple[Source, ...]) -> bytes:
    return json.dumps({"folder": str(folder), "sources": [asdict(source) for source in sources]}).encode()


def decode_outcome(line: bytes) -> Outcome:
    value = json.loads(line)
    copy = value.pop("copy")
    return Outcome(copy=None if copy is None else Copy(**copy), **value)


def main() -> int:
    task = json.loads(sys.stdin.buffer.read())
    sources = tuple(Source(**{**value, "keys": tuple(value["keys"])}) for value in task["sources"])
    asyncio.run(_refresh(Path(task["folder"]), sources))
    return 0


async def _refresh(folder: Path, sources: tuple[Source, ...]) -> None:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(source: Source) -> None:
        async with turns:
            outcome = await _outcome(folder, source)
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
        sys.stdout.flush()

    await asyncio.gather(*map(one, sources))


async def _outcome(folder: Path, source: Source) -> Outcome:
    try:
        with tempfile.TemporaryFile(dir=folder) as document:
            await _fetch(source, document)
            document.seek(0)
            copy = index_document(source, _pieces(document), folder, time.time())
    except GatewayError as error:
        return Outcome(source.id, None, error.code.id, f"{source.url}: {error.detail}")
    except (OSError, sqlite3.Error) as error:
        return Outcome(source.id, None, SAML_METADATA_UNREACHABLE.id, f"{folder}: {error}")
    return Outcome(source.id, copy)


async def _fetch(source: Source, into: IO[bytes]) -> None:
    aggregate = source.kind == "aggregate"
    seconds, largest = (_AGGREGATE_SECONDS, LARGEST_AGGREGATE) if aggregate else (_ENTITY_SECONDS, LARGEST_ENTITY)
    client = ProviderClient(source.ca_bytes, None, source.private_addresses, Resolver(), seconds)
    try:
        answer = await client.download(source.call(), into.write, largest)
    finally:
        await client.close()
    if answer.status != 200:
        raise GatewayError(SAML_METADATA_UNREACHABLE, f"answered with status {answer.status}")


def _pieces(document: IO[bytes]) -> Iterator[bytes]:
    while piece := document.read(_PIECE):
        yield piece


if __name__ == "__main__":
    sys.exit(main())
