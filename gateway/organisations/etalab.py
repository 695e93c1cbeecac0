"""Turns the npm package `@etalab/decoupage-administratif` into a table of organisations. The data are under the Licence
Ouverte: a publisher names the source and the day.

    npm pack @etalab/decoupage-administratif
"""

import json
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gateway.model.codes import organisation_codes
from gateway.model.errors import GatewayError

CREDIT: Final = "INSEE, DGCL, La Poste (@etalab/decoupage-administratif {version}) – Licence Ouverte"
IMPORTED: Final = ("name", "kind", "place", "siren", "insee", "departement", "aliases", "postcodes")

_PARTS: Final = ("communes", "departements", "regions", "epci", "ept")
_LARGEST: Final = 64 << 20
_TYPES: Final = {
    "CC": "Communauté de communes",
    "CA": "Communauté d’agglomération",
    "CU": "Communauté urbaine",
    "EPT": "Établissement public territorial",
}
Records = Sequence[Mapping[str, Any]]


def read_package(archive: Path) -> tuple[str, dict[str, Records]]:
    """Returns the package's version, and its data by file name. Raises GatewayError(organisation_codes.FILE)."""
    try:
        with tarfile.open(archive, "r:gz") as package:
            parts = {name: _json(package, f"package/data/{name}.json") for name in _PARTS}
            version = str(_json(package, "package/package.json")["version"])
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, EOFError) as error:
        what = "is not the package @etalab/decoupage-administratif as `npm pack` saves it"
        raise GatewayError(
            organisation_codes.FILE, f"{archive.name} {what} ({type(error).__name__}: {error})"
        ) from None
    return version, parts


def _json(package: tarfile.TarFile, name: str) -> Any:
    """Reads a JSON member without unpacking: a name or a link in the archive leads nowhere."""
    member = package.getmember(name)
    file = package.extractfile(member) if member.isreg() and member.size <= _LARGEST else None
    if file is None:
        raise ValueError(f"{name} is not a file of at most {_LARGEST >> 20} MB")
    return json.loads(file.read())


def table_of(parts: Mapping[str, Records]) -> Iterator[dict[str, str]]:
    """Yields the rows of a table, with the columns IMPORTED. Raises KeyError or TypeError for malformed records."""
    departements = {one["code"]: str(one["nom"]) for one in parts["departements"]}
    yield from ({"name": one["nom"], "kind": "region", "insee": one["code"]} for one in parts["regions"])
    for code, name in departements.items():
        yield {"name": name, "kind": "departement", "insee": code, "departement": code}
    yield from _communes(parts["communes"], departements)
    where = {one["code"]: one["departement"] for one in parts["communes"] if one["type"] == "commune-actuelle"}
    for one in (*parts["epci"], *parts["ept"]):
        # Members may lie in several départements: take the département of most members.
        members = Counter(where[member["code"]] for member in one["membres"] if member["code"] in where)
        code = members.most_common(1)[0][0] if members else ""
        long = _TYPES.get(one["type"], "")
        yield {"name": one["nom"], "kind": "epci", "siren": one["code"], "departement": code, "aliases": long,
               "place": _place(code, departements)}  # fmt: skip


def _communes(communes: Records, departements: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yields the communes of today. A former commune becomes an alias of the commune that absorbed the former
    commune.
    """
    parts = defaultdict[str, list[str]](list)
    for one in communes:
        if one["type"] != "commune-actuelle":
            parts[one.get("chefLieu") or one["commune"]].append(one["nom"])
    for one in communes:
        if one["type"] == "commune-actuelle":
            code, name = one["departement"], one["nom"]
            aliases = " ".join(other for other in parts[one["code"]] if other != name)
            yield {"name": name, "kind": "commune", "place": _place(code, departements), "siren": one.get("siren", ""),
                   "insee": one["code"], "departement": code, "aliases": aliases,
                   "postcodes": " ".join(one.get("codesPostaux", ()))}  # fmt: skip


def _place(code: str, departements: Mapping[str, str]) -> str:
    return f"{departements[code]} ({code})" if code in departements else ""
