"""What the files refer to, read once each, and nothing that the file that names it may not have.

The gateway's file and the providers' name what their operator likes. No application's file names the state folder, or
what is a secret to one of those, whatever way leads there. A team's names files below the folders of its fence alone,
and no link is followed there: who can write into such a folder must not have another file read for it.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from gateway.config.folder.files import GATEWAY_FILE, STATE, for_app, is_app, team_of
from gateway.config.folder.opening import ANY, FOLDER, Unreadable, content_of, opened
from gateway.config.schema.scalars import REFERENCE_KINDS, Reference
from gateway.config.yaml.reader import read_document

MAX_SECRET_BYTES: Final = 1 << 20

# What stands under these keys is no secret: it is shown to whoever connects.
_PUBLIC: Final = frozenset({"certificate", "ca", "metadata", "keys"})
# The environment of this process is in there, and its memory.
_OF_THE_SYSTEM: Final = ("/proc", "/sys", "/dev")

_A_SECRET: Final = "this is a secret of the gateway or of a provider: no application's file names it"
_NOT_FOR_APPS: Final = "this is in the state folder, or of the system: no application's file names it"


class _Named(NamedTuple):
    """A reference, the file that makes it, and the key that it stands under."""

    file: str
    key: str
    reference: Reference


class _Found(NamedTuple):
    """`file`: device and inode, and its path without links; None where it is no file."""

    content: bytes
    file: tuple[int, int, str] | None


@dataclass(slots=True)
class _Operators:
    """What no application's file names: references, and the files behind them."""

    state: str
    references: set[str] = field(default_factory=set)
    files: set[tuple[int, int]] = field(default_factory=set)


class Read(NamedTuple):
    """By reference: the bytes, or why there are none. Those of applications under `files.for_app`."""

    secrets: dict[str, bytes]
    unreadable: dict[str, str]


def read_references(folder: Path, texts: Mapping[str, bytes]) -> Read:
    read = Read({}, {})
    named = list(_references(texts))
    gateway = _gateway(texts)
    operators = _Operators(os.path.realpath(_below(folder, str(gateway.get("state", STATE)))))
    secret = {one.reference.key for one in named if not is_app(one.file) and one.key not in _PUBLIC}
    for reference in {one.reference.key: one.reference for one in named if not is_app(one.file)}.values():
        _for_operator(folder, reference, reference.key in secret, operators, read)
    teams = gateway.get("teams", {} if gateway else None)
    for one in named:
        team = team_of(one.file) if teams != {} else ""
        key = for_app(team, one.reference.key)
        if is_app(one.file) and key not in read.secrets and key not in read.unreadable:
            try:
                read.secrets[key] = _for_app(folder, one.reference, team, _folders(teams, team), operators)
            except Unreadable as why:
                read.unreadable[key] = str(why)
    return read


def _references(texts: Mapping[str, bytes]) -> Iterator[_Named]:
    """Most files make none, and are not parsed for it."""
    for path, content in texts.items():
        if any(kind.encode() in content for kind in REFERENCE_KINDS):
            document, _ = read_document(path, content)
            yield from (_Named(path, key, reference) for key, reference in _within(document.data, ""))


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
    """Empty where it cannot be read: then nothing is known of any fence, and nothing is within one."""
    document, _ = read_document(GATEWAY_FILE, texts.get(GATEWAY_FILE, b""))
    return document.data if isinstance(document.data, dict) else {}


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
    """Component by component, each below the one that is open already: no link is followed, and none can be put in
    between. The fence's own folder is where the operator says, links included."""
    if reference.kind != "file":
        raise Unreadable(f"team {team} names files alone, below teams.{team}.secrets of gateway.yaml")
    path = _below(folder, reference.name)
    above = next((above for one in folders if _is_below(path, above := _below(folder, one)) and path != above), None)
    if above is None:
        raise Unreadable(f"team {team} may not read this: gateway.yaml lists its folders at teams.{team}.secrets")
    *steps, name = os.path.relpath(path, above).split(os.sep)
    at = opened(above, FOLDER)
    for step in steps:
        at = opened(step, FOLDER | os.O_NOFOLLOW, at)
    return _found(opened(name, ANY | os.O_NOFOLLOW, at))


def _below(folder: Path, name: str) -> str:
    """A relative one starts from the policy folder as it was named, whichever file names it: `..` is taken off the
    text, as it is for the state folder, so that a folder that is a link has its certs/ beside the link."""
    return os.path.normpath(folder.absolute() / name)


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(above.rstrip("/") + "/")


def _found(descriptor: int) -> _Found:
    """Raises Unreadable."""
    status = os.fstat(descriptor)
    # Where it is in the end, whatever links have led there, and were put elsewhere since.
    place = os.readlink(f"/proc/self/fd/{descriptor}")
    return _Found(content_of(descriptor, MAX_SECRET_BYTES), (status.st_dev, status.st_ino, place))
