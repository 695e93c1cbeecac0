"""The subject of lint rules: a valid folder, as files, as models and as the compiled snapshot."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from gateway.config.check.references import resolve
from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import Files
from gateway.config.problems import Path, Problem, key_path
from gateway.config.schema.app import AppFile
from gateway.config.schema.conditions import SharedFile
from gateway.config.schema.directory import DirectoryFile
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import AnyProviderFile, Folder, Loaded, load
from gateway.config.schema.organisations import OrganisationsFile
from gateway.config.schema.scalars import Reference
from gateway.config.snapshot import Snapshot
from gateway.config.yaml.reader import YamlDocument
from gateway.policy.rules import Rule

_Model = TypeVar("_Model")


@dataclass(frozen=True)
class Subject:
    """`modes`: the permission bits of files, by the reference that names the file. `now`: Unix seconds."""

    files: Files
    folder: Folder
    material: Mapping[tuple[str, Path], bytes]
    snapshot: Snapshot
    modes: Mapping[str, int]
    now: float

    @cached_property
    def gateway(self) -> "Of[GatewayFile]":
        loaded = self.folder.gateway
        if loaded is None or loaded.model is None:
            raise ValueError("a folder that cannot be served")
        return Of(loaded.path, loaded.document, loaded.model)

    @cached_property
    def apps(self) -> "tuple[Of[AppFile], ...]":
        return tuple(_whole(self.folder.apps))

    @cached_property
    def shadows(self) -> "tuple[Of[AppFile], ...]":
        """Shadow files; shadow rules are in `apps`."""
        return tuple(_whole(self.folder.shadows))

    @cached_property
    def shared(self) -> "tuple[Of[SharedFile], ...]":
        return tuple(_whole(self.folder.shared))

    @cached_property
    def providers(self) -> "tuple[Of[AnyProviderFile], ...]":
        return tuple(_whole(self.folder.providers))

    @cached_property
    def directories(self) -> "tuple[Of[DirectoryFile], ...]":
        return tuple(_whole(self.folder.directories))

    @cached_property
    def organisations(self) -> "tuple[Of[OrganisationsFile], ...]":
        return tuple(_whole(self.folder.organisations))

    def providers_of(self, app: "Of[AppFile]") -> list[AnyProviderFile]:
        return [one.model for one in self.providers if one.model.provider in app.model.providers]

    def rules(self, app: "Of[AppFile]") -> list[tuple[int, Rule]]:
        """The enforced rules of an application, with their index in the file, in the file's order."""
        return _in_file(app, self.snapshot.apps[app.model.app].routes.rules())

    def with_shadows(self, app: "Of[AppFile]") -> list[tuple[int, Rule]]:
        """Every rule of a file, enforced or not."""
        live = self.snapshot.apps[app.model.app]
        # A shadow contains the live rules too, without the rules that it removes.
        return _in_file(app, (rule for one in (*live.shadows, live) for rule in one.routes.rules()))


@dataclass(frozen=True)
class Of(Generic[_Model]):
    """A valid file."""

    path: str
    document: YamlDocument
    model: _Model

    def at(self, *path: str | int, key: bool = False, say: str, write: str = "") -> Problem:
        """A finding at a place of this file."""
        return Problem(self.document.place(path, key=key), key_path(path), say, write)


def subject(files: Files, now: float) -> Subject:
    """Raises ProblemsFound for a folder that cannot be served."""
    snapshot = build(compile_files(files).plan)
    folder, _ = load(files)
    material, _ = resolve(folder, files)
    return Subject(files, folder, material, snapshot, _modes(files), now)


def _in_file(app: Of[AppFile], rules: Iterable[Rule]) -> list[tuple[int, Rule]]:
    """The last rule of a line. A rule names its file below the folder's own name, wherever the folder is."""
    by_line = {rule.ref.line: rule for rule in rules if f"/{rule.ref.file}".endswith(f"/{app.path}")}
    lines = ((index, app.document.line(("access", index))) for index in range(len(app.model.access)))
    return [(index, by_line[line]) for index, line in lines if line in by_line]


def _whole(loaded: tuple[Loaded[Any], ...]) -> Iterator["Of[Any]"]:
    return (Of(one.path, one.document, one.model) for one in loaded if one.model is not None)


def _modes(files: Files) -> dict[str, int]:
    found = {}
    for key in files.secrets:
        kind, _, name = key.partition(":")
        if kind.startswith("apps/"):
            kind, _, name = name.partition(":")
        if kind == "file":
            try:
                found[f"file:{name}"] = os.stat(os.path.normpath(os.path.join(files.root, name))).st_mode & 0o777
            except OSError:
                continue  # gone since it was read
    return found


def references(value: object, path: Path = ()) -> Iterator[tuple[Path, Reference]]:
    """Every reference in a validated model, with its key path in the file."""
    if isinstance(value, Reference):
        yield path, value
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from references(member, (*path, index))
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from references(member, (*path, key))
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from references(getattr(value, name), (*path, name))
