"""Each block of docs/how-to/try-*.md, and of their French twins, is what its commands print."""

from pathlib import Path

import pytest

from tests.docs import tried
from tests.docs.blocks import Block, blocks, normal

pytestmark = pytest.mark.slow

SHOWN = [(f"{path.stem}:{block.line}", block) for path in tried.PAGES for block in blocks(path)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tried")
    tried.make(folder)
    return folder


@pytest.mark.parametrize(("place", "block"), SHOWN, ids=[place for place, _ in SHOWN])
def test_the_commands_print_what_is_shown(place: str, block: Block, folder: Path) -> None:
    printed = tried.printed(block, folder)
    assert block.output == normal(printed).splitlines(), f"{place}; printed is:\n{printed}"


@pytest.mark.parametrize("twins", tried.TWINS, ids=lambda twins: twins[1].stem)
def test_both_pages_show_the_same(twins: tuple[Path, Path]) -> None:
    english, french = ([block.text for block in blocks(path)] for path in twins)
    assert english == french
