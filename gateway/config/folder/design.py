"""Reads the State's design system from the operator's own copy: the style sheet, and the files that the sheet names. No
part of it comes with the gateway."""

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Final

import re2

from gateway.config.folder.opened import ANY, DIRECTORY, Unreadable, content_of, opened
from gateway.model.theme import DESIGN_KINDS

PACKAGE: Final = "package.json"
SHEET: Final = "dist/dsfr.min.css"
PREFIX: Final = "dsfr:"
"""Before the names of these files in `Files.secrets` and `Files.unreadable`."""

MAX_DESIGN_FILES: Final = 400
MAX_SHEET_BYTES: Final = 2 << 20
MAX_DESIGN_FILE_BYTES: Final = 512 << 10
MAX_DESIGN_BYTES: Final = 8 << 20

# CSS Syntax 4.3.6, and a quoted address as a function's argument. An address with an escape names no file.
# RE2: `re` would read on to the end from each `url(` that is not closed.
_URL: Final = re2.compile(rb"""(?i)url\(\s*(?:"([^"]*)"|'([^']*)'|([^'")\s]*))\s*\)""")
_NAME: Final = re.compile("[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_ABOUT: Final = "this is not the State's design system, version 1"


def read_design(folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """(contents, reasons), keyed by PREFIX. A content has the file's name below the folder after PREFIX. If a file
    cannot be read, the contents are empty, and PREFIX has the reason."""
    read: dict[str, bytes] = {}
    name = PACKAGE
    try:
        _check_version(_content(folder, name, MAX_DESIGN_FILE_BYTES))
        name = SHEET
        read[PREFIX + SHEET] = sheet = _content(folder, name, MAX_SHEET_BYTES)
        left = MAX_DESIGN_BYTES
        for name in names_in(sheet):
            read[PREFIX + name] = content = _content(folder, name, min(left, MAX_DESIGN_FILE_BYTES))
            left -= len(content)
    except Unreadable as why:
        return {}, {PREFIX: f"{name}: {why}"}
    return read, {}


def names_in(sheet: bytes) -> list[str]:
    """The files that a style sheet names, below the folder. Raises Unreadable for too many files, for a file that is
    not beside or below the sheet, and for a kind of file that no page needs."""
    try:
        sheet.decode("utf-8")
    except ValueError:
        raise Unreadable("this is not UTF-8") from None
    found: dict[str, None] = {}
    for match in _URL.finditer(sheet):
        address = (match[1] or match[2] or match[3] or b"").decode()
        if address[:5].lower() == "data:" or address.startswith("#"):
            continue
        path = re.split("[?#]", address, maxsplit=1)[0]
        if _NAME.fullmatch(path) is None:
            raise Unreadable(f"it names {address[:80]!r}, which leads out of its folder")
        if posixpath.splitext(path)[1] not in DESIGN_KINDS:
            raise Unreadable(f"it names {address[:80]!r}, which is neither a font nor an icon")
        found[posixpath.join(posixpath.dirname(SHEET), path)] = None
    if len(found) > MAX_DESIGN_FILES:
        raise Unreadable(f"it names {len(found)} files: at most {MAX_DESIGN_FILES}")
    return list(found)


def _check_version(content: bytes) -> None:
    try:
        package = json.loads(content)
    except ValueError:
        raise Unreadable(_ABOUT) from None
    if not isinstance(package, dict) or package.get("name") != "@gouvfr/dsfr":
        raise Unreadable(_ABOUT)
    version = package.get("version")
    if not isinstance(version, str) or not version.startswith("1."):
        raise Unreadable(f"{_ABOUT}: its version is {str(version)[:40]}")


def _content(folder: Path, name: str, limit: int) -> bytes:
    """Reads a file below the folder. Links are followed on the way to the folder, which the operator names, but not
    below the folder. Raises Unreadable."""
    *steps, last = name.split("/")
    at = opened(str(folder), DIRECTORY)
    for step in steps:
        at = opened(step, DIRECTORY | os.O_NOFOLLOW, at)
    descriptor = opened(last, ANY | os.O_NOFOLLOW, at)
    size = os.fstat(descriptor).st_size
    if size > limit:
        os.close(descriptor)
        raise Unreadable(f"{size} bytes are too many: here at most {limit}")
    return content_of(descriptor, limit)
