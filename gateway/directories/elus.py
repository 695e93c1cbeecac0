"""Joins the published Répertoire national des élus with a table of known people. Pure: texts in, rows and a report out.

The Répertoire identifies people by name and day of birth, and gives no end of a mandate. So a sign-in never queries the
Répertoire: a person reviews the joined table, which ends as a whole on a given day.

The dataset is https://www.data.gouv.fr/datasets/repertoire-national-des-elus-1, published by the ministère de
l'Intérieur. The module reads elus-maires-mai.csv, elus-conseillers-municipaux-cm.csv,
elus-conseillers-darrondissements-ca.csv and elus-conseillers-communautaires-epci.csv. The remaining files name no
organisation by a SIREN or an INSEE code.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Final, NamedTuple

from gateway.identity.organisation_words import fold
from gateway.identity.perimeter import is_siren
from gateway.identity.values import is_insee
from gateway.model.codes import directory_codes
from gateway.model.errors import GatewayError

REPORT: Final = ("uid", "nom", "prenom", "why")
PEOPLE: Final = ("uid", "nom", "prenom", "naissance", "commune")

# The folded column names of the files of 2022 and later: apostrophes and accents differ between the files.
_NAME, _GIVEN, _BORN = "nom de l elu", "prenom de l elu", "date de naissance"
_COMMUNE, _OFFICE, _SECTOR = "code de la commune", "libelle de la fonction", "libelle du secteur"
_MANDATE_SINCE, _OFFICE_SINCE = "date de debut du mandat", "date de debut de la fonction"
# In the file of intercommunal councils: the council, and the commune that sent the person there.
_SIREN, _SENT_BY = "n siren", "code de la commune de rattachement"
_NEEDED: Final = (_NAME, _GIVEN, _BORN, _MANDATE_SINCE)
# "1er adjoint au Maire", "2ème vice-président du conseil communautaire"
_ORDINAL: Final = re.compile(r"(?<![0-9])[0-9]++(?:er|ere|e|eme|nd|nde)? ", re.ASCII)


_OF_A_SECTOR: Final = "conseiller d arrondissement"


class _Who(NamedTuple):
    name: str
    given: str
    born: date


@dataclass(frozen=True, slots=True)
class _Office:
    """One office of a person.

    `of`: a commune by INSEE code, or an intercommunal council by SIREN.
    `commune`: the person's commune, by INSEE code; for an intercommunal council, the commune that sent the person.
    """

    office: str
    of: str
    commune: str
    since: date


@dataclass(frozen=True, slots=True)
class ElusJoined:
    """The joined table.

    `table`: the columns of `rows`.
    `report`: rows of REPORT, for people without offices or with offices in several communes.
    `wrong`: number of incomplete lines of the Répertoire.
    """

    table: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    report: tuple[tuple[str, ...], ...]
    wrong: int


def joined(elus: str, people: str, until: date) -> ElusJoined:
    """Joins the offices with the people. Raises GatewayError(directory_codes.FILE).

    `elus`: a published file.
    `people`: a table with the columns PEOPLE. The column `commune` names the commune expected for a person; empty:
    unknown.
    `until`: the day on which the rows end.
    """
    offices, wrong, of = _offices(elus)
    rows: list[tuple[str, ...]] = []
    report: list[tuple[str, ...]] = []
    persons = list(_people(people))
    claimed = Counter(who for _, who, _ in persons if who is not None)
    for told, who, commune in persons:
        why, found = "", list[_Office]()
        if who is None:
            why = "a name or the day of birth is missing or invalid"
        elif claimed[who] > 1:
            why = "two accounts have this name and day of birth"
        else:
            every = offices.get(who, [])
            found = [one for one in every if commune in ("", one.commune)]
            if not every:
                why = "the Répertoire lists nobody with this name and day of birth"
            elif not found:
                why = "the Répertoire lists this name and day of birth in another commune"
            elif len({(one.of, one.commune) for one in found}) > 1:
                # Among half a million people, two with the same name and day of birth are not rare.
                why, found = "several communes: name one in the column `commune`", []
        if why:
            report.append((told["uid"], told["nom"], told["prenom"], why))
        rows += [(told["uid"], one.office, one.of, one.since.isoformat(), until.isoformat()) for one in found]
    return ElusJoined(("uid", "fonction", of, "debut", "fin"), tuple(rows), tuple(report), wrong)


def _offices(text: str) -> tuple[Mapping[_Who, list[_Office]], int, str]:
    """Returns the offices by person, the number of wrong lines, and what the offices belong to: `commune` or
    `siren`.
    """
    lines = _lines(text)
    of_councils = _SIREN in lines[0]
    missing = [name for name in (*_NEEDED, _SENT_BY if of_councils else _COMMUNE) if name not in lines[0]]
    if missing:
        raise GatewayError(
            directory_codes.FILE,
            f"no file of the Répertoire national des élus: the column `{missing[0]}` is missing",
        )
    found, wrong = defaultdict[_Who, list[_Office]](list), 0
    for line in lines[1:]:
        cells = dict(zip(lines[0], line, strict=False))
        who = _who(cells.get(_NAME, ""), cells.get(_GIVEN, ""), cells.get(_BORN, ""))
        commune = cells.get(_SENT_BY if of_councils else _COMMUNE, "").strip().upper()
        of = cells.get(_SIREN, "").strip() if of_councils else commune
        since = _day(cells.get(_OFFICE_SINCE, "")) or _day(cells.get(_MANDATE_SINCE, ""))
        if who is None or since is None or not (is_siren(of) if of_councils else is_insee(of)):
            wrong += 1
        else:
            found[who].append(_Office(_office(cells), of, commune, since))
    return found, wrong, "siren" if of_councils else "commune"


def _office(cells: Mapping[str, str]) -> str:
    """Returns the name of the office. The file of mayors has no column for offices. The councils of sectors (Paris,
    Lyon, Marseille) have offices of their own, although each line holds the code of the commune.
    """
    if _OFFICE not in cells:
        return "maire"
    words = _ORDINAL.sub("", _words(cells[_OFFICE]), count=1)
    if _SECTOR in cells:
        return f"{words} d arrondissement" if words and "arrondissement" not in words else words or _OF_A_SECTOR
    if _SIREN in cells:
        return words or "conseiller communautaire"
    if "adjoint" in words.split() or "adjointe" in words.split():
        return "adjoint"
    return words or "conseiller municipal"


def _people(text: str) -> Iterator[tuple[dict[str, str], _Who | None, str]]:
    lines = _lines(text)
    missing = [name for name in PEOPLE[:4] if name not in lines[0]]
    if missing:
        raise GatewayError(directory_codes.FILE, f"the table of people lacks the column `{missing[0]}`")
    for line in lines[1:]:
        told = dict.fromkeys(PEOPLE, "") | dict(zip(lines[0], map(str.strip, line), strict=False))
        if told["uid"]:
            yield told, _who(told["nom"], told["prenom"], told["naissance"]), told["commune"].upper()


def _lines(text: str) -> list[list[str]]:
    """Reads the lines of a CSV file. The first line holds the folded names of the columns."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    try:
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=";" if head.count(";") else ",", strict=True))
    except csv.Error as error:
        raise GatewayError(directory_codes.FILE, f"not CSV: {error}") from None
    if not rows:
        raise GatewayError(directory_codes.FILE, "the file is empty")
    return [[_words(name) for name in rows[0]], *(row for row in rows[1:] if row)]


def _who(name: str, given: str, born: str) -> _Who | None:
    day = _day(born)
    found = None if day is None else _Who(_words(name), _words(given), day)
    return found if found is not None and found.name and found.given else None


def _words(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in fold(text)).split())


def _day(text: str) -> date | None:
    """Reads a day written 29/03/2026 or 2026-03-29. None: no valid day."""
    parts = text.strip().split("/")
    try:
        return date.fromisoformat("-".join(reversed(parts)) if len(parts) == 3 else text.strip())
    except ValueError:
        return None


def as_csv(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = StringIO(newline="")
    table = csv.writer(lines, delimiter=";", lineterminator="\n")
    table.writerow(names)
    table.writerows(rows)
    return lines.getvalue()
