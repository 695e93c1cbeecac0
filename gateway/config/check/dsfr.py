"""The operator's copy of the State's design system: whether it is there, and whole."""

from collections.abc import Iterator

from gateway.config.folder.design import PREFIX, SHEET
from gateway.config.folder.files import Files
from gateway.config.problems import Path, Problem, key_path
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import Loaded
from gateway.model.config_codes import CONFIG_DSFR

FOLDER: Path = ("theme", "dsfr", "folder")


def resolve_design(gateway: Loaded[GatewayFile], files: Files) -> tuple[dict[tuple[str, Path], bytes], list[Problem]]:
    """The bytes by file and key path, the last step of which is the name below the copy; and what is wrong."""
    found = dict(_found(files))
    if PREFIX + SHEET in files.secrets:
        return {(gateway.path, (*FOLDER, name)): content for name, content in found.items()}, []
    place = gateway.document.place(FOLDER)
    why = files.unreadable.get(PREFIX, "this was not read")
    remedy = f"npm i @gouvfr/dsfr, once you may use it; a path starts from {files.folder}/"
    return {}, [Problem(place, key_path(FOLDER), why, remedy, code=CONFIG_DSFR.id)]


def _found(files: Files) -> Iterator[tuple[str, bytes]]:
    return ((key.removeprefix(PREFIX), text) for key, text in files.secrets.items() if key.startswith(PREFIX))
