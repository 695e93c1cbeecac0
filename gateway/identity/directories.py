"""The attributes that directories add to a provider's attributes: the key of a person, the person's rows, and the join.

A directory adds only the attributes in its file, and only for a person whose key comes from a provider that the file
trusts (invariant 5). A fault in the source makes attributes unknown, and never opens access.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from gateway.identity.mandates import MOST_TERMS, NEVER, WrongTerm, changes_at, held, term_of
from gateway.identity.mapping import MOST_VALUES
from gateway.identity.perimeter import is_siren, is_siret
from gateway.identity.values import has_form, is_date, is_insee, normalized
from gateway.model.codes import directory_codes
from gateway.model.codes.code import Code
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
from gateway.model.identity import Identity
from gateway.model.mail import mail_domain
from gateway.model.mandate import MANDATE_ORGANISATIONS, MANDATES, MANDATES_IN_FULL, TermColumns, TermOfOffice

MOST_ROWS: Final = 1000
"""The most rows of a person. A source with more rows has a wrong key, and is not read further."""

# The least seconds until a session asks an unreachable directory again.
_AWAY_FOR: Final = 10.0
# Mapped values contain no control character, so two keys never become equal.
_BETWEEN: Final = "\x1f"
_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_NOT_LISTED: Final = "an organisation that `acts_for` does not list"


class DirectoryFault(NamedTuple):
    """A fault in the data of a source. `detail` names columns and attributes, never a value."""

    code: Code
    detail: str


# --- the key


def key_of(directory: Directory, identity: Identity, tenant: str | None) -> str | DirectoryFault:
    """The key of the person's rows. A fault if the person has no value for a part, or several values."""
    parts = []
    for part in directory.key:
        values = _values(part, identity, tenant)
        if len(values) != 1:
            return DirectoryFault(
                directory_codes.KEY, f"`{part.attribute}` has {len(values)} values, where one is needed"
            )
        text = transformed(part, values[0])
        if text is None:
            return DirectoryFault(
                directory_codes.KEY, f"`{part.attribute}` is not what {', '.join(part.transforms)} takes"
            )
        parts.append(text)
    return joined_key(parts)


def joined_key(parts: Iterable[str]) -> str:
    """In the order of the directory's key; each in NFC, as mapped values are."""
    return _BETWEEN.join(unicodedata.normalize("NFC", part) for part in parts)


def key_values(directory: Directory, key: str) -> dict[str, str]:
    """The values of a joined key, by column. Raises ValueError for a key of another directory."""
    return dict(zip((part.column for part in directory.key), key.split(_BETWEEN), strict=True))


def is_same_key(found: Iterable[str], value: str) -> bool:
    """Whether a source with its own comparison found `value`. Only the case of ASCII letters may differ."""
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
    """The transformed text; None for a text in a wrong form. Non-ASCII letters keep their case: applications differ on
    whether `admİn` is `admin`.
    """
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
    """`rows`: the rows of the source under the person's key."""
    if not rows:
        return DirectoryFinding(directory.name, directory.fingerprint, "none", at=at), ()
    if len(rows) > (1 if directory.rows == "one" else MOST_ROWS):
        return unknown_of(directory, "found", at), (
            DirectoryFault(directory_codes.ROWS, f"{len(rows)} rows of one person"),
        )
    terms: tuple[TermOfOffice, ...] = ()
    values: dict[str, tuple[str, ...]] = {}
    faults: dict[str, DirectoryFault] = {}
    for given in directory.gives:
        try:
            if given.terms is not None:
                terms = _terms(given, given.terms, rows)
            elif found := _given_values(given, rows):
                values[given.name] = found
        except _Unfit as error:
            faults[given.name] = DirectoryFault(directory_codes.VALUE, str(error))
    unknown, told = frozenset(faults), tuple(faults.values())
    return DirectoryFinding(directory.name, directory.fingerprint, "found", values, unknown, at, terms), told


def unknown_of(directory: Directory, state: FindingState, at: int) -> DirectoryFinding:
    """The directory's attributes are unknown."""
    every = frozenset(given.name for given in directory.gives)
    return DirectoryFinding(directory.name, directory.fingerprint, state, {}, every, at)


