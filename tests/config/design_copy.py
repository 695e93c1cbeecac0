"""A folder with the layout of the State's design system, and nothing of it: what tests read in its place."""

from pathlib import Path

from gateway.config.folder.design import PREFIX

PACKAGE = '{"name": "@gouvfr/dsfr", "version": "1.14.4"}'
SHEET = """\
@charset "UTF-8";
@font-face{font-family:Made;src:url(fonts/Made-Up.woff2) format("woff2"),url('fonts/Made-Up.woff?v=1')}
.fr-icon{mask-image:url( "icons/system/made-up.svg#a" )}
.fr-logo{background:url("data:image/svg+xml;charset=utf-8,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E");fill:url(#b)}
.fr-logo,.fr-btn,.fr-input{display:block;color:#161616;background-color:#fff}
[class^=fr-footer__]>a,.fr-link,.fr-tile__title a{display:inline-block;padding:.5rem}
.fr-sr-only{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
:focus-visible{outline:2px solid #0a76f6}
"""
FILES = {
    "package.json": PACKAGE.encode(),
    "dist/dsfr.min.css": SHEET.encode(),
    "dist/fonts/Made-Up.woff2": b"wOF2" + bytes(20),
    "dist/fonts/Made-Up.woff": b"wOFF" + bytes(20),
    "dist/icons/system/made-up.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "dist/fonts/Unnamed.woff2": b"wOF2",
}
READ = {f"{PREFIX}{name}": FILES[name] for name in FILES if name not in ("package.json", "dist/fonts/Unnamed.woff2")}


def make_copy(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
