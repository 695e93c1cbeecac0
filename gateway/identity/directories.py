"""What directories add to what a provider said: the key of a person, the rows that are theirs, and the two joined.

A directory adds only what its file lists, and only of a person whose key comes from a provider whose word its file
takes (invariant 5). Whatever its source says, a fault of it makes attributes unknown, and opens nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

from gateway.identity.mapping import LONGEST_VALUE, MOST_VALUES
from gateway.identity.perimeter import is_siren, is_siret
from gateway.model.codes import Code
from gateway.model.directory import (
    ISSUER,
    SUBJECT,
    TENANT,
    Directory,
    DirectoryFinding,
    DirectoryRow,
    FindingState,
    GivenAttribute,
    KeyPart,
)
from gateway.model.directory_codes import DIRECTORY_KEY, DIRECTORY_ROWS, DIRECTORY_VALUE
from gateway.model.identity import Identity
from gateway.model.mail import mail_domain

MOST_ROWS: Final = 1000
"""Of one person. A source that has more is not read further: it is mistaken about its key."""

# No value that is mapped holds a control character, so that two keys never meet.
_BETWEEN: Final = "\x1f"
_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSEE: Final = re.compile(r"(?:[0-9]{2}|2A|2B)[0-9]{3}")


class DirectoryFault(NamedTuple):
    """What is wrong with what a source said. `detail` names columns and attributes, never a value."""

    code: Code
    detail: str


# --- the key


def key_of(directory: Directory, identity: Identity, tenant: str | None) -> str | DirectoryFault:
    """What this person's rows are found by. A fault where the person has no value for a part, or several."""
    parts = []
    for part in directory.key:
        values = _values(part, identity, tenant)
        if len(values) != 1:
            return DirectoryFault(DIRECTORY_KEY, f"`{part.attribute}` has {len(values)} values, where one is needed")
        text = transformed(part, values[0])
        if text is None:
            return DirectoryFault(DIRECTORY_KEY, f"`{part.attribute}` is not what {', '.join(part.transforms)} takes")
        parts.append(text)
    return joined_key(parts)


def joined_key(parts: Iterable[str]) -> str:
    """In the order of the directory's key; each in NFC, as mapped values are."""
    return _BETWEEN.join(unicodedata.normalize("NFC", part) for part in parts)


def key_values(directory: Directory, key: str) -> dict[str, str]:
    """By column, the values that `joined_key` has joined. Raises ValueError for a key of another directory."""
    return dict(zip((part.column for part in directory.key), key.split(_BETWEEN), strict=True))


def is_same_key(found: Iterable[str], value: str) -> bool:
    """Whether a source that compares as it likes has found this value: letters of ASCII may differ in case only."""
    wanted = unicodedata.normalize("NFC", value).translate(_LOWER)
    return any(unicodedata.normalize("NFC", one).translate(_LOWER) == wanted for one in found)


def _values(part: KeyPart, identity: Identity, tenant: str | None) -> tuple[str, ...]:
    if part.attribute == SUBJECT:
        return (identity.subject,)
    if part.attribute == ISSUER:
        return (identity.issuer,)
    if part.attribute == TENANT:
        return () if tenant is None else (tenant,)
    return () if part.attribute in identity.left_out else identity.attributes.get(part.attribute, ())


def transformed(part: KeyPart, text: str) -> str | None:
    """None: not of the form that a transform takes. Letters outside of ASCII keep their case: `admİn` is not `admin`
    to every application."""
    found: str | None = text
    for how in part.transforms:
        if found is None:
            return None
        if how == "lower":
            found = found.translate(_LOWER)
        elif how == "upper":
            found = found.translate(_UPPER)
        elif how == "siren":
            found = found[:9] if is_siret(found) else found if is_siren(found) else None
        else:
            found = mail_domain(found)
    return found or None


# --- its rows


