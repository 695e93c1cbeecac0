"""The pages in a real browser, read by axe-core."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.wire.cookies import LANGUAGES
from tests.config.design_copy import make_copy
from tests.portal.pictures import write_dsfr_pages, write_pages

SCRIPT = Path(__file__).with_name("accessibility.mjs")
# A copy of the State's design system, by somebody who may use it.
COPY = os.environ.get("ECLUSE_DSFR", "")
# Of the error pages, which differ in their words alone, one of each form.
ERRORS = ("error-login.provider_unreachable", "error-login.too_weak", "error-wire.host")


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_everybody_reads_every_page_in_light_and_dark(tmp_path: Path, language: str) -> None:
    """By axe-core, at 400 %, in larger text, and by the keyboard."""
    written, looked_at = tmp_path / "written", tmp_path / "looked_at"
    looked_at.mkdir()
    for name in write_pages(written):
        if not name.startswith("error-") or name in ERRORS:
            shutil.copy(written / language / f"{name}.html", looked_at / f"{language}-{name}.html")
    assert problems(looked_at) == {}


@pytest.mark.browser
def test_everybody_reads_them_in_the_states_design_system(tmp_path: Path) -> None:
    """Our own markup and style, over a made-up sheet: the design system's is not ours to have."""
    written, looked_at = tmp_path / "written", tmp_path / "looked_at"
    write_dsfr_pages(written, make_copy(tmp_path / "copy"))
    looked_at.mkdir()
    shutil.copytree(written / "design", tmp_path / "design")
    for name in ("account-refused", "home", "organisations-found"):
        shutil.copy(written / "fr" / f"{name}.html", looked_at / f"fr-{name}.html")
    shutil.copy(written / "en" / "chooser.html", looked_at / "en-chooser.html")
    assert problems(looked_at, "sheets") == {}


@pytest.mark.browser
@pytest.mark.skipif(not COPY, reason="ECLUSE_DSFR names no copy of the State's design system")
@pytest.mark.parametrize("language", LANGUAGES)
def test_everybody_reads_them_in_an_operators_copy(tmp_path: Path, language: str) -> None:
    """Every page, where somebody who may use the design system names the folder of theirs."""
    written, looked_at = tmp_path / "written", tmp_path / "looked_at"
    looked_at.mkdir()
    for name in write_dsfr_pages(written, Path(COPY)):
        if not name.startswith("error-") or name in ERRORS:
            shutil.copy(written / language / f"{name}.html", looked_at / f"{language}-{name}.html")
    shutil.copytree(written / "design", tmp_path / "design")
    assert problems(looked_at, "sheets") == {}


def problems(looked_at: Path, *more: str) -> dict[str, list[str]]:
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: run `make test` once"
    asked = ["node", str(SCRIPT), str(looked_at), chromium, *more]
    ran = subprocess.run(asked, capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert len(found) == len(list(looked_at.iterdir()))
    return {name: problems for name, problems in found.items() if problems}
