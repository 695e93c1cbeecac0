"""The public list of communes as a table: by a made-up package of the same form, which is read and never unpacked."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.exits import Exit
from gateway.cli.main import main
from gateway.model.errors import GatewayError
from gateway.organisations.etalab import read_package, table_of
from tests.organisations.samples import siren

NORD = {"code": "59", "region": "32", "chefLieu": "59350", "nom": "Nord", "zone": "metro"}
REUNION = {"code": "974", "region": "04", "chefLieu": "97411", "nom": "La Réunion", "zone": "drom"}


def commune(code: str, name: str, departement: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "nom": name, "departement": departement, "type": "commune-actuelle", **more}


DATA: dict[str, list[dict[str, Any]]] = {
    "regions": [{"code": "32", "nom": "Hauts-de-France"}],
    "departements": [NORD, REUNION],
    "communes": [
        commune("59350", "Lille", "59", siren="215903501", codesPostaux=["59000", "59160"]),
        commune("59298", "Hellemmes", "59", type="commune-associee", chefLieu="59350"),
        commune("97411", "Saint-Denis", "974", siren="219740115", codesPostaux=["97400"]),
        commune("98901", "Île de Clipperton", "989"),
        {"code": "97401", "nom": "Saint-Denis 1er", "type": "arrondissement-municipal", "commune": "97411"},
    ],
    "epci": [
        {"code": "200093201", "nom": "Métropole Européenne de Lille", "type": "METRO",
         "membres": [{"code": "59350"}, {"code": "97411"}, {"code": "59350"}]},
        {"code": siren(24_000_001), "nom": "CC de nulle part", "type": "CC", "membres": []},
    ],
    "ept": [],
}  # fmt: skip


def package(path: Path, data: dict[str, Any] = DATA, *, link: bool = False) -> Path:
    files = {f"package/data/{name}.json": json.dumps(value) for name, value in data.items()}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {**files, "package/package.json": '{"version": "6.0.0"}'}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            if link and name.endswith("epci.json"):
                member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def test_every_kind_becomes_a_row_with_where_it_is(tmp_path: Path) -> None:
    version, parts = read_package(package(tmp_path / "p.tgz"))
    assert version == "6.0.0"
    rows = {row["name"]: row for row in table_of(parts)}
    assert rows["Lille"] == {
        "name": "Lille", "kind": "commune", "place": "Nord (59)", "siren": "215903501", "insee": "59350",
        "departement": "59", "aliases": "Hellemmes", "postcodes": "59000 59160",
    }  # fmt: skip
    assert rows["Saint-Denis"]["place"] == "La Réunion (974)"
    assert rows["Saint-Denis"]["aliases"] == "Saint-Denis 1er"
    assert rows["Île de Clipperton"]["place"] == ""
    assert rows["Nord"] == {"name": "Nord", "kind": "departement", "insee": "59", "departement": "59"}
    assert rows["Hauts-de-France"]["kind"] == "region"
    assert rows["Métropole Européenne de Lille"]["departement"] == "59", "where most of its members are"
    assert rows["CC de nulle part"]["aliases"] == "Communauté de communes"
    assert "Hellemmes" not in rows


def test_the_command_writes_a_table_that_the_folder_can_be_served_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    told = main(["organisations", "import", str(package(tmp_path / "p.tgz")), "--as-of", "2026-01-01", str(policies)])
    assert told == Exit.DONE
    assert capsys.readouterr().out.endswith("decoupage-administratif.csv: 8 organisations, of 2026-01-01\n")
    assert (policies / "organisations/decoupage-administratif.yaml").read_text() == (
        "version: 1\norganisations: decoupage-administratif\ncsv: {path: organisations/decoupage-administratif.csv}\n"
        'credit: "INSEE, DGCL, La Poste (@etalab/decoupage-administratif 6.0.0) – Licence Ouverte"\n'
        'as_of: "2026-01-01"\n'
    )
    assert len((policies / "organisations/decoupage-administratif.csv").read_text().splitlines()) == 9


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01"])
def test_the_day_of_the_data_is_needed(tmp_path: Path, day: str, capsys: pytest.CaptureFixture[str]) -> None:
    archive = str(package(tmp_path / "p.tgz"))
    assert main(["organisations", "import", archive, "--as-of", day, str(tmp_path)]) == Exit.USAGE
    assert "write a day as 2026-01-01" in capsys.readouterr().err


def test_what_is_no_such_package_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.tgz").write_bytes(b"no archive")
    other = {**DATA, "communes": [{"code": "59350"}]}
    wrong = {**DATA, "communes": [commune("59350", "Lille", "59", siren="1")]}
    for archive, why in (
        (tmp_path / "none.tgz", "is not the package"),
        (tmp_path / "absent.tgz", "is not the package"),
        (package(tmp_path / "less.tgz", {"communes": []}), "is not the package"),
        (package(tmp_path / "link.tgz", link=True), "is not the package"),
        (package(tmp_path / "other.tgz", other), "does not have the form of version 6"),
        (package(tmp_path / "wrong.tgz", wrong), "siren is no SIREN"),
    ):
        told = main(["organisations", "import", str(archive), "--as-of", "2026-01-01", str(tmp_path)])
        assert told == Exit.FOUND
        assert why in capsys.readouterr().err
        assert not (tmp_path / "organisations").exists()


def test_a_link_in_the_package_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="is not a file of at most"):
        read_package(package(tmp_path / "p.tgz", link=True))
