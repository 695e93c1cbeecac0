"""From the policy folder to frozen bytes: the only module of this package that reads files or the environment."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from gateway.config.files import APPS, FLAT, GATEWAY_FILE, STATE, SUFFIX, Files
from gateway.config.known_hosts import FILE_NAME, Hosts, decode_hosts
from gateway.config.problems import Place, Problem, did_you_mean
from gateway.config.scalars import REFERENCE_KINDS, Reference
from gateway.config.yaml_reader import MAX_BYTES, read_document

MAX_SECRET_BYTES = 1 << 20
MAX_KNOWN_BYTES = 64 << 20
MAX_FILES = 20_000
MAX_FOLDER_DEPTH = 8

_MAY_REFER = re.compile(rb"\b(?:%s)\b" % "|".join(REFERENCE_KINDS).encode())
_FOLDERS = (APPS, *FLAT)
_OTHER_SUFFIXES = (".yml", ".yaml")


class _Unreadable(Exception):
    """Why, in the operator's words."""


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
            texts[path] = _read(folder / path, MAX_BYTES)
        except _Unreadable as why:
            problems.append(_whole(f"{shown}/{path}", str(why)))
    secrets: dict[str, bytes] = {}
    unreadable: dict[str, str] = {}
    for reference in _references(texts):
        try:
            secrets[reference.key] = _resolve(folder, reference)
        except _Unreadable as why:
            unreadable[reference.key] = str(why)
    return Files(shown, os.path.abspath(folder), texts, secrets, unreadable, tuple(problems))


def read_known_hosts(files: Files) -> Hosts:
    """What the state folder that gateway.yaml names has of the hosts that were served last; empty where it has none."""
    document, _ = read_document("", files.texts.get(GATEWAY_FILE, b""))
    state = document.data.get("state", STATE) if isinstance(document.data, dict) else STATE
    try:
        return decode_hosts(_read(Path(os.path.normpath(Path(files.root) / str(state))) / FILE_NAME, MAX_KNOWN_BYTES))
    except _Unreadable:
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
        problems.append(_whole(str(here), f"the folder cannot be read: {_reason(error)}"))
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


def _references(texts: dict[str, bytes]) -> list[Reference]:
    """Every reference that the files make, once. Most files make none, and are not parsed for it."""
    found: dict[str, Reference] = {}
    for path, content in texts.items():
        if _MAY_REFER.search(content):
            document, _ = read_document(path, content)
            found.update((reference.key, reference) for reference in _within(document.data))
    return list(found.values())


def _within(value: object) -> Iterator[Reference]:
    if isinstance(value, dict):
        for key, below in value.items():
            if len(value) == 1 and key in REFERENCE_KINDS and isinstance(below, str):
                yield Reference(key, below)
            else:
                yield from _within(below)
    elif isinstance(value, list):
        for below in value:
            yield from _within(below)


def _resolve(folder: Path, reference: Reference) -> bytes:
    """A relative file starts from the policy folder as it was named, whichever file names it: `..` is taken off the
    text, as it is for the state folder, so that a folder that is a link has its certs/ beside the link."""
    if reference.kind == "env":
        text = os.environ.get(reference.name)
        if text is None:
            raise _Unreadable("the environment has no such variable")
        return os.fsencode(text)
    if reference.kind == "file":
        return _read(Path(os.path.normpath(folder.absolute() / reference.name)), MAX_SECRET_BYTES)
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials is None:
        raise _Unreadable("no credentials here: systemd gives them by LoadCredential=")
    return _read(Path(credentials) / reference.name, MAX_SECRET_BYTES)


def _read(path: Path, limit: int) -> bytes:
    """Raises _Unreadable. Without waiting: a pipe or a device in the place of a file is refused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _Unreadable("this is not a file")
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise _Unreadable(f"this file cannot be read: {_reason(error)}") from None
    if len(content) > limit:
        raise _Unreadable(f"this file is larger than {limit >> 20} MB")
    return content


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _whole(file: str, message: str, suggestion: str = "") -> Problem:
    return Problem(Place(file, 0, 0), "", message, suggestion)
