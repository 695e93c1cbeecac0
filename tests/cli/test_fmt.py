"""`ecluse fmt`: lays out what it can, and with `--check` says which files have another layout."""

import json
from pathlib import Path

import pytest

from tests.cli.test_main import called
from tests.walks.place import Place

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost", access="- path: /**   # all of it\n  allow: signed_in\n")
    return place


def test_a_file_of_another_layout_is_named_and_then_laid_out(place: Place) -> None:
    app = place.policies / "apps/one.yaml"
    app.chmod(0o640)
    before = app.read_text()
    told = called("fmt", "--check", at=place.folder)
    assert (told.returncode, told.stdout) == (1, "policies/apps/one.yaml: has another layout\n")
    assert app.read_text() == before
    told = called("fmt", "policies", at=place.folder)
    assert (told.returncode, told.stdout) == (0, "policies/apps/one.yaml: rewritten\n")
    assert app.read_text().endswith("access:\n  - path: /**   # all of it\n    allow: signed_in\n")
    assert app.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in app.parent.iterdir()] == ["one.yaml"]
    assert (
        called("fmt", "--check", at=place.folder).returncode,
        called("check", "policies", at=place.folder).returncode,
    ) == (0, 0)


def test_what_cannot_be_read_is_left_alone_and_said(place: Place) -> None:
    place.write("apps/two.yaml", "app: [\n")
    told = called("fmt", at=place.folder)
    assert told.returncode == 1
    assert told.stderr.startswith("policies/apps/two.yaml:")
    assert place.read("apps/two.yaml") == "app: [\n"
    found = json.loads(called("fmt", "--output", "json", at=place.folder).stdout)
    assert found["changed"] == []
    assert len(found["refused"]) == 1


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    told = called("fmt", "nowhere", at=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "ecluse: the folder nowhere cannot be read: No such file or directory\n"
