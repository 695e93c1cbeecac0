"""The pages about finding one's organisation: what their files say is loaded, and their table is read."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.identity.organisation_words import query_of
from gateway.organisations.index import OrganisationIndex, organisation_index_path
from gateway.organisations.indexing import make_organisations
from tests.docs import tried
from tests.docs.blocks import blocks
from tests.docs.test_account_pages import taken
from tests.organisations.samples import table

pytestmark = pytest.mark.slow

CHECK = [sys.executable, "-m", "gateway", "check", "policies"]
ROOT = Path(__file__).parents[2]
TWINS = (
    ROOT / "docs/how-to/let-people-find-their-organisation.md",
    ROOT / "docs/fr/trouver-son-organisation.md",
)


@pytest.mark.parametrize("page", TWINS, ids=lambda page: page.stem)
def test_the_page_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    tried.make(tmp_path)
    for block in blocks(page):
        if block.language == "sh":
            subprocess.run(block.text, shell=True, cwd=tmp_path, check=True)
        elif block.language != "conf":
            assert block.language == "yaml"
            (tmp_path / "policies/organisations").mkdir(exist_ok=True)
            taken(tmp_path, block)
    told = subprocess.run(CHECK, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    path = tmp_path / "policies/organisations/communes.csv"
    make_organisations([table(path)], tmp_path)
    index = OrganisationIndex(organisation_index_path(tmp_path))
    assert [one.place for one in index.find(query_of("st denis"), 9)] == ["Seine-Saint-Denis (93)", "La Réunion (974)"]
    index.close()
    path.write_text(path.read_text().replace("Lille,commune", "Lille,ville"))
    told = subprocess.run(CHECK, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 1
    assert "communes.csv: line 2: kind is one of" in told.stdout + told.stderr


def test_both_pages_show_the_same() -> None:
    english, french = ([block.text for block in blocks(path)] for path in TWINS)
    assert english == french
