"""A table of organisations is read whole or not at all, and what is wrong is told with its line."""

import csv

import pytest

from gateway.identity.organisation_table import organisations_in
from gateway.model.codes import organisation_codes
from gateway.model.errors import GatewayError
from gateway.model.organisations import ListedOrganisation


def test_every_column_is_taken_and_only_the_name_is_needed() -> None:
    text = (
        "name,kind,place,siren,siret,insee,departement,aliases,postcodes,domains\n"
        "Lille,commune,Nord (59),215903501,21590350100017,59350,59,Rijsel,59000 59800,lille.example\n"
        "\n"
        " Syndicat des eaux ,,,,21590350100017,,,,,\n"
    )
    lille, syndicat = organisations_in(text.splitlines(keepends=True), ",")
    assert lille == ListedOrganisation(
        "Lille", "commune", "Nord (59)", "215903501", "21590350100017", "59350", "59", "Rijsel", ("59000", "59800"),
        ("lille.example",),
    )  # fmt: skip
    assert syndicat == ListedOrganisation("Syndicat des eaux", siren="215903501", siret="21590350100017")
    assert [one.name for one in organisations_in(["name\n", "Lille\n"], ",")] == ["Lille"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 0: no column is called name (known: name, kind"),
        ("name;siren\nLille;1\n", "line 1: no column is called name; is its delimiter another one?"),
        ("name,sirene\n", "line 1: no column is called 'sirene' here: is it siren?"),
        ("name,name\n", "line 1: a column is there twice"),
        ("name,siren\nLille\n", "line 2: 1 cells, where the first line has 2"),
        ("name\n***\n", "line 2: a name has letters"),
        ("name\n" + "a" * 201 + "\n", "line 2: a name has letters, 200 characters at most"),
        ("name\nLi\x1fle\n", "line 2: a control character"),
        ("name,kind\nLille,ville\n", "line 2: kind is one of commune, epci"),
        ("name,siren\nLille,215903502\n", "line 2: siren is no SIREN"),
        ("name,siret\nLille,2,15904E+13\n", "line 2: 3 cells"),
        ("name,siret\nLille,21590350100018\n", "line 2: siret is no SIRET"),
        ("name,siren,siret\nLille,212000046,21590350100017\n", "line 2: siret is of another organisation"),
        ("name,aliases\nLille," + "a" * 2001 + "\n", "line 2: a cell has 2001 characters, and 2000 are the most"),
        ("name,departement\nLille,Nord\n", "line 2: departement is a code"),
        ("name,postcodes\nLille,59000;59800\n", "line 2: postcodes has a value that is none"),
        ("name,domains\nLille,Lille.example\n", "line 2: domains has a value that is none"),
        ('name\n"Lille\n', "line 2: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, why: str) -> None:
    with pytest.raises(GatewayError) as refused:
        list(organisations_in(text.splitlines(keepends=True), ","))
    assert refused.value.code is organisation_codes.FILE
    assert refused.value.detail.startswith(why)


def test_a_foreign_file_is_not_told_of() -> None:
    with pytest.raises(GatewayError) as refused:
        list(organisations_in(["root:secret\n"], ","))
    assert "secret" not in refused.value.detail


def test_what_a_table_may_hold_bounds_no_other_reader_of_this_process() -> None:
    before = csv.field_size_limit()
    list(organisations_in(["name\n", "Lille\n"], ","))
    assert csv.field_size_limit() == before
