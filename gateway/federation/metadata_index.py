"""The last good copy of a metadata source: one SQLite file, replaced as a whole. A reader opens a single record.

The writer verified the content before writing. The folder belongs to the gateway, like the folder of the sessions.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gateway.model.codes import saml_codes
from gateway.model.codes.table import all_codes
from gateway.model.errors import GatewayError
from gateway.ops.whole_file import new_database, read_record
from gateway.saml.parties import Endpoint, IdpMetadata

# A reader of another version finds no file, and the gateway fetches again.
_SUFFIX = ".v1.sqlite"
# The id of the single record in a logo's file.
LOGO = "logo"
# Errors from reading a record of another release: the file then counts as no copy, not as a fault.
_NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Copy:
    """Describes a copy.

    `fetched_at`, `valid_until`: Unix seconds.
    `fresh_for`: seconds until the next fetch is due.
    `etag`, `last_modified`: validators of the fetched document, for the next conditional request.
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
    """Writes an index beside the old index, then renames: readers see the whole new index or the old one. Returns
    `copy` with `entities` counted.

    Raises OSError, sqlite3.Error, and the errors of the iterator `records`.
    """
    with new_database(index_path(folder, source_id)) as database:
        database.execute("CREATE TABLE copy (record TEXT NOT NULL)")
        database.execute("CREATE TABLE entities (id TEXT PRIMARY KEY, record TEXT NOT NULL)")
        rows = ((id, _encoded(record)) for id, record in records)
        database.executemany("INSERT INTO entities VALUES (?, ?)", rows)
        (count,) = database.execute("SELECT count(*) FROM entities").fetchone()
        copy = replace(copy, entities=count)
        database.execute("INSERT INTO copy VALUES (?)", (json.dumps(asdict(copy)),))
    return copy


def read_copy(folder: Path, source_id: str) -> Copy | None:
    """Returns the description of the copy. None: no copy is readable."""
    row = read_record(index_path(folder, source_id), "SELECT record FROM copy")
    try:
        return None if row is None else Copy(**json.loads(row))
    except _NOT_UNDERSTOOD:
        return None


def read_entity(folder: Path, source_id: str, entity_id: str) -> IdpMetadata | None:
    """Returns the metadata of one entity. None: the source has no readable copy.

    Raises GatewayError: saml_codes.METADATA_ENTITY, or the fault that makes the entity unusable.
    """
    path = index_path(folder, source_id)
    row = read_record(path, "SELECT record FROM entities WHERE id = ?", (entity_id,))
    if row is not None:
        try:
            return _decoded(row)
        except _NOT_UNDERSTOOD:
            return None
    if read_copy(folder, source_id) is None:
        return None
    raise GatewayError(saml_codes.METADATA_ENTITY, f"{entity_id} is not in the metadata")


def logos_folder(folder: Path) -> Path:
    """Returns the folder, inside the metadata's `folder`, of the logos that the metadata name."""
    return folder / "logos"


def read_logo(folder: Path, source_id: str) -> bytes | None:
    """Reads a stored logo, a PNG. None: the source has no logo."""
    row = read_record(index_path(folder, source_id), "SELECT record FROM entities WHERE id = ?", (LOGO,))
    try:
        return None if row is None else b64decode(json.loads(row)["png"])
    except _NOT_UNDERSTOOD:
        return None


def _encoded(record: Record) -> str:
    if isinstance(record, GatewayError):
        return json.dumps({"code": record.code.id, "detail": record.detail})
    if isinstance(record, bytes):
        return json.dumps({"png": b64encode(record).decode("ascii")})
    # Not `asdict` of the whole record, which copies every value: a federation has 10,000 records.
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
