"""A made-up country: 35,000 communes, of whose names many are shared, with what is above them. Always the same one."""

import csv
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gateway.identity.perimeter import is_siren
from gateway.model.directory import FileSource
from gateway.model.organisations import OrganisationTable

_FIRST = (
    ("Saint-Martin", "Sainte-Marie", "Saint-Denis", "Villeneuve", "Beau", "Mont", "Châtel", "Font", "Roche", "Vau",
     "L’Haÿ", "Œuilly", "Ber", "Cham", "Dom", "Gri", "Lan")
)  # fmt: skip
_MIDDLE = (
    ("ville", "court", "mont", "val", "bois", "lieu", "fontaine", "mesnil", "ac", "ay", "y", "ières", "an", "ens", "é")
)  # fmt: skip
_LAST = ["", "-sur-Loire", "-en-Brie", "-lès-Roses", "-d’Ascq", "-la-Forêt", "-sous-Bois", "-Église", "-le-Château"]
_COLUMNS = ("name", "kind", "place", "siren", "insee", "departement", "postcodes", "domains")


def siren(number: int) -> str:
    """The one with these eight digits before its check digit."""
    return next(text for digit in range(10) if is_siren(text := f"{number:08}{digit}"))


@cache
def country(communes: int = 35_000) -> tuple[dict[str, str], ...]:
    return tuple(_country(communes))


def _country(communes: int) -> Iterator[dict[str, str]]:
    chance = random.Random(17)
    departements = [f"{number:02}" for number in range(1, 96) if number != 20] + ["2A", "2B", "974"]
    for at, code in enumerate(departements):
        yield {
            "name": f"Département {code}",
            "kind": "departement",
            "siren": siren(22_000_000 + at),
            "departement": code,
        }
    for at in range(1_255):
        where = chance.choice(departements)
        name = f"Communauté de communes {_name(chance)}"
        yield {
            "name": name,
            "kind": "epci",
            "siren": siren(24_000_000 + at),
            "departement": where,
            "place": _place(where),
        }
    yield {"name": "Lille", "kind": "commune", "place": "Nord (59)", "siren": "215903501", "insee": "59350",
           "departement": "59", "postcodes": "59000 59160 59260 59800", "domains": "mairie-lille.example"}  # fmt: skip
    for at in range(communes - 1):
        where = chance.choice(departements)
        insee = f"{where}{at % 1000:03}"[:5]
        yield {"name": _name(chance), "kind": "commune", "place": _place(where), "siren": siren(21_000_000 + at),
               "insee": insee, "departement": where, "postcodes": f"{chance.randrange(1000, 98000):05}"}  # fmt: skip


def _name(chance: random.Random) -> str:
    return (
        chance.choice(_FIRST)
        + chance.choice(_MIDDLE) * chance.randrange(2)
        + chance.choice(_MIDDLE)
        + chance.choice(_LAST)
    )


def _place(departement: str) -> str:
    return f"Département {departement} ({departement})"


def write_country(path: Path, communes: int = 35_000) -> OrganisationTable:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(country(communes))
    return table(path)


def table(path: Path, **changes: str) -> OrganisationTable:
    return OrganisationTable("communes", FileSource(str(path), "csv"), **changes)


def two_hundred() -> list[str]:
    """What as many people type, by turns: a name, half of one, a number, a name with a number. All are of somebody."""
    rows = [row for row in country() if row.get("insee")][::170][:200]
    ways = ("{name}", "{half}", "{insee}", "{name} {departement}")
    return [ways[at % len(ways)].format(half=row["name"][:4], **row) for at, row in enumerate(rows)]
