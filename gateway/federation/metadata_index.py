"""The last good copy of a source, on disk: one SQLite file, replaced whole, of which a reader opens one record.

What is in it was verified when it was written; the folder is the gateway's own, as that of the sessions is.
"""

import json
import os
import sqlite3
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gateway.model.codes import saml_codes
from gateway.model.codes.table import all_codes
from gateway.model.errors import GatewayError
from gateway.saml.parties import Endpoint, IdpMetadata

# A reader of another version finds no file, and fetches.
_SUFFIX = ".v1.sqlite"
_UNFINISHED = ".new"
# The one record of a logo's file.
LOGO = "logo"
# What reading a form of another release raises: it is no copy then, and no fault.
_NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Copy:
    """What is known of a copy. Times: Unix seconds; `fresh_for`: seconds until the source is asked again.

    `etag`, `last_modified`: Validators of what it was, for the next time.
    """

    fetched_at: int
    fresh_for: int
    valid_until: int | None
    entities: int
    etag: str = ""
    last_modified: str = ""


Record = IdpMetadata | GatewayError | bytes
"""Of an entity, or why it cannot be used; or the picture of a logo."""

_ENDPOINTS = ("sign_on", "logout", "artifact_resolution")


def index_path(folder: Path, source_id: str) -> Path:
    return folder / f"{source_id}{_SUFFIX}"


def write_index(folder: Path, source_id: str, copy: Copy, records: Iterable[tuple[str, Record]]) -> Copy:
    """Writes an index beside the old one, then renames it: whole or not at all. Returns `copy` with its `entities`.

    Raises OSError, sqlite3.Error, and what making the records raises.
    """
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f"{source_id}.", suffix=_UNFINISHED)
    os.close(descriptor)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as database:
            database.executescript(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
                "CREATE TABLE copy (record TEXT NOT NULL);"
                "CREATE TABLE entities (id TEXT PRIMARY KEY, record TEXT NOT NULL);"
            )
            rows = ((id, _encoded(record)) for id, record in records)
            database.executemany("INSERT INTO entities VALUES (?, ?)", rows)
            (count,) = database.execute("SELECT count(*) FROM entities").fetchone()
            copy = replace(copy, entities=count)
            database.execute("INSERT INTO copy VALUES (?)", (json.dumps(asdict(copy)),))
            database.execute("COMMIT")
        _sync(Path(name))
        os.replace(name, index_path(folder, source_id))
        return copy
    except BaseException:
        os.unlink(name)
        raise


def read_copy(folder: Path, source_id: str) -> Copy | None:
    """None where no copy can be read."""
    row = _row(index_path(folder, source_id), "SELECT record FROM copy", ())
    try:
        return None if row is None else Copy(**json.loads(row))
    except _NOT_UNDERSTOOD:
        return None


def read_entity(folder: Path, source_id: str, entity_id: str) -> IdpMetadata | None:
    """None where the source has no copy. GatewayError: saml_codes.METADATA_ENTITY, or why this entity cannot be
    used."""
    path = index_path(folder, source_id)
    row = _row(path, "SELECT record FROM entities WHERE id = ?", (entity_id,))
    if row is not None:
        try:
            return _decoded(row)
        except _NOT_UNDERSTOOD:
            return None
    if read_copy(folder, source_id) is None:
        return None
    raise GatewayError(saml_codes.METADATA_ENTITY, f"{entity_id} is not in the metadata")


def logos_folder(folder: Path) -> Path:
    """Beside the metadata in `folder`: the logos that they name."""
    return folder / "logos"


def read_logo(folder: Path, source_id: str) -> bytes | None:
    """Reads the logo as we stored it, a PNG; None if the source has no logo."""
    row = _row(index_path(folder, source_id), "SELECT record FROM entities WHERE id = ?", (LOGO,))
    try:
        return None if row is None else b64decode(json.loads(row)["png"])
    except _NOT_UNDERSTOOD:
        return None


def forget_others(folder: Path, source_ids: Iterable[str]) -> None:
    """Removes the copies of sources that no provider lives on any more, and what a killed helper left behind."""
    kept = {index_path(folder, id).name for id in source_ids}
    for path in folder.iterdir():
        if path.name not in kept and path.name.endswith((_SUFFIX, _UNFINISHED)):
            path.unlink(missing_ok=True)


def forget_unfinished(folder: Path, source_id: str) -> None:
    """Files that a process left which was ended while it wrote this source."""
    for path in folder.glob(f"{source_id}.*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def _row(path: Path, query: str, values: tuple[str, ...]) -> str | None:
    """Opened for reading, without locks: the file is only ever replaced as a whole."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            row = database.execute(query, values).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


def _encoded(record: Record) -> str:
    if isinstance(record, GatewayError):
        return json.dumps({"code": record.code.id, "detail": record.detail})
    if isinstance(record, bytes):
        return json.dumps({"png": b64encode(record).decode("ascii")})
    # Not `asdict` of the whole, which copies what is in it: a federation has 10,000 of these.
    value = {name: getattr(record, name) for name in IdpMetadata.__dataclass_fields__}
    value["signing_keys"] = [b64encode(key).decode("ascii") for key in record.signing_keys]
    for name in _ENDPOINTS:
        value[name] = [asdict(endpoint) for endpoint in value[name]]
    return json.dumps(value)


def _decoded(record: str) -> IdpMetadata:
    value: dict[str, Any] = json.loads(record)
    if "code" in value:
        codes = {code.id: code for code in all_codes()}
        raise GatewayError(codes.get(value["code"], saml_codes.METADATA_ENTITY), value["detail"])
    for name in _ENDPOINTS:
        value[name] = tuple(Endpoint(**endpoint) for endpoint in value[name])
    value["signing_keys"] = tuple(map(b64decode, value["signing_keys"]))
    value["name_id_formats"] = tuple(value["name_id_formats"])
    value["scopes"] = tuple((scope, regexp) for scope, regexp in value["scopes"])
    return IdpMetadata(**value)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
