"""The served files of the State's design system, each with its kind; the style sheet is compressed."""

import gzip
import hashlib
import posixpath
from collections.abc import Iterator

from gateway.config.check.theme import DSFR_FOLDER
from gateway.config.compile.frozen import Material
from gateway.config.folder.design import SHEET
from gateway.config.schema.theme import ThemeDsfrSection
from gateway.model.theme import DESIGN_KINDS, DesignFile, Dsfr

_DIGITS = 16


def plan_dsfr(file: str, section: ThemeDsfrSection, material: Material) -> Dsfr:
    digest = hashlib.sha256()
    for name, content in _files(file, material):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return Dsfr(digest.hexdigest()[:_DIGITS], tuple(section.mark.split("\n")))


def plan_design(file: str, material: Material) -> Iterator[DesignFile]:
    below = posixpath.dirname(SHEET)
    for name, content in _files(file, material):
        kind = posixpath.splitext(name)[1]
        # A browser loads hundreds of kilobytes of style sheet before it shows a page.
        packed = kind == ".css"
        served = gzip.compress(content, mtime=0) if packed else content
        yield DesignFile(posixpath.relpath(name, below), DESIGN_KINDS[kind], served, packed)


def _files(file: str, material: Material) -> list[tuple[str, bytes]]:
    return sorted((str(path[-1]), content) for (of, path), content in material.items() if _is_design(file, of, path))


def _is_design(file: str, of: str, path: tuple[str | int, ...]) -> bool:
    return of == file and path[:-1] == DSFR_FOLDER
