"""35,000 communes: each is found, in well under 5 ms, the closest first."""

import errno
import json
import os
import subprocess
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from gateway.identity.organisation_words import query_of
from gateway.model.codes import organisation_codes
from gateway.model.errors import GatewayError
from gateway.model.organisations import ListedOrganisation
from gateway.ops.index_files import read_stamp, statuses_of
from gateway.ops.index_process import decode_result
from gateway.organisations import indexing
from gateway.organisations.index import OrganisationIndex, organisation_index_path, task_of
from gateway.organisations.indexing import make_organisations
from gateway.organisations.keeper import HELPER
from tests.organisations.samples import country, table, write_country
from tests.patience import PATIENCE

SMALL = """\
name,kind,place,siren,departement,postcodes,domains,aliases
Saint-Denis,commune,Seine-Saint-Denis (93),219300662,93,93200,,
Saint-Denis,commune,La Réunion (974),219740115,974,97400,,
Nord,departement,,225900018,59,,lenord.example,
Wem,commune,Nord (59),,59,59143,,
Métropole européenne de Lille,epci,Nord (59),200093201,59,,,MEL
Saint-Denis-d’Orques,commune,Sarthe (72),,72,72350,,
"""


def opened(folder: Path, text: str) -> OrganisationIndex:
    path = folder / "organisations.csv"
    path.write_text(text, encoding="utf-8")
    make_organisations([table(path)], folder)
    return OrganisationIndex(organisation_index_path(folder))


def shown(found: list[ListedOrganisation]) -> list[str]:
    return [f"{one.name}, {one.place}" if one.place else one.name for one in found]


def test_the_closest_stand_first_with_what_tells_them_apart(tmp_path: Path) -> None:
    index = opened(tmp_path, SMALL)
    assert shown(index.find(query_of("st denis"), 20)) == [
        "Saint-Denis, Seine-Saint-Denis (93)",
        "Saint-Denis, La Réunion (974)",
        "Saint-Denis-d’Orques, Sarthe (72)",
    ]
    assert shown(index.find(query_of("saint-denis reunion"), 20)) == ["Saint-Denis, La Réunion (974)"]
    assert shown(index.find(query_of("nord"), 20))[0] == "Nord", "the whole name goes before those that are in it"
    assert shown(index.find(query_of("mel"), 20)) == ["Métropole européenne de Lille, Nord (59)"]
    assert shown(index.find(query_of("mairie de wem"), 20)) == ["Wem, Nord (59)"]
    assert shown(index.find(query_of("somebody@lenord.example"), 20)) == ["Nord"]
    assert len(index.find(query_of("saint"), 2)) == 2
    assert index.find(query_of("lyon"), 20) == []
    index.close()


def test_a_row_comes_back_as_it_was_written(tmp_path: Path) -> None:
    index = opened(tmp_path, SMALL)
    assert index.find(query_of("97400"), 1) == [
        ListedOrganisation(
            "Saint-Denis", "commune", "La Réunion (974)", "219740115", departement="974", postcodes=("97400",)
        )
    ]
    index.close()


ESTABLISHMENTS = """\
name,siren,siret
Commune de Lille,215903501,
Musée de Lille,215903501,21590350100090
Lycée Faidherbe,,19590123400011
Lycée Pasteur,,19590123400029
Roubaix,,21590512600011
"""


def test_an_organisation_is_named_by_its_siren_or_by_its_siret(tmp_path: Path) -> None:
    index = opened(tmp_path, ESTABLISHMENTS)
    town, museum, school, other_town = "21590350100017", "21590350100090", "19590123400029", "21590512600029"
    assert index.names([town, museum, school, other_town, town[:9]]) == {
        town: "Commune de Lille",
        museum: "Musée de Lille",
        school: "Lycée Pasteur",
        # Its table has another establishment alone: the SIREN is the same organisation's.
        other_town: "Roubaix",
        town[:9]: "Commune de Lille",
    }
    # Establishments of one SIREN that differ in their names name no other one; and no number is a word of a name.
    assert index.names(["19590123400037", "195901234", "0590001A", "Lille", ""]) == {}
    index.close()


def test_a_wrong_table_leaves_the_index_that_is_there(tmp_path: Path) -> None:
    opened(tmp_path, SMALL).close()
    path = tmp_path / "organisations.csv"
    before = read_stamp(organisation_index_path(tmp_path))
    assert before is not None
    assert (before.statuses, before.rows) == (statuses_of([str(path)]), 6)
    path.write_text(SMALL + "Lille,ville,,,,,,\n", encoding="utf-8")
    with pytest.raises(GatewayError, match="line 8: kind is one of"):
        make_organisations([table(path)], tmp_path)
    assert read_stamp(organisation_index_path(tmp_path)) == before
    assert {one.name for one in tmp_path.iterdir()} == {"organisations.csv", "index.v3.sqlite"}


def test_a_table_that_cannot_be_opened_or_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GatewayError, match=r"none\.csv: cannot be read: No such file or directory") as error:
        make_organisations([table(tmp_path / "none.csv")], tmp_path)
    assert error.value.code == organisation_codes.FILE

    class Failing(FileIO):
        def readinto(self, buffer: Any) -> int:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = tmp_path / "organisations.csv"
    path.write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr(indexing, "open_source", lambda path, largest: Failing(path))
    with pytest.raises(GatewayError, match=r"organisations\.csv: cannot be read: Input/output error") as error:
        make_organisations([table(path)], tmp_path)
    assert error.value.code == organisation_codes.FILE


def test_the_process_makes_the_index(tmp_path: Path) -> None:
    path = tmp_path / "organisations.csv"
    path.write_text(SMALL, encoding="utf-8")
    question = json.dumps(task_of((table(path),)).question).encode()
    told = subprocess.run([*HELPER, str(tmp_path)], input=question, capture_output=True, check=True, timeout=PATIENCE)
    assert decode_result(told.stdout) == read_stamp(organisation_index_path(tmp_path))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrganisationIndex]:
    folder = tmp_path_factory.mktemp("country")
    assert make_organisations([write_country(folder / "communes.csv")], folder).rows > 36_000
    index = OrganisationIndex(organisation_index_path(folder))
    yield index
    index.close()


TYPED = (
    *("l", "li", "lil", "lille", "s", "saint", "saint martin", "st m", "de la", "l'hay", "59", "593", "59350", "2a"),
    *("215903501", "somebody@mairie-lille.example", "mairie de lille", "communaute de communes s", "villeneuve d'ascq"),
    *("saint d 93", "a b c d e f g h", "zzz"),
)


@pytest.mark.slow
def test_a_query_takes_less_than_five_milliseconds(whole: OrganisationIndex) -> None:
    """CPU, the least of several: the machine may be busy with other work."""
    for typed in TYPED:
        query = query_of(typed)
        took = []
        for _ in range(5):
            before = time.thread_time()
            whole.find(query, 21)
            took.append(time.thread_time() - before)
        assert min(took) < 0.005, typed


@pytest.mark.slow
def test_every_commune_is_found_by_its_name_and_number(whole: OrganisationIndex) -> None:
    names = [row["name"] for row in country()]
    assert len(names) - len(set(names)) > 1_441
    for row in country()[::97]:
        numbers = [one.siren for one in whole.find(query_of(f"{row['name']} {row['siren']}"), 21)]
        assert numbers == [row["siren"]], row
        same = whole.find(query_of(row["name"]), 21)
        assert {one.name for one in same[:1]} == {row["name"]}, row
