"""python -m tests.portal.pictures FOLDER: every page of ours in both languages, photographed in light and dark, on a
small telephone and a desk, with an index.html to look through them."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

from gateway.portal.http.pages import Pages
from gateway.wire.cookies import LANGUAGES
from tests.portal.shown_pages import NOW, THEME, shown_pages

SCRIPT = Path(__file__).with_name("pictures.mjs")
SCHEMES, SIZES = ("light", "dark"), ("desk", "phone")
_STYLE = (
    "body{font:1rem/1.5 sans-serif;margin:2rem}figure{display:inline-block;margin:0 1rem 2rem 0;vertical-align:top}"
)
_WIDTHS = {"desk": 640, "phone": 200}


def write_pages(folder: Path) -> list[str]:
    """`folder`/LANGUAGE/NAME.html; the names. A page that goes on by itself is looked at before it does."""
    pages = Pages(lambda: THEME, lambda: NOW)
    names: list[str] = []
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True, exist_ok=True)
        shown = shown_pages(pages, language)
        names = list(shown)
        for name, page in shown.items():
            still = page.body.replace(b"document.forms[0].submit()", b"").replace(b'http-equiv="refresh"', b"")
            (folder / language / f"{name}.html").write_bytes(still)
    return names


def photograph(folder: Path) -> None:
    """Raises subprocess.CalledProcessError."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed: tools/install_test_parts.sh chromium node npm")
    subprocess.run(["node", str(SCRIPT), str(folder), chromium], check=True, timeout=600)


def index(names: Sequence[str]) -> str:
    parts = [f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Pages</title><style>{_STYLE}</style>']
    for name in names:
        parts.append(f"<h2>{escape(name)}</h2>")
        for language in LANGUAGES:
            for scheme in SCHEMES:
                for size in SIZES:
                    picture = f"{language}/{name}.{scheme}.{size}.png"
                    parts.append(
                        f'<figure><a href="{language}/{name}.html"><img src="{picture}" width="{_WIDTHS[size]}"'
                        f' alt="{language}, {scheme}, {size}" loading="lazy"></a></figure>'
                    )
    return "\n".join(parts)


def main(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    names = write_pages(folder)
    print(
        f"{len(names)} pages, {len(LANGUAGES) * len(SCHEMES) * len(SIZES)} pictures of each: half a minute.", flush=True
    )
    photograph(folder)
    (folder / "index.html").write_text(index(names), "utf-8")
    print(f"Look at {folder / 'index.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
