"""The pages in a real browser, read by axe-core."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.portal.http.pages import Pages
from tests.portal.http.test_pages import every_page

SCRIPT = Path(__file__).with_name("accessibility.mjs")


@pytest.mark.browser
def test_axe_finds_nothing_on_any_page_in_light_or_dark(tmp_path: Path) -> None:
    pages = Pages()
    for number, page in enumerate(every_page(pages, "fr")):
        # A page that goes on by itself is looked at before it does.
        here = page.body.replace(b"document.forms[0].submit()", b"").replace(b'http-equiv="refresh"', b"")
        (tmp_path / f"{number}.html").write_bytes(here)
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: run `make test` once"
    ran = subprocess.run(["node", str(SCRIPT), str(tmp_path), chromium], capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert len(found) == len(list(tmp_path.iterdir()))
    assert {name: problems for name, problems in found.items() if problems} == {}
