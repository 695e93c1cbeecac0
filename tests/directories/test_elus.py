"""A made-up file with the columns of the published ones, joined to people."""

from datetime import date

import pytest

from gateway.directories.elus import TABLE, as_csv, joined
from gateway.model.errors import GatewayError

HEAD = (
    "Code du département;Libellé du département;Code de la collectivité à statut particulier;"
    "Libellé de la collectivité à statut particulier;Code de la commune;Libellé de la commune;Nom de l\u2019élu;"
    "Prénom de l'élu;Code sexe;Date de naissance;Code de la catégorie socio-professionnelle;"
    "Libellé de la catégorie socio-professionnelle;Date de début du mandat;Libellé de la fonction;"
    "Date de début de la fonction"
)


def line(commune: str, name: str, given: str, born: str, office: str = "", since: str = "") -> str:
    return f"59;Nord;;;{commune};X;{name};{given};F;{born};23;Cadre;18/03/2026;{office};{since}"


ELUS = "\n".join(
    [
        HEAD,
        line("59350", "LEBŒUF-D'ARTAGNAN", "Hélène", "02/05/1970", "Maire", "29/03/2026"),
        line("59350", "MARTIN", "Paul", "01/01/1980", "1er adjoint au Maire", "29/03/2026"),
        line("59350", "MARTIN", "Paule", "01/01/1980"),
        line("59009", "DURAND", "Anne", "03/03/1960"),
        line("59343", "DURAND", "Anne", "03/03/1960", "Maire délégué", "30/03/2026"),
        line("2A004", "ROSSI", "Ange", "1955-12-31"),
        line("5935", "SANS", "Commune", "01/01/1980"),
        line("59350", "SANS", "Naissance", ""),
    ]
)
UNTIL = date(2032, 3, 21)


def of(*people: str, elus: str = ELUS) -> tuple[list[str], dict[str, str]]:
    found = joined(elus, "\n".join(["uid;nom;prenom;naissance;commune", *people]), UNTIL)
    return [";".join(row) for row in found.rows], {row[0]: row[3] for row in found.report}


def test_a_person_is_found_by_all_of_their_names_and_their_day_of_birth() -> None:
    rows, report = of(
        "hl;Leboeuf d\u2019Artagnan;HELENE;1970-05-02;",
        "pm;Martin;Paul;01/01/1980;59350",
        "ar;Rossi;Ange;31/12/1955;2a004",
    )
    assert report == {}
    assert rows == [
        "hl;maire;59350;2026-03-29;2032-03-21",
        "pm;adjoint;59350;2026-03-29;2032-03-21",
        "ar;conseiller municipal;2A004;2026-03-18;2032-03-21",
    ]


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ("x;Martin;Paul;02/01/1980;", "nobody there"),
        ("x;Martin;Pau;01/01/1980;", "nobody there"),
        ("x;Martin;;01/01/1980;", "a name or the day of birth is missing"),
        ("x;Martin;Paul;;", "a name or the day of birth is missing"),
        ("x;Martin;Paul;31/02/1980;", "a name or the day of birth is missing"),
        ("x;Martin;Paul;01/01/1980;59009", "in another commune"),
        ("x;Durand;Anne;03/03/1960;", "several communes"),
    ],
)
def test_who_is_not_one_person_there_is_for_somebody_to_look_at(person: str, why: str) -> None:
    rows, report = of(person)
    assert rows == []
    assert why in report["x"]


def test_the_commune_tells_two_of_one_name_apart_and_two_accounts_of_one_person_get_nothing() -> None:
    assert of("ad;Durand;Anne;03/03/1960;59343")[0] == ["ad;maire delegue;59343;2026-03-30;2032-03-21"]
    rows, report = of("a;Martin;Paul;01/01/1980;", "b;MARTIN;PAUL;1980-01-01;59350")
    assert rows == []
    assert [*report] == ["a", "b"]


def test_lines_that_say_too_little_are_counted() -> None:
    assert joined(ELUS, "uid,nom,prenom,naissance", UNTIL).wrong == 2


def test_the_file_of_mayors_has_no_column_of_the_office() -> None:
    mayors = "\n".join(";".join(cells[:13] + cells[14:]) for cells in (row.split(";") for row in ELUS.split("\n")))
    assert of("ar;Rossi;Ange;31/12/1955;", elus=mayors)[0] == ["ar;maire;2A004;2026-03-18;2032-03-21"]


@pytest.mark.parametrize(
    ("elus", "people"),
    [
        ("", "uid;nom;prenom;naissance"),
        ("a;b\n1;2", "uid;nom;prenom;naissance"),
        (ELUS, ""),
        (ELUS, "uid;nom"),
        ('"', "x"),
    ],
)
def test_what_is_no_such_file_is_refused(elus: str, people: str) -> None:
    with pytest.raises(GatewayError) as error:
        joined(elus, people, UNTIL)
    assert error.value.code.id == "directory.file"


def test_a_cell_with_a_separator_stays_one() -> None:
    assert as_csv(TABLE[:2], [("a;b", 'c"d')]) == 'uid;fonction\n"a;b";"c""d"\n'
