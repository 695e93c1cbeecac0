"""Reads the policy folder to frozen bytes: the files of the folder, then their references (secrets, certificates,
metadata), each once."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

from gateway.config.folder.design import read_design
from gateway.config.folder.files import (
    APPS,
    FLAT,
    GATEWAY_FILE,
    HOSTS_FILE,
    STATE,
    SUFFIX,
    Files,
    Hosts,
    decode_hosts,
    for_app,
    is_app,
    team_of,
)
from gateway.config.folder.opened import ANY, DIRECTORY, Unreadable, content_of, opened, reason
from gateway.config.keyring import NoKeyring, in_force, keyring_text, read_keyring
from gateway.config.problems import Place, Problem, did_you_mean
from gateway.config.schema.scalars import REFERENCE_KINDS, Reference
from gateway.config.yaml.reader import MAX_BYTES, read_document

MAX_KNOWN_BYTES: Final = 64 << 20
MAX_SECRET_BYTES: Final = 1 << 20
MAX_FILES: Final = 20_000
MAX_FOLDER_DEPTH: Final = 8

_FOLDERS: Final = (APPS, *FLAT)
_OTHER_SUFFIXES: Final = (".yml", ".yaml")

# Keys without secrets: the clients or servers of the gateway see the values.
_PUBLIC: Final = frozenset({"certificate", "ca", "metadata", "keys", "pins"})
_KEYRINGS: Final = frozenset({"keyring", "client_keyring"})
# Folders that show the environment and the memory of processes.
_OF_THE_SYSTEM: Final = ("/proc", "/sys", "/dev")

_A_SECRET: Final = "this is a secret of the gateway or of a provider: no application's file names it"
_NOT_FOR_APPS: Final = "this is in the state folder, or of the system: no application's file names it"


def read_folder(folder: Path) -> Files:
    """Reads gateway.yaml, apps/**, the files of the flat folders and their references, each once.

    Unreadable files are problems of the result, never exceptions. A link may lead out of the folder, as in a Kubernetes
    mount."""
    shown = str(folder)
    problems: list[Problem] = []
    texts: dict[str, bytes] = {}
    for path in _paths(folder, problems):
        try:
            texts[path] = content_of(opened(str(folder / path)), MAX_BYTES)
        except Unreadable as why:
            problems.append(_whole(f"{shown}/{path}", str(why)))
    return _files(folder, texts, tuple(problems))


def with_file(folder: Path, files: Files, path: str, content: bytes) -> Files:
    """The files with one more file, which need not be in the folder yet. Reads the references again."""
    return _files(folder, {**files.texts, path: content}, files.problems)


def _files(folder: Path, texts: Mapping[str, bytes], problems: tuple[Problem, ...]) -> Files:
    secrets, unreadable, rings = read_references(folder, texts)
    if (design := _design_folder(folder, texts)) is not None:
        own, lacking = read_design(design)
        secrets, unreadable = {**secrets, **own}, {**unreadable, **lacking}
    now = time.time()
    for key in [ring.key for ring in rings if ring.key in secrets]:
        secrets[key] = text_in_force(secrets[key], now)
    return Files(str(folder), os.path.abspath(folder), texts, secrets, unreadable, problems, keyrings=rings)


def read_keyrings(folder: Path, keyrings: Iterable[Reference]) -> dict[str, bytes]:
    """The present contents of the keyrings, by reference. Unreadable keyrings are left out."""
    found = dict[str, bytes]()
    for ring in keyrings:
        with suppress(Unreadable):
            found[ring.key] = _resolve(folder, ring).content
    return found


def text_in_force(content: bytes, now: float) -> bytes:
    """The keyring with only the keys in force. Other content stays unchanged: a check reports the problem."""
    try:
        return keyring_text(in_force(read_keyring(content), now))
    except NoKeyring:
        return content


def read_for_good(folder: Path, files: Files, good: Mapping[str, bytes]) -> Files:
    """Adds the references of app files in their last served form: a wrong app file may have to stay in this form."""
    changed = {path: content for path, content in good.items() if files.texts.get(path) != content}
    if not changed:
        return files
    more = read_references(folder, {**files.texts, **changed})
    secrets = {**more.secrets, **files.secrets}
    unreadable = {key: why for key, why in {**more.unreadable, **files.unreadable}.items() if key not in secrets}
    return replace(files, secrets=secrets, unreadable=unreadable)


def read_known_hosts(files: Files) -> Hosts:
    """The hosts that were served last, from the state folder of gateway.yaml; empty without a readable hosts file."""
    document, _ = read_document("", files.texts.get(GATEWAY_FILE, b""))
    state = document.data.get("state", STATE) if isinstance(document.data, dict) else STATE
    place = Path(os.path.normpath(Path(files.root) / str(state))) / HOSTS_FILE
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
    """YAML files in order, links followed. Skips hidden names and unknown folders. Reports a folder whose name is
    nearly the name of a known folder."""
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
    """A link that leads nowhere, or back to itself, counts as a file that cannot be read."""
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


# --- references of the files ------------------------------------------------------------------------------------------


class _Named(NamedTuple):
    """A reference in a file.

    `of_app`: the file is an app file.
    `key`: the key that holds the reference."""

    file: str
    of_app: bool
    key: str
    reference: Reference


class _Found(NamedTuple):
    """The content of a reference.

    `file`: the device, the inode, and the path without links; None for content that is not from a file."""

    content: bytes
    file: tuple[int, int, str] | None


@dataclass(slots=True)
class _Operators:
    """References of the operator's files, and the files that they lead to: no application's file may name them."""

    state: str
    references: set[str] = field(default_factory=set)
    files: set[tuple[int, int]] = field(default_factory=set)


class Read(NamedTuple):
    """The contents of references. `files.for_app` names references of app files.

    `secrets`: the bytes, by reference.
    `unreadable`: the reason why a reference has no content, by reference.
    `keyrings`: the references to keyrings."""

    secrets: dict[str, bytes]
    unreadable: dict[str, str]
    keyrings: tuple[Reference, ...]


def read_references(folder: Path, texts: Mapping[str, bytes]) -> Read:
    """Reads each reference once, if the file with the reference may have the content.

    The files of the gateway and of providers may name any file. An app file may name neither the state folder nor a
    secret of the operator's files, by no path. A team's file may name only files below the folders of its fence. Below
    those folders the reader follows no link: a person who can write there could otherwise have any file read."""
    named = list(_references(texts))
    gateway = _gateway(texts)
    operators = _Operators(os.path.realpath(_below(folder, str(gateway.get("state", STATE)))))
    ours = [one for one in named if not one.of_app]
    rings = {one.reference.key: one.reference for one in ours if one.key in _KEYRINGS}
    read = Read({}, {}, tuple(rings.values()))
    secret = {one.reference.key for one in ours if one.key not in _PUBLIC}
    for reference in {one.reference.key: one.reference for one in ours}.values():
        _for_operator(folder, reference, reference.key in secret, operators, read)
    teams = gateway.get("teams", {} if gateway else None)
    for one in [one for one in named if one.of_app]:
        team = team_of(one.file) if teams != {} else ""
        key = for_app(team, one.reference.key)
        if key not in read.secrets and key not in read.unreadable:
            try:
                read.secrets[key] = _for_app(folder, one.reference, team, _folders(teams, team), operators)
            except Unreadable as why:
                read.unreadable[key] = str(why)
    return read


def _references(texts: Mapping[str, bytes]) -> Iterator[_Named]:
    """Yields every reference of the files. Most files have no reference, and are not parsed."""
    for path, content in texts.items():
        if any(kind.encode() in content for kind in REFERENCE_KINDS):
            document, _ = read_document(path, content)
            of_app = is_app(path)
            yield from (_Named(path, of_app, key, reference) for key, reference in _within(document.data, ""))


def _within(value: object, under: str) -> Iterator[tuple[str, Reference]]:
    if isinstance(value, dict):
        for key, below in value.items():
            if len(value) == 1 and key in REFERENCE_KINDS and isinstance(below, str):
                yield under, Reference(key, below)
            else:
                yield from _within(below, str(key))
    elif isinstance(value, list):
        for below in value:
            yield from _within(below, under)


def _gateway(texts: Mapping[str, bytes]) -> Mapping[str, object]:
    """The content of gateway.yaml; empty if the file cannot be read. Then no fence is known, and no file is within a
    fence."""
    document, _ = read_document(GATEWAY_FILE, texts.get(GATEWAY_FILE, b""))
    return document.data if isinstance(document.data, dict) else {}


def _design_folder(folder: Path, texts: Mapping[str, bytes]) -> Path | None:
    if b"dsfr" not in texts.get(GATEWAY_FILE, b""):
        return None
    theme = _gateway(texts).get("theme")
    design = theme.get("dsfr") if isinstance(theme, dict) else None
    named = design.get("folder") if isinstance(design, dict) else None
    return Path(_below(folder, named)) if isinstance(named, str) and named else None


def _folders(teams: object, team: str) -> list[str]:
    fence = teams.get(team) if isinstance(teams, dict) else None
    folders = fence.get("secrets") if isinstance(fence, dict) else None
    return [folder for folder in folders if isinstance(folder, str)] if isinstance(folders, list) else []


def _for_operator(folder: Path, reference: Reference, secret: bool, operators: _Operators, read: Read) -> None:
    if secret:
        operators.references.add(reference.key)
    try:
        found = _resolve(folder, reference)
    except Unreadable as why:
        read.unreadable[reference.key] = str(why)
        return
    read.secrets[reference.key] = found.content
    if secret and found.file is not None:
        operators.files.add(found.file[:2])


def _for_app(folder: Path, reference: Reference, team: str, folders: list[str], operators: _Operators) -> bytes:
    """Raises Unreadable."""
    if not team and reference.key in operators.references:
        raise Unreadable(_A_SECRET)
    found = _fenced(folder, reference, team, folders) if team else _resolve(folder, reference)
    if found.file is not None:
        device, inode, place = found.file
        if (device, inode) in operators.files:
            raise Unreadable(_A_SECRET)
        if any(_is_below(place, above) for above in (operators.state, *_OF_THE_SYSTEM)):
            raise Unreadable(_NOT_FOR_APPS)
    return found.content


def _resolve(folder: Path, reference: Reference) -> _Found:
    if reference.kind == "env":
        text = os.environ.get(reference.name)
        if text is None:
            raise Unreadable("the environment has no such variable")
        return _Found(os.fsencode(text), None)
    if reference.kind == "file":
        return _found(opened(_below(folder, reference.name)))
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials is None:
        raise Unreadable("no credentials here: systemd gives them by LoadCredential=")
    return _found(opened(os.path.join(credentials, reference.name)))


def _fenced(folder: Path, reference: Reference, team: str, folders: list[str]) -> _Found:
    """Opens the path component by component, each below the open folder before: no link is followed, and no link can be
    put in between. Links on the way to the fence's own folder are followed: the operator names this folder."""
    if reference.kind != "file":
        raise Unreadable(f"team {team} names files alone, below teams.{team}.secrets of gateway.yaml")
    path = _below(folder, reference.name)
    above = next((above for one in folders if _is_below(path, above := _below(folder, one)) and path != above), None)
    if above is None:
        raise Unreadable(f"team {team} may not read this: gateway.yaml lists its folders at teams.{team}.secrets")
    *steps, name = os.path.relpath(path, above).split(os.sep)
    at = opened(above, DIRECTORY)
    for step in steps:
        at = opened(step, DIRECTORY | os.O_NOFOLLOW, at)
    return _found(opened(name, ANY | os.O_NOFOLLOW, at))


def _below(folder: Path, name: str) -> str:
    """The absolute path of a name in a file. A relative path starts at the policy folder as it was named, in every
    file. `..` is removed from the text, as for the state folder, so that a folder that is a link has its certs/ beside
    the link."""
    return os.path.normpath(folder.absolute() / name)


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(above.rstrip("/") + "/")


def _found(descriptor: int) -> _Found:
    """Raises Unreadable."""
    status = os.fstat(descriptor)
    # The file's own path, even if a link led to the file and was changed since.
    place = os.readlink(f"/proc/self/fd/{descriptor}")
    return _Found(content_of(descriptor, MAX_SECRET_BYTES), (status.st_dev, status.st_ino, place))
