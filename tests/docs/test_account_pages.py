"""The pages about accounts: what their files say is loaded, and what their commands print is what is shown."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.config.yaml.reader import read_document
from tests.docs import tried
from tests.docs.blocks import Block, blocks, normal
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TWINS = (ROOT / "docs/how-to/accounts-of-an-application.md", ROOT / "docs/fr/comptes-d-une-application.md")
HELENE = "provider: metropole\nsubject: helene\nattributes: {uid: helene, groups: ONDE, family_name: Durand}\n"


def taken(folder: Path, block: Block) -> None:
    """What the block says is put into the file that it names."""
    file = folder / block.text.partition("\n")[0].removeprefix("# ")
    file.parent.mkdir(exist_ok=True)
    data = read_document(file.name, file.read_bytes())[0].data if file.exists() else {}
    merge(data, read_document(file.name, block.text.encode())[0].data)
    file.write_text(json.dumps(data))


def merge(data: Any, more: Any) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            merge(data[key], value)
        else:
            data[key] = value


@pytest.mark.parametrize("page", TWINS, ids=lambda page: page.stem)
def test_the_page_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    tried.make(tmp_path)
    (tmp_path / "helene.yaml").write_text(HELENE)
    for block in blocks(page):
        match block.language:
            case "sh":
                subprocess.run(block.text, shell=True, cwd=tmp_path, check=True, timeout=PATIENCE)
            case "yaml":
                taken(tmp_path, block)
            case language:
                assert language == "console"
                assert normal(tried.printed(block, tmp_path)).splitlines() == block.output


def test_both_pages_show_the_same() -> None:
    english, french = ([block.text for block in blocks(path)] for path in TWINS)
    assert english == french
