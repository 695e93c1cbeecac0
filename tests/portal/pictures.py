"""python -m tests.portal.pictures FOLDER [COPY]: every page of ours in both languages, photographed in light and dark,
on a small telephone and a desk, with an index.html to look through them. COPY: the folder of `@gouvfr/dsfr`, by
somebody who may use it: FOLDER/dsfr has the pages in the State's design system."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

from gateway.config.folder.design import PREFIX, read_design
from gateway.federation.logo_images import written_anew
from gateway.model.theme import Dsfr, Theme
from gateway.portal.http.pages import Pages
from gateway.wire.cookies import LANGUAGES
from tests.federation.pictures import picture
from tests.portal.shown_pages import NOW, THEME, shown_pages

SCRIPT = Path(__file__).with_name("pictures.mjs")
DSFR = Dsfr("0123456789abcdef", ("Ministère", "de l’Exemple"))
DSFR_THEME = replace(THEME, dsfr=DSFR)
SCHEMES, SIZES = ("light", "dark"), ("desk", "phone")
_STYLE = (
    "body{font:1rem/1.5 sans-serif;margin:2rem}figure{display:inline-block;margin:0 1rem 2rem 0;vertical-align:top}"
)
_WIDTHS = {"desk": 640, "phone": 200}


def write_pages(folder: Path, theme: Theme = THEME) -> list[str]:
    """`folder`/LANGUAGE/NAME.html; the names. A page that goes on by itself is looked at before it does."""
    pages = Pages(lambda: theme, lambda: NOW)
    names: list[str] = []
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True, exist_ok=True)
        shown = shown_pages(pages, language)
        names = list(shown)
        (folder / language / "logo.png").write_bytes(written_anew(picture("PNG", (160, 48))))
        for name, page in shown.items():
            still = page.body.replace(b"document.forms[0].submit()", b"").replace(b'http-equiv="refresh"', b"")
            still = still.replace(b"/_ecluse/dsfr/" + DSFR.digest.encode(), b"../design")
            (folder / language / f"{name}.html").write_bytes(still)
    return names


def write_dsfr_pages(folder: Path, copy: Path) -> list[str]:
    """As `write_pages`, with the files of `copy` that a gateway would serve in `folder`/design."""
    read, lacking = read_design(copy)
    if lacking:
        raise SystemExit(f"{copy}: {lacking[PREFIX]}")
    for name, content in read.items():
        place = folder / "design" / name.removeprefix(f"{PREFIX}dist/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return write_pages(folder, DSFR_THEME)


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


def main(folder: Path, copy: Path | None = None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    names = write_pages(folder)
    if copy is not None:
        (folder / "dsfr").mkdir(parents=True)
        write_dsfr_pages(folder / "dsfr", copy)
        photograph(folder / "dsfr")
        (folder / "dsfr" / "index.html").write_text(index(names), "utf-8")
    print(
        f"{len(names)} pages, {len(LANGUAGES) * len(SCHEMES) * len(SIZES)} pictures of each: half a minute.", flush=True
    )
    photograph(folder)
    (folder / "index.html").write_text(index(names), "utf-8")
    print(f"Look at {folder / 'index.html'}")


if __name__ == "__main__":
    main(*(Path(argument).resolve() for argument in sys.argv[1:3]))
