"""`ecluse lint`: findings with their codes, for people and for programs."""

import json
from pathlib import Path

import pytest

from gateway.lint.rules import ABOUT_IGNORES, RULES
from tests.cli.test_main import called
from tests.walks.place import Place

pytestmark = pytest.mark.slow

ACCESS = "  - {path: /**, allow: anyone}\n  - {path: /admin/**, allow: signed_in}\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha", client_secret="{file: ../certs/alpha.secret}")
    place.write_app("one", "one.localhost", access=ACCESS)
    file = tmp_path / "policies/apps/one.yaml"
    file.write_text(file.read_text() + "label: Un\n")
    for name in ("store.key", "alpha.secret"):
        (tmp_path / "certs" / name).write_text("0123456789abcdef" * 4)
        (tmp_path / "certs" / name).chmod(0o600)
    return place


def test_what_is_found_has_a_place_a_code_and_a_page(place: Place) -> None:
    told = called("lint", at=place.folder)
    assert (told.returncode, told.stderr) == (1, "")
    assert told.stdout.startswith(
        "policies/apps/one.yaml:8:24: EC101 access[0].allow: every path that no other rule names is public\n"
        "      - {path: /**, allow: anyone}\n"
        "                           ^\n"
    )
    assert told.stdout.endswith(" finding(s); each code is explained in docs/reference/lint.md\n")
    found = json.loads(called("lint", "policies", "--output", "json", at=place.folder).stdout)["findings"]
    assert (found[0]["code"], found[0]["line"]) == ("EC101", 8)
    assert found[0]["documentation"] == "docs/reference/lint.md#ec101"


def test_a_secret_that_others_may_read(place: Place) -> None:
    assert "EC411" not in called("lint", at=place.folder).stdout
    (place.folder / "certs/alpha.secret").chmod(0o644)
    told = called("lint", at=place.folder).stdout
    assert "EC411 oidc.client_secret: every account of this machine may read or write ../certs/alpha.secret" in told
    assert "store.key: mode" not in told
    # What it tells to run can be run from where it was asked.
    assert f"chmod o= {place.folder}/certs/alpha.secret" in told


def test_a_folder_that_cannot_be_served_is_not_looked_at_for_more(place: Place) -> None:
    place.write("apps/one.yaml", "app: [\n")
    told = called("lint", at=place.folder)
    assert (told.returncode, told.stdout) == (1, "")
    assert "policies/apps/one.yaml:" in told.stderr


def test_every_code_has_its_part_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/lint.md").read_text()
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == [*ABOUT_IGNORES, *RULES]
