"""Bytes of the files to validated models, with every problem that needs no second file to be found."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.config.folder.files import (
    APPS,
    DIRECTORIES,
    GATEWAY_FILE,
    LISTS,
    ORGANISATIONS,
    PROVIDERS,
    SHARED,
    Files,
)
from gateway.config.presets import preset_of
from gateway.config.problems import Place, Problem, key_path
from gateway.config.schema.app import AppFile
from gateway.config.schema.conditions import ListFile, SharedFile
from gateway.config.schema.directory import DirectoryFile
from gateway.config.schema.gateway import GatewayFile, TeamSection
from gateway.config.schema.messages import problem_of
from gateway.config.schema.organisations import OrganisationsFile
from gateway.config.schema.provider import ProviderFile, SamlProviderFile
from gateway.config.yaml.reader import YamlDocument, read_document
from gateway.model.codes import config_codes

_Model = TypeVar("_Model", bound=BaseModel)
AnyProviderFile = ProviderFile | SamlProviderFile


# A key that only this kind of file has.
_NAMED_BY = {"apps": "app", "providers": "provider", "lists": "list", "directories": "directory",
             "organisations": "organisations"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded(Generic[_Model]):
    """A file: its `path` below the folder, its text with places, and its model if the text is valid."""

    path: str
    document: YamlDocument
    model: _Model | None

    def written(self, key: str) -> str | None:
        """A text of the file's first level, also of a file that is not valid."""
        value = self.document.data.get(key) if isinstance(self.document.data, dict) else None
        return value if isinstance(value, str) else None

    def listed(self, key: str) -> list[tuple[int, str]]:
        """The texts of a list at the file's first level, with their indexes. Works for an invalid file as well."""
        values = self.document.data.get(key) if isinstance(self.document.data, dict) else None
        if not isinstance(values, list):
            return []
        return [(index, text) for index, text in enumerate(values) if isinstance(text, str)]


@dataclass(frozen=True, slots=True)
class Folder:
    """The loaded folder.

    `gateway`: None if gateway.yaml is missing.
    `gateway_file`: None if gateway.yaml is missing or wrong.
    `complete`: the whole folder was readable.
    `shadows`: app files with `shadow: true`. `apps` excludes these files.
    """

    gateway: Loaded[GatewayFile] | None
    providers: tuple[Loaded[AnyProviderFile], ...]
    apps: tuple[Loaded[AppFile], ...]
    complete: bool
    gateway_file: GatewayFile | None
    teams: Mapping[str, TeamSection]
    shared: tuple[Loaded[SharedFile], ...] = ()
    lists: tuple[Loaded[ListFile], ...] = ()
    shadows: tuple[Loaded[AppFile], ...] = ()
    directories: tuple[Loaded[DirectoryFile], ...] = ()
    organisations: tuple[Loaded[OrganisationsFile], ...] = ()


def load(files: Files) -> tuple[Folder, list[Problem]]:
    """Never raises."""
    problems: list[Problem] = []
    paths = files.by_kind()
    gateway = None
    if GATEWAY_FILE in files.texts:
        gateway = load_file(files, GATEWAY_FILE, lambda _: GatewayFile, problems)
    providers = [load_file(files, path, _protocol, problems) for path in paths[PROVIDERS]]
    apps = [load_file(files, path, lambda _: AppFile, problems) for path in paths[APPS]]
    shared = [load_file(files, path, lambda _: SharedFile, problems) for path in paths[SHARED]]
    directories = [load_file(files, path, lambda _: DirectoryFile, problems) for path in paths[DIRECTORIES]]
    organisations = [load_file(files, path, lambda _: OrganisationsFile, problems) for path in paths[ORGANISATIONS]]
    lists = [load_file(files, path, lambda _: ListFile, problems) for path in paths[LISTS]]
    gateway_file = None if gateway is None else gateway.model
    folder = Folder(
        gateway,
        tuple(providers),
        tuple(app for app in apps if not _is_shadow(app)),
        complete=not files.problems,
        gateway_file=gateway_file,
        teams={} if gateway_file is None else gateway_file.teams,
        shared=tuple(shared),
        lists=tuple(lists),
        shadows=tuple(app for app in apps if _is_shadow(app)),
        directories=tuple(directories),
        organisations=tuple(organisations),
    )
    return folder, [*(replace(problem, code=config_codes.FILE.id) for problem in files.problems), *problems]


def load_gateway(files: Files) -> GatewayFile | None:
    """gateway.yaml alone; None if the file is wrong or missing."""
    return None if GATEWAY_FILE not in files.texts else load_file(files, GATEWAY_FILE, lambda _: GatewayFile, []).model


def _is_shadow(app: Loaded[AppFile]) -> bool:
    return isinstance(app.document.data, dict) and app.document.data.get("shadow") is True


def _protocol(document: YamlDocument) -> type[AnyProviderFile]:
    """A provider file has the key of exactly one protocol. `_both` reports a file with two."""
    return SamlProviderFile if isinstance(document.data, dict) and "saml" in document.data else ProviderFile


def load_file(
    files: Files, path: str, model_of: Callable[[YamlDocument], type[_Model]], problems: list[Problem]
) -> Loaded[_Model]:
    if files.is_too_slow(files.texts[path]):
        problems.append(_too_slow(files, path))
        return Loaded(path, YamlDocument(files.shown(path), ""), None)
    files.begin(path)
    loaded = _load(files, path, model_of, problems)
    files.begin("")
    return loaded


def _load(
    files: Files, path: str, model_of: Callable[[YamlDocument], type[_Model]], problems: list[Problem]
) -> Loaded[_Model]:
    document, found = read_document(files.shown(path), files.texts[path])
    problems += (replace(problem, code=config_codes.FILE.id) for problem in found)
    if not document.readable:
        return Loaded(path, document, None)
    if (misplaced := _misplaced(path, document)) is not None:
        problems.append(misplaced)
        return Loaded(path, document, None)
    model = model_of(document)
    preset = preset_of(document.data) if model is ProviderFile else None
    data = preset.under(document.data) if preset and isinstance(document.data, dict) else document.data
    seen = {problem.place for problem in found}
    try:
        valid = model.model_validate(data)
    except ValidationError as error:
        problems += (problem for problem in _problems(document, model, error) if problem.place not in seen)
        return Loaded(path, document, None)
    return Loaded(path, document, None if found else valid)


def _too_slow(files: Files, path: str) -> Problem:
    hint = "take back what was written last, or make a shorter file of it"
    return Problem(Place(files.shown(path), 0, 0), "", "it takes too long to compile", hint, code=config_codes.FILE.id)


def _misplaced(path: str, document: YamlDocument) -> Problem | None:
    """One problem for a misplaced file, instead of a problem for each unknown key."""
    own = _NAMED_BY.get(path.partition("/")[0], "")
    if not own or not isinstance(document.data, dict) or own in document.data:
        return None
    for folder, key in _NAMED_BY.items():
        if key in document.data:
            say = f"a file with this key is read from {folder}/ alone"
            return Problem(document.place((key,), key=True), key, say, f"move it there, or name it by {own}: here")
    return None


def _problems(document: YamlDocument, model: type[BaseModel], error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        if model is SamlProviderFile and detail["loc"] == ("oidc",):
            yield _both(document)
        else:
            yield problem_of(document, model, detail)


def _both(document: YamlDocument) -> Problem:
    path = ("oidc",)
    message = "a provider speaks one protocol, and this file has saml and oidc"
    return Problem(document.place(path, key=True), key_path(path), message, "make two files of it")
