"""The organisations of a CSV file, row by row. A fault in the form or in one row rejects the whole file."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Final, cast, get_args

from gateway.identity.organisation_words import folded_name
from gateway.identity.perimeter import is_siren, is_siret
from gateway.model.codes import organisation_codes
from gateway.model.errors import GatewayError
from gateway.model.mail import mail_domain
from gateway.model.organisations import MOST_ORGANISATIONS, ListedOrganisation, OrganisationKind

COLUMNS: Final = (
    "name", "kind", "place", "siren", "siret", "insee", "departement", "aliases", "postcodes", "domains",
)  # fmt: skip
_KINDS: Final = get_args(OrganisationKind)
_LONGEST_CELL: Final = 2000
_LONGEST_NAME: Final = 200
_CODE: Final = re.compile(r"[0-9A-Z]{1,6}")
_POSTCODE: Final = re.compile(r"[0-9]{4,6}")


def organisations_in(lines: Iterable[str], delimiter: str) -> Iterator[ListedOrganisation]:
    """`lines`: decoded, with their line ends. Raises GatewayError(organisation_codes.FILE), also between two rows."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        names = next(reader, [])
        _check_header(names, delimiter)
        width = len(names)
        for count, row in enumerate((row for row in reader if row), start=1):
            if count > MOST_ORGANISATIONS:
                raise _Wrong(f"more than {MOST_ORGANISATIONS} organisations")
            if len(row) != width:
                raise _Wrong(f"{len(row)} cells, where the first line has {width}")
            if (longest := max(map(len, row))) > _LONGEST_CELL:
                # The limit of the csv module is one for the whole process.
                raise _Wrong(f"a cell has {longest} characters, and {_LONGEST_CELL} are the most")
            yield _organisation(dict(zip(names, map(str.strip, row), strict=True)))
    except (csv.Error, _Wrong) as error:
        raise GatewayError(organisation_codes.FILE, f"line {reader.line_num}: {error}") from None
    except UnicodeDecodeError:
        raise GatewayError(
            organisation_codes.FILE, "it is not of the encoding that is said (encoding: cp1252?)"
        ) from None


class _Wrong(Exception):
    """The fault, in the operator's words."""


def _check_header(names: list[str], delimiter: str) -> None:
    if "name" not in names:
        other = "; is its delimiter another one?" if len(names) == 1 else ""
        # Nothing of the line itself is told: the path may lead to a file of secrets by now.
        raise _Wrong(f"no column is called name{other} (known: {', '.join(COLUMNS)}; delimiter: {delimiter!r})")
    for name in names:
        if name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, 1)
            raise _Wrong(f"no column is called {name[:40]!r} here" + (f": is it {near[0]}?" if near else ""))
    if len(set(names)) != len(names):
        raise _Wrong("a column is there twice")


def _organisation(cells: dict[str, str]) -> ListedOrganisation:
    name, kind = cells["name"], cells.get("kind", "") or "other"
    if not folded_name(name) or len(name) > _LONGEST_NAME:
        raise _Wrong(f"a name has letters, {_LONGEST_NAME} characters at most")
    if any(not cell.isprintable() for cell in cells.values()):
        raise _Wrong("a control character")
    if kind not in _KINDS:
        raise _Wrong(f"kind is one of {', '.join(_KINDS)}")
    siren, siret = cells.get("siren", ""), cells.get("siret", "")
    if siren and not is_siren(siren):
        raise _Wrong("siren is no SIREN: 9 digits, the last of which checks the others")
    if siret and not is_siret(siret):
        raise _Wrong("siret is no SIRET: 14 digits, the last of which checks the others")
    if siren and siret and siret[:9] != siren:
        raise _Wrong("siret is of another organisation than siren")
    insee, departement = cells.get("insee", ""), cells.get("departement", "")
    for column, code in (("insee", insee), ("departement", departement)):
        if code and not _CODE.fullmatch(code):
            raise _Wrong(f"{column} is a code, such as 59 or 2A004")
    return ListedOrganisation(
        name=name,
        kind=cast(OrganisationKind, kind),
        place=cells.get("place", ""),
        siren=siren or siret[:9],
        siret=siret,
        insee=insee,
        departement=departement,
        aliases=cells.get("aliases", ""),
        postcodes=tuple(_each("postcodes", cells, lambda one: bool(_POSTCODE.fullmatch(one)))),
        domains=tuple(_each("domains", cells, lambda one: mail_domain(f"a@{one}") == one)),
    )


def _each(column: str, cells: dict[str, str], is_one: Callable[[str], bool]) -> Iterator[str]:
    """The values of a cell, with blanks between them."""
    for value in cells.get(column, "").split():
        if not is_one(value):
            raise _Wrong(f"{column} has a value that is none: they are separated by a blank")
        yield value