class _Unfit(Exception):
    """A fault in the values of an attribute."""


def _given_values(given: GivenAttribute, rows: Sequence[DirectoryRow]) -> tuple[str, ...]:
    """Raises _Unfit."""
    found: dict[str, None] = {}
    for row in rows:
        for cell in row.get(given.column, ()):
            for text in cell.split(given.split) if given.split else (cell,):
                value = as_given(given, text)
                if value and not is_value(given, value):
                    raise _Unfit(f"column {given.column}: a value that is no {given.type}")
                if value and given.acts_for is not None and not given.acts_for.holds(value):
                    raise _Unfit(f"column {given.column}: {_NOT_LISTED}")
                if value:
                    found[value] = None
    if len(found) > (MOST_VALUES if given.many else 1):
        raise _Unfit(f"column {given.column}: {len(found)} values of `{given.written}`")
    return tuple(found)


def _terms(given: GivenAttribute, told: TermColumns, rows: Sequence[DirectoryRow]) -> tuple[TermOfOffice, ...]:
    """Reads every row or fails: a faulty row could be the row that has ended. Raises _Unfit."""
    try:
        found = dict.fromkeys(term for row in rows if (term := term_of(told, row)) is not None)
    except WrongTerm as error:
        raise _Unfit(str(error)) from None
    if given.acts_for is not None and not all(given.acts_for.holds(term.organisation) for term in found):
        raise _Unfit(f"column {told.organisation}: {_NOT_LISTED}")
    if len(found) > MOST_TERMS:
        raise _Unfit(f"column {told.office}: {len(found)} mandates of one person")
    return tuple(found)


def as_given(given: GivenAttribute, text: str) -> str:
    """The form in which values are kept. A secret stays unchanged: the application would count a changed password as
    wrong and may lock the account.
    """
    return text if given.is_secret else normalized(text)


def is_value(given: GivenAttribute, text: str) -> bool:
    """`text`: not empty, as by `as_given`."""
    if not has_form(text):
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
            return is_insee(text)
        case "mandates":
            # A mandate has several columns.
            return False


# --- the two joined


def known_with(identity: Identity, directories: Sequence[Directory], now: float) -> Identity:
    """The person for an application that listens to these directories, by the directories' present files.

    Unknown are the attributes of a directory that was not asked, was asked under another file, or could not answer.
    Unknown too is a provider's value for an attribute that a directory decides (`wins: directory`), where the directory
    does not trust the provider. Of mandates, those held at `now` (Unix seconds) are known. The result holds until
    `known_until`.
    """
    if not directories:
        return identity
    attributes, left_out, terms = dict(identity.attributes), set(identity.left_out), identity.terms
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
                left_out.update(attributes_of(given))
            elif given.terms is not None:
                terms = held(finding.terms, now)
                attributes |= _as_attributes(terms)
            elif name in finding.values:
                attributes[name] = finding.values[name]
    return replace(identity, attributes=attributes, left_out=frozenset(left_out), terms=terms)


def known_until(identity: Identity, directories: Iterable[Directory], now: float) -> float:
    """Until when `known_with` says the same as `now`, in Unix seconds; NEVER where no day changes it."""
    findings = (finding_in(identity, directory) for directory in directories)
    return min((changes_at(finding.terms, now) for finding in findings if finding is not None), default=NEVER)


def attributes_of(given: GivenAttribute) -> tuple[str, ...]:
    """The attributes that the directory may give a person."""
    return (given.name,) if given.terms is None else (MANDATES, MANDATE_ORGANISATIONS, MANDATES_IN_FULL)


def _as_attributes(terms: Sequence[TermOfOffice]) -> dict[str, tuple[str, ...]]:
    if not terms:
        return {}
    return {
        MANDATES: _once(term.office for term in terms),
        MANDATE_ORGANISATIONS: _once(term.organisation for term in terms),
        MANDATES_IN_FULL: _once(f"{term.office}:{term.organisation}" for term in terms),
    }


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def finding_in(identity: Identity, directory: Directory) -> DirectoryFinding | None:
    """The directory's finding about the person, under the present file."""
    for finding in identity.findings:
        if finding.directory == directory.name and finding.fingerprint == directory.fingerprint:
            return finding
    return None


