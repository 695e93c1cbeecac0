import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import pytest

from gateway.federation.metadata_index import (
    Copy,
    index_path,
    read_copy,
    read_entity,
    write_index,
)
from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.ops.whole_file import prepare_folder
from gateway.saml.metadata import find_entity, idp_metadata
from gateway.saml.metadata_document import given
from gateway.saml.parties import Endpoint, IdpMetadata
from tests.federation.metadata_server import files
from tests.saml.metadata_samples import SHIBBOLETH
from tests.saml.parties import IDP

COPY = Copy(fetched_at=1_800_000_000, fresh_for=3600, valid_until=None, entities=1)
METADATA = replace(idp_metadata(find_entity(given([SHIBBOLETH.encode()]), IDP)), valid_until=1_800_000_001)
OTHER = "https://other.example"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_index(tmp_path, "a", COPY, [(IDP, METADATA)])
    assert read_entity(tmp_path, "a", IDP) == METADATA
    assert read_copy(tmp_path, "a") == COPY


def test_no_copy_and_an_entity_that_is_not_in_it_are_two_things(tmp_path: Path) -> None:
    assert read_copy(tmp_path, "a") is None
    assert read_entity(tmp_path, "a", IDP) is None
    write_index(tmp_path, "a", COPY, [(IDP, METADATA)])
    with pytest.raises(GatewayError) as refused:
        read_entity(tmp_path, "a", OTHER)
    assert refused.value.code == saml_codes.METADATA_ENTITY
    assert read_entity(tmp_path, "b", IDP) is None


def test_why_an_entity_cannot_be_used_is_kept(tmp_path: Path) -> None:
    write_index(tmp_path, "a", COPY, [(IDP, METADATA), (OTHER, GatewayError(saml_codes.METADATA_KEY, "no key"))])
    with pytest.raises(GatewayError) as refused:
        read_entity(tmp_path, "a", OTHER)
    assert (refused.value.code, refused.value.detail) == (saml_codes.METADATA_KEY, "no key")


def test_a_copy_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    write_index(tmp_path, "a", COPY, [(IDP, METADATA)])
    with pytest.raises(sqlite3.IntegrityError):
        write_index(tmp_path, "a", replace(COPY, entities=2), [(OTHER, METADATA), (OTHER, METADATA)])
    assert read_entity(tmp_path, "a", IDP) == METADATA
    assert files(tmp_path) == {index_path(tmp_path, "a").name}
    write_index(tmp_path, "a", replace(COPY, fetched_at=5), [(OTHER, METADATA)])
    assert read_copy(tmp_path, "a") == replace(COPY, fetched_at=5)
    with pytest.raises(GatewayError):
        read_entity(tmp_path, "a", IDP)


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(100)])
def test_a_broken_file_is_no_copy(tmp_path: Path, content: bytes) -> None:
    index_path(tmp_path, "a").write_bytes(content)
    assert read_copy(tmp_path, "a") is None
    assert read_entity(tmp_path, "a", IDP) is None


def test_nobody_else_may_read_a_copy(tmp_path: Path) -> None:
    write_index(tmp_path, "a", COPY, [])
    assert os.stat(index_path(tmp_path, "a")).st_mode & 0o077 == 0


def test_what_no_provider_lives_on_any_more_goes(tmp_path: Path) -> None:
    for id in ("a", "b"):
        write_index(tmp_path, id, COPY, [])
    (tmp_path / "left.new").touch()
    os.utime(tmp_path / "left.new", (0, 0))
    (tmp_path / "a.v0.sqlite").touch()
    (tmp_path / "README").touch()
    prepare_folder(tmp_path, [index_path(tmp_path, id) for id in ("a", "c")])
    assert files(tmp_path) == {index_path(tmp_path, "a").name, "README"}


def test_a_reload_does_not_remove_what_a_helper_still_writes(tmp_path: Path) -> None:
    def records() -> Iterator[tuple[str, IdpMetadata]]:
        yield IDP, METADATA
        prepare_folder(tmp_path, [index_path(tmp_path, "a")])
        yield OTHER, METADATA

    assert write_index(tmp_path, "a", COPY, records()).entities == 2
    assert read_entity(tmp_path, "a", OTHER) is not None


def test_records_are_plain_json(tmp_path: Path) -> None:
    """So that the next version can read what this one wrote."""
    write_index(tmp_path, "a", COPY, [(IDP, METADATA)])
    with closing(sqlite3.connect(index_path(tmp_path, "a"))) as database:
        ((record,),) = database.execute("SELECT record FROM entities").fetchall()
    assert json.loads(record)["entity_id"] == IDP


# By the name of their file: what stands in copies. A form that changes gets another name, under which no reader of the
# release before finds it, nor this one that of the release before.
FORMS = {
    "a.v1.sqlite": [
        ["fetched_at", "fresh_for", "valid_until", "entities", "etag", "last_modified"],
        ["entity_id", "signing_keys", "sign_on", "logout", "artifact_resolution", "wants_signed_requests",
         "name_id_formats", "scopes", "valid_until", "display_names", "logo"],
        ["binding", "location", "response_location", "index"],
    ],
}  # fmt: skip


def test_a_form_that_changes_has_another_name(tmp_path: Path) -> None:
    form = [[field.name for field in fields(kind)] for kind in (Copy, IdpMetadata, Endpoint)]
    assert form == FORMS[index_path(tmp_path, "a").name]


def test_a_form_that_is_not_understood_is_no_copy_and_no_fault(tmp_path: Path) -> None:
    write_index(tmp_path, "a", COPY, [(IDP, METADATA)])
    with closing(sqlite3.connect(index_path(tmp_path, "a"), isolation_level=None)) as database:
        database.execute("UPDATE entities SET record = json_set(record, '$.later', 1)")
        assert read_entity(tmp_path, "a", IDP) is None
        database.execute("UPDATE copy SET record = json_set(record, '$.later', 1)")
    assert read_copy(tmp_path, "a") is None
