"""The pages about directories: what their files say is loaded, and what their commands print is what is shown."""

import subprocess
from pathlib import Path

import pytest

from tests.docs import tried
from tests.docs.blocks import blocks, normal
from tests.docs.test_account_pages import taken
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TWINS = (
    (
        ROOT / "docs/how-to/know-people-from-directories.md",
        ROOT / "docs/fr/connaitre-les-personnes-par-un-annuaire.md",
    ),
    (ROOT / "docs/how-to/take-logins-from-a-directory.md", ROOT / "docs/fr/comptes-donnes-par-un-annuaire.md"),
    (ROOT / "docs/how-to/let-mandates-end.md", ROOT / "docs/fr/laisser-finir-les-mandats.md"),
)
HELENE = 'provider: metropole\nsubject: helene\nattributes: {uid: helene, groups: ONDE, siret: "21590350100017"}\n'


@pytest.mark.parametrize("page", [page for twins in TWINS for page in twins], ids=lambda page: page.stem)
def test_the_page_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    tried.make(tmp_path)
    (tmp_path / "helene.yaml").write_text(HELENE)
    for block in blocks(page):
        match block.language:
            case "sh" if block.text.startswith("ecluse "):
                # It needs a gateway that runs, or a published file, and neither is here.
                pass
            case "sh":
                subprocess.run(block.text, shell=True, cwd=tmp_path, check=True, timeout=PATIENCE)
            case "yaml":
                taken(tmp_path, block)
            case "conf":
                pass
            case language:
                assert language == "console"
                assert normal(tried.printed(block, tmp_path)).splitlines() == block.output


@pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins[0].stem)
def test_both_pages_show_the_same(twins: tuple[Path, Path]) -> None:
    english, french = ([block.text for block in blocks(path)] for path in twins)
    assert english == french