def due_at(identity: Identity, directories: Iterable[Directory], share: float, since: int = 0) -> float:
    """The time of the person's next look-up, in Unix seconds. 0: a directory was not asked under its present file, or
    not since
    `since`. NEVER: no directory.

    `share`: of this session, from 0 to 1, to spread the look-ups of sessions over time.
    """
    found = NEVER
    for directory in directories:
        if directory.takes(identity.provider):
            finding = finding_in(identity, directory)
            if finding is None or finding.at <= since:
                return 0.0
            wait = _AWAY_FOR * (1 + share) if finding.state == "away" else directory.lifetime * (0.7 + 0.2 * share)
            found = min(found, finding.at + wait, _organisations_until(directory, finding))
    return found


def counts_until(identity: Identity, directories: Iterable[Directory]) -> float:
    """The time until which the findings of the session's directories count: Unix seconds; NEVER without findings."""
    found = NEVER
    for directory in directories:
        said = finding_in(identity, directory)
        if said is not None and said.state != "away":
            found = min(found, said.at + _counts_for(directory), _organisations_until(directory, said))
    return found


def _organisations_until(directory: Directory, said: DirectoryFinding) -> float:
    """Where mandates name the organisations of people, the identity ends with the current mandate."""
    return changes_at(said.terms, said.at) if directory.names_organisations else NEVER


def without_the_old(identity: Identity, directories: Iterable[Directory], now: float) -> Identity:
    """The person without findings that have expired (`now`: Unix seconds)."""
    old = [one for one in directories if counts_until(identity, [one]) <= now]
    findings = {finding.directory: finding for finding in identity.findings}
    findings |= {one.name: unknown_of(one, "away", int(now)) for one in old}
    return replace(identity, findings=_still_found(identity, findings.values()))


def _counts_for(directory: Directory) -> int:
    return max(directory.lifetime, directory.last if directory.away == "last" else 0)


def looked_up_again(before: Identity, after: Identity, directories: Iterable[Directory], now: float) -> Identity:
    """The findings to keep from `after`. For a directory that could not answer this time, the finding of `before`
    counts until its lifetime ends, or for as long as the file allows (`last`). `now`: Unix seconds.
    """
    findings = {finding.directory: finding for finding in after.findings}
    for directory in directories:
        said, found = finding_in(before, directory), findings.get(directory.name)
        if said is not None and said.state != "away" and found is not None and found.state == "away":
            findings[directory.name] = said if now < said.at + _counts_for(directory) else found
    return replace(after, findings=_still_found(before, findings.values()))


def _still_found(before: Identity, findings: Iterable[DirectoryFinding]) -> tuple[DirectoryFinding, ...]:
    """An outage does not overwrite the fact that the directory once had the person, even under an older file."""
    had = {finding.directory for finding in before.findings if finding.had_person}
    return tuple(
        replace(finding, was_found=True) if finding.state == "away" and finding.directory in had else finding
        for finding in findings
    )


def left_from(before: Identity, after: Identity, directories: Iterable[Directory]) -> Directory | None:
    """A directory that had the person at its last answer, no longer has the person, and by its file ends the session.
    The last answer may be older than a change of the file.
    """
    had = {finding.directory for finding in before.findings if finding.had_person}
    for directory in directories:
        found = finding_in(after, directory)
        if directory.gone == "end" and directory.name in had and found is not None and found.state == "none":
            return directory
    return None


def missing_from(identity: Identity, directories: Iterable[Directory]) -> Directory | None:
    """A directory that could not answer, and whose file admits no person without an answer."""
    for directory in directories:
        if directory.away != "without" and directory.takes(identity.provider):
            finding = finding_in(identity, directory)
            if finding is None or finding.state == "away":
                return directory
    return None
