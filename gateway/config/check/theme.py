"""Checks the references of `theme` in gateway.yaml: the logo, which is part of every page of the gateway, and the
operator's copy of the State's design system, which has to be present and complete."""

from collections.abc import Iterator
from typing import Final

from gateway.config.folder.design import PREFIX, SHEET
from gateway.config.folder.files import Files
from gateway.config.problems import Path, Problem, key_path
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import Loaded
from gateway.config.schema.scalars import Wrong
from gateway.model.codes import config_codes
from gateway.model.theme import logo_kind

DSFR_FOLDER: Path = ("theme", "dsfr", "folder")
# In base64 a logo has a third more, and a page with it stays below 20 KB.
_LARGEST: Final = 8 * 1024


def check_logo(content: bytes) -> None:
    """Raises Wrong."""
    if len(content) > _LARGEST:
        raise Wrong(f"this logo has {len(content)} bytes", f"at most {_LARGEST}: an SVG, or a small PNG")
    if not logo_kind(content):
        raise Wrong("this is neither a PNG nor an SVG in UTF-8", "an SVG begins with <svg or <?xml")


def resolve_design(gateway: Loaded[GatewayFile], files: Files) -> tuple[dict[tuple[str, Path], bytes], list[Problem]]:
    """The files of the design system by file and key path, and the problems. The last step of the key path is the name
    below the copy."""
    found = dict(_found(files))
    if PREFIX + SHEET in files.secrets:
        return {(gateway.path, (*DSFR_FOLDER, name)): content for name, content in found.items()}, []
    place = gateway.document.place(DSFR_FOLDER)
    why = files.unreadable.get(PREFIX, "this was not read")
    remedy = f"npm i @gouvfr/dsfr, once you may use it; a path starts from {files.folder}/"
    return {}, [Problem(place, key_path(DSFR_FOLDER), why, remedy, code=config_codes.DSFR.id)]


def _found(files: Files) -> Iterator[tuple[str, bytes]]:
    return ((key.removeprefix(PREFIX), text) for key, text in files.secrets.items() if key.startswith(PREFIX))
