"""Nobody is told to install by a name alone: on a registry, that name may be anybody's."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import blocks

ROOT = Path(__file__).parents[2]
INSTALLS = re.compile(r"\b(?:pip3?|pipx|uvx?|poetry|conda)\b[^\n]*?\b(?:install|add|run|tool)\b[^\n]*")
# By hashes, from a folder, or this very tree.
PINNED = re.compile(r"--require-hashes|--no-index|--editable \.")
PLACES = ("gateway", "docs", "deploy", "tools", "policies")
# It makes the locks, on a developer's machine.
MAKES_LOCKS = "tools/lock.sh"
KINDS = {".py", ".po", ".md", ".sh", ".yaml", ".toml", ".service", ".html", ""}


def told() -> dict[str, list[str]]:
    """The commands that install something, in what we say and in what we run."""
    paths = [path for place in PLACES for path in (ROOT / place).rglob("*") if path.suffix in KINDS and path.is_file()]
    paths += [ROOT / "README.md", ROOT / "Makefile", ROOT / "CONTRIBUTING.md"]
    found = {}
    for path in paths:
        if path.is_file() and "__pycache__" not in path.parts:
            text = path.read_text(errors="replace").replace("\\\n", " ")
            found[str(path.relative_to(ROOT))] = INSTALLS.findall(text)
    return found


def test_every_command_that_installs_takes_what_is_locked() -> None:
    lines = told()
    assert lines["tools/install.sh"]
    assert lines.pop(MAKES_LOCKS)
    wrong = {path: [line for line in every if not PINNED.search(line)] for path, every in lines.items()}
    assert not {path: every for path, every in wrong.items() if every}


@pytest.mark.parametrize(
    "page",
    [
        "README.md", "docs/tutorial/first-application.md", "docs/fr/premiere-application.md", "docs/fr/installer.md",
        "docs/how-to/add-an-identity-provider.md", "docs/fr/ajouter-un-fournisseur-openid.md",
        "docs/how-to/put-an-application-behind.md", "docs/fr/placer-une-application-derriere.md",
    ],
)  # fmt: skip
def test_the_first_application_of_a_page_has_a_name_for_people_and_only_what_it_needs(page: str) -> None:
    """`ecluse lint` says EC321 of a file without `label`."""
    first = next(block.text for block in blocks(ROOT / page) if re.search("^app: ", block.text, re.MULTILINE))
    assert re.search("^label: ", first, re.MULTILINE)
    assert not re.search("^(rewrite|keep_posts):", first, re.MULTILINE)


@pytest.mark.parametrize("line", ["pip install 'ecluse[cel]'", "python3 -m pip install ecluse", "uv add ecluse"])
def test_such_a_line_would_be_found(line: str) -> None:
    (found,) = INSTALLS.findall(f"write this: {line}")
    assert not PINNED.search(found)