def finding_of(
    directory: Directory, rows: Sequence[DirectoryRow], at: int
) -> tuple[DirectoryFinding, tuple[DirectoryFault, ...]]:
    """`rows`: all that the source has under the person's key."""
    if not rows:
        return DirectoryFinding(directory.name, directory.fingerprint, "none", at=at), ()
    if len(rows) > (1 if directory.rows == "one" else MOST_ROWS):
        return unknown_of(directory, "found", at), (DirectoryFault(DIRECTORY_ROWS, f"{len(rows)} rows of one person"),)
    found = {given.name: _given_values(given, rows) for given in directory.gives}
    faults = tuple(one for one in found.values() if isinstance(one, DirectoryFault))
    values = {name: one for name, one in found.items() if one and not isinstance(one, DirectoryFault)}
    unknown = frozenset(name for name, one in found.items() if isinstance(one, DirectoryFault))
    return DirectoryFinding(directory.name, directory.fingerprint, "found", values, unknown, at), faults


def unknown_of(directory: Directory, state: FindingState, at: int) -> DirectoryFinding:
    """Nothing is known of what it gives."""
    every = frozenset(given.name for given in directory.gives)
    return DirectoryFinding(directory.name, directory.fingerprint, state, {}, every, at)


def _given_values(given: GivenAttribute, rows: Sequence[DirectoryRow]) -> tuple[str, ...] | DirectoryFault:
    found: dict[str, None] = {}
    for row in rows:
        for cell in row.get(given.column, ()):
            for text in cell.split(given.split) if given.split else (cell,):
                value = unicodedata.normalize("NFC", text.strip())
                if value and not is_value(given, value):
                    return DirectoryFault(DIRECTORY_VALUE, f"column {given.column}: a value that is no {given.type}")
                if value:
                    found[value] = None
    if len(found) > (MOST_VALUES if given.many else 1):
        return DirectoryFault(DIRECTORY_VALUE, f"column {given.column}: {len(found)} values of `{given.name}`")
    return tuple(found)


def is_value(given: GivenAttribute, text: str) -> bool:
    """`text`: not empty, in NFC."""
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_VALUE or not _is_seen(text):
        return False
    match given.type:
        case "text":
            return True
        case "number":
            return _NUMBER.fullmatch(text) is not None
        case "boolean":
            return text in ("true", "false")
        case "date":
            return is_date(text)
        case "siret":
            return is_siret(text)
        case "siren":
            return is_siren(text)
        case "insee":
            return _INSEE.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """As 2026-03-29."""
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_seen(text: str) -> bool:
    return text.isprintable() or not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text)


# --- the two joined


def known_with(identity: Identity, directories: Sequence[Directory]) -> Identity:
    """The person as an application knows them that listens to these directories, as their files are now.

    Of a directory that was not asked, was asked otherwise, or could not say, everything is unknown. So is what a
    provider says under the name of an attribute that a directory decides (`wins: directory`) which does not take its
    word: neither of the two has a say there.
    """
    if not directories:
        return identity
    attributes, left_out = dict(identity.attributes), set(identity.left_out)
    for directory in directories:
        takes = directory.takes(identity.provider)
        finding = finding_in(identity, directory) if takes else None
        for given in directory.gives:
            name = given.name
            if not takes and name not in identity.attributes:
                continue
            if (name in identity.attributes or name in identity.left_out) and given.wins != "directory":
                continue
            attributes.pop(name, None)
            left_out.discard(name)
            if finding is None or name in finding.unknown:
                left_out.add(name)
            elif name in finding.values:
                attributes[name] = finding.values[name]
    return replace(identity, attributes=attributes, left_out=frozenset(left_out))


def finding_in(identity: Identity, directory: Directory) -> DirectoryFinding | None:
    """What this directory, as its file is now, said of the person."""
    for finding in identity.findings:
        if finding.directory == directory.name and finding.fingerprint == directory.fingerprint:
            return finding
    return None


def missing_from(identity: Identity, directories: Iterable[Directory]) -> Directory | None:
    """A directory that could not say, and without whose word nobody is let in."""
    for directory in directories:
        if directory.away != "without" and directory.takes(identity.provider):
            finding = finding_in(identity, directory)
            if finding is None or finding.state == "away":
                return directory
    return None
