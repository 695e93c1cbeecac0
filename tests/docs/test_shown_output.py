"""Each `text` block of docs/ is what the program prints today, but for times, numbers of processes, ids and ports."""

import asyncio
import re
from pathlib import Path

import pytest

from gateway.model.codes.table import all_codes
from gateway.model.events import EVENTS
from gateway.ops import metrics
from tests.docs import rules, scenes, tried
from tests.docs.blocks import Block, blocks

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in ROOT.glob("docs/**/*.md") if "reference" not in path.parts)
TUTORIALS = (ROOT / "docs/tutorial/first-application.md", ROOT / "docs/fr/premiere-application.md")
# What they print, tests/cli/test_doctor.py sees before an application in PHP.
FORM_LOGIN = (ROOT / "docs/how-to/sign-people-in-at-a-login-form.md", ROOT / "docs/fr/connecter-a-un-formulaire.md")
SHOWN = [
    (f"{path.stem}:{block.line}", block)
    for path in PAGES
    if path not in (*TUTORIALS, *FORM_LOGIN, *tried.PAGES)
    for block in blocks(path)
    if block.language == "text"
]
# Keys and files that look like codes.
OTHER_NAMES = {
    "clock.py", "gateway.yaml", "store.keys", "upstream.host", "upstream.timeout", "upstream.url", "logout.url",
    "logout.login", "logout.cookies", "session.absolute", "session.grace", "requests.sqlite",
}  # fmt: skip
LONGEST_PAGE = 200


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    return asyncio.run(scenes.outputs(tmp_path_factory.mktemp("scenes") / "demo"))


@pytest.mark.service
@pytest.mark.parametrize(("place", "block"), SHOWN, ids=[place for place, _ in SHOWN])
def test_the_output_is_what_is_printed(place: str, block: Block, printed: list[list[str]]) -> None:
    assert block.output in printed, f"{place}; printed are:\n" + "\n\n".join(map("\n".join, printed))


@pytest.mark.service
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
async def test_the_tutorial_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    await scenes.tutorial(page, tmp_path / "demo")


def test_the_table_of_rules_is_what_policy_decides() -> None:
    page = ROOT / "docs/how-to/write-a-path-rule.md"
    rows = re.findall(r"^\| ((?:GET|POST) .*) \|$", page.read_text("utf-8"), re.MULTILINE)
    (example,) = (block.text for block in blocks(page) if block.language == "yaml")
    app = rules.app_of(example)
    for row in rows:
        request, *answers = row.split(" | ")
        assert answers == [rules.answer(app, request, person) for person in rules.PEOPLE], request
    assert len(rows) == 6


def test_no_page_is_long() -> None:
    sizes = {path.name: len(path.read_text("utf-8").splitlines()) for path in PAGES}
    assert not {name: lines for name, lines in sizes.items() if lines >= LONGEST_PAGE}


def test_every_code_that_a_page_names_is_in_the_table() -> None:
    known = {code.id for code in all_codes()} | set(EVENTS)
    families = "|".join(sorted({name.partition(".")[0] for name in known}))
    named = {
        (path.name, name)
        for path in PAGES
        for name in re.findall(rf"`((?:{families})\.[a-z_]+(?:\.[a-z_]+)*)`", path.read_text("utf-8"))
    }
    assert not {(page, name) for page, name in named if name not in known | OTHER_NAMES}


def exists(folder: Path, parts: list[str]) -> bool:
    """Folders, a module, and perhaps a function of it; or a function of any module of the last folder."""
    first, *rest = parts
    if (folder / first).is_dir():
        return not rest or exists(folder / first, rest)
    module = folder / f"{first}.py"
    sources, names = ([module], rest) if module.is_file() else (list(folder.glob("*.py")), parts)
    defined = [any(re.search(rf"\bdef {name}\b", source.read_text()) for source in sources) for name in names]
    return len(names) <= 1 and all(defined)


def test_every_part_that_the_walks_name_exists() -> None:
    gateway = ROOT / "gateway"
    packages = "|".join(path.name for path in gateway.iterdir() if path.is_dir() and not path.name.startswith("_"))
    pages = (ROOT / "docs/architecture.md", ROOT / "docs/explanation/more-walks.md")
    walks = "".join(block.text for page in pages for block in blocks(page))
    named = set(re.findall(rf"\b(?:{packages})(?:\.[a-z_0-9]+)+", walks))
    assert not {name for name in named if not exists(gateway, name.split("."))}
    assert len(named) >= 20


def test_every_metric_that_a_page_names_exists() -> None:
    source = Path(metrics.__file__).read_text()
    named = {name for path in PAGES for name in re.findall(r"`(ecluse_[a-z_]+)`", path.read_text("utf-8"))}
    assert not {name for name in named if f'"{name}"' not in source}
