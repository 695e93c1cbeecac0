"""From the policy folder to frozen bytes. With read_references and opening, all of this package that reads files."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from gateway.config.folder.files import APPS, FLAT, GATEWAY_FILE, STATE, SUFFIX, Files
from gateway.config.folder.known_hosts import FILE_NAME, Hosts, decode_hosts
from gateway.config.folder.opening import Unreadable, content_of, opened, reason
from gateway.config.folder.read_references import read_references
from gateway.config.problems import Place, Problem, did_you_mean
from gateway.config.yaml.reader import MAX_BYTES, read_document

MAX_KNOWN_BYTES = 64 << 20
MAX_FILES = 20_000
MAX_FOLDER_DEPTH = 8

_FOLDERS = (APPS, *FLAT)
_OTHER_SUFFIXES = (".yml", ".yaml")


def read_folder(folder: Path) -> Files:
    """Reads gateway.yaml, apps/**, providers/, shared/, lists/, tests/ and what they refer to, each once.

    Never raises for what it finds: what cannot be read is a problem of the result. A link may lead out of the
    folder, as those of a Kubernetes mount do.
    """
    shown = str(folder)
    problems: list[Problem] = []
    texts: dict[str, bytes] = {}
    for path in _paths(folder, problems):
        try:
            texts[path] = content_of(opened(str(folder / path)), MAX_BYTES)
        except Unreadable as why:
            problems.append(_whole(f"{shown}/{path}", str(why)))
    secrets, unreadable = read_references(folder, texts)
    return Files(shown, os.path.abspath(folder), texts, secrets, unreadable, tuple(problems))


def read_for_good(folder: Path, files: Files, good: Mapping[str, bytes]) -> Files:
    """With what app files refer to as they were last served: one that is wrong now may have to stay as it was."""
    changed = {path: content for path, content in good.items() if files.texts.get(path) != content}
    if not changed:
        return files
    more = read_references(folder, {**files.texts, **changed})
    secrets = {**more.secrets, **files.secrets}
    unreadable = {key: why for key, why in {**more.unreadable, **files.unreadable}.items() if key not in secrets}
    return replace(files, secrets=secrets, unreadable=unreadable)


def read_known_hosts(files: Files) -> Hosts:
    """What the state folder that gateway.yaml names has of the hosts that were served last; empty where it has none."""
    document, _ = read_document("", files.texts.get(GATEWAY_FILE, b""))
    state = document.data.get("state", STATE) if isinstance(document.data, dict) else STATE
    place = Path(os.path.normpath(Path(files.root) / str(state))) / FILE_NAME
    try:
        return decode_hosts(content_of(opened(str(place)), MAX_KNOWN_BYTES))
    except Unreadable:
        return {}


def _paths(folder: Path, problems: list[Problem]) -> list[str]:
    """The configuration files below the folder; a YAML file that would be passed over in silence is a problem."""
    found: list[str] = []
    for path in _walk(folder, "", 0, set(), problems):
        top, _, rest = path.partition("/")
        if not path.endswith(SUFFIX):
            problems.append(_whole(f"{folder}/{path}", "this file is not read", "its name has to end with .yaml"))
        elif path == GATEWAY_FILE or (top == APPS and rest) or (top in FLAT and rest and "/" not in rest):
            found.append(path)
        else:
            where = f"it belongs into {top}/ itself" if rest else f"it belongs into {'/, '.join(_FOLDERS)}/"
            problems.append(_whole(f"{folder}/{path}", "this file is not read", where))
    if len(found) > MAX_FILES:
        problems.append(_whole(str(folder), f"more than {MAX_FILES} files"))
    return found[:MAX_FILES]


def _walk(folder: Path, below: str, depth: int, above: set[tuple[int, int]], problems: list[Problem]) -> Iterator[str]:
    """YAML files in order, links followed; hidden names and what is in other folders are passed over, unless a folder
    has nearly the name of one that is read."""
    here = folder / below
    try:
        identity = (here.stat().st_dev, here.stat().st_ino)
        with os.scandir(here) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        problems.append(_whole(str(here), f"the folder cannot be read: {reason(error)}"))
        return
    if identity in above or depth > MAX_FOLDER_DEPTH:
        problems.append(_whole(str(here), "the folder holds itself" if identity in above else "too deep a folder"))
        return
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name.startswith("."):
            continue
        is_yaml = entry.name.lower().endswith(_OTHER_SUFFIXES)
        if not _is_utf8(entry.name):
            problems.append(_whole(f"{folder}/{path}", "the name of this file is not UTF-8"))
        elif not _is_folder(entry):
            if is_yaml:
                yield path
        elif is_yaml:
            problems.append(_whole(f"{folder}/{path}", "this is a folder, and has the name of a file", "rename it"))
        elif below or entry.name in _FOLDERS:
            yield from _walk(folder, path, depth + 1, above | {identity}, problems)
        elif meant := did_you_mean(entry.name, _FOLDERS, cutoff=0.75):
            problems.append(_whole(f"{folder}/{path}", "this folder is not read", meant))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """A link that leads nowhere, or round in a circle, is a file that cannot be read."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _whole(file: str, message: str, suggestion: str = "") -> Problem:
    return Problem(Place(file, 0, 0), "", message, suggestion)
