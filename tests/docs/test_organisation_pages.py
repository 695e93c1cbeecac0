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
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

CHECK = [sys.executable, "-m", "gateway", "check", "policies"]
ROOT = Path(__file__).parents[2]
MANDATES = "uid;fonction;siret;debut;fin\nhelene;maire;21590512600011;2020-05-25;2032-03-21\n"
# In each language: how people find theirs, and how they act for one of several.
TWINS = (
    (
        ROOT / "docs/how-to/let-people-find-their-organisation.md",
        ROOT / "docs/how-to/let-people-act-for-several-organisations.md",
    ),
    (ROOT / "docs/fr/trouver-son-organisation.md", ROOT / "docs/fr/agir-pour-plusieurs-organisations.md"),
)


@pytest.mark.parametrize("pages", TWINS, ids=["en", "fr"])
def test_the_pages_happen_as_they_are_told(pages: tuple[Path, Path], tmp_path: Path) -> None:
    tried.make(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mandats.csv").write_text(MANDATES)
    for block in (block for page in pages for block in blocks(page)):
        if block.language == "sh":
            subprocess.run(block.text, shell=True, cwd=tmp_path, check=True, timeout=PATIENCE)
        elif block.language != "conf":
            assert block.language == "yaml"
            (tmp_path / "policies/organisations").mkdir(exist_ok=True)
            taken(tmp_path, block)
    told = subprocess.run(CHECK, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 0, told.stderr
    path = tmp_path / "policies/organisations/communes.csv"
    make_organisations([table(path)], tmp_path)
    index = OrganisationIndex(organisation_index_path(tmp_path))
    assert [one.place for one in index.find(query_of("st denis"), 9)] == ["Seine-Saint-Denis (93)", "La Réunion (974)"]
    index.close()
    path.write_text(path.read_text().replace("Lille,commune", "Lille,ville"))
    told = subprocess.run(CHECK, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 1
    assert "communes.csv: line 2: kind is one of" in told.stdout + told.stderr


def test_both_pages_show_the_same() -> None:
    english, french = ([block.text for page in pages for block in blocks(page)] for pages in TWINS)
    assert english == french
