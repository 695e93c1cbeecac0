"""`ecluse metadata`: our SAML metadata on standard output, and nothing else there."""

from pathlib import Path

import pytest
from pygamlastan import metadata as gamlastan

from tests.cli.test_main import typed
from tests.federation.metadata_server import MetadataServer
from tests.saml.parties import pair, verified_by_xmlsec
from tests.server.test_metadata import write_provider
from tests.walks.place import Place

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost")
    return place


def test_a_signed_document_that_names_us_and_what_the_provider_files_take(place: Place) -> None:
    write_provider(place, MetadataServer(1))
    told = typed("metadata", "policies", at=place.folder)
    assert (told.returncode, told.stderr) == (0, "")
    verified_by_xmlsec(told.stdout.encode(), pair())
    entity = gamlastan.parse_entity(told.stdout.strip())
    assert entity.entity_id == place.portal("/_ecluse/saml/metadata")
    assert entity.valid_until is None
    required, optional = entity.requested_attributes()
    assert [attribute.name for attribute in (*required, *optional)] == ["uid"]


def test_without_keys_for_saml(place: Place) -> None:
    told = typed("metadata", "policies", at=place.folder)
    assert (told.returncode, told.stdout) == (1, "")
    assert "has no saml: keys" in told.stderr


def test_a_folder_with_problems(place: Place) -> None:
    place.write("gateway.yaml", "version: 1\n")
    told = typed("metadata", "policies", at=place.folder)
    assert (told.returncode, told.stdout) == (1, "")
    assert "problem(s)" in told.stderr
