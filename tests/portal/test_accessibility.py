"""The pages in a real browser, read by axe-core."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.portal.pictures import write_pages

SCRIPT = Path(__file__).with_name("accessibility.mjs")
# Of the error pages, which differ in their words alone, one of each form.
ERRORS = ("error-login.provider_unreachable", "error-login.too_weak", "error-wire.host")


@pytest.mark.browser
def test_everybody_reads_every_page_in_light_and_dark(tmp_path: Path) -> None:
    """By axe-core, at 400 %, in larger text, and by the keyboard. In English, whose pages differ in their words, what
    has a language of its own beside the page's."""
    written, looked_at = tmp_path / "written", tmp_path / "looked_at"
    looked_at.mkdir()
    for name in write_pages(written):
        if not name.startswith("error-") or name in ERRORS:
            shutil.copy(written / "fr" / f"{name}.html", looked_at / f"fr-{name}.html")
    for name in ("home", "chooser", "acting", "refusal", "sessions"):
        shutil.copy(written / "en" / f"{name}.html", looked_at / f"en-{name}.html")
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: run `make test` once"
    ran = subprocess.run(["node", str(SCRIPT), str(looked_at), chromium], capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert len(found) == len(list(looked_at.iterdir()))
    assert {name: problems for name, problems in found.items() if problems} == {}
