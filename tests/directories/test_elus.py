"""Made-up files with the columns of the published ones, joined to people: those of the editions of 2024 to
2026 of https://www.data.gouv.fr/datasets/repertoire-national-des-elus-1."""

from datetime import date

import pytest

from gateway.directories.elus import REPORT, as_csv, joined
from gateway.model.errors import GatewayError

HEAD = (
    "Code du département;Libellé du département;Code de la collectivité à statut particulier;"
    "Libellé de la collectivité à statut particulier;Code de la commune;Libellé de la commune;Nom de l\u2019élu;"
    "Prénom de l'élu;Code sexe;Date de naissance;Code de la catégorie socio-professionnelle;"
    "Libellé de la catégorie socio-professionnelle;Date de début du mandat;Libellé de la fonction;"
    "Date de début de la fonction;Code nationalité"
)
# elus-maires-mai.csv
OF_MAYORS = HEAD.replace(";Libellé de la fonction", "").removesuffix(";Code nationalité")
# elus-conseillers-darrondissements-ca.csv
OF_SECTORS = HEAD.replace(
    "Code de la collectivité à statut particulier;Libellé de la collectivité à statut particulier;", ""
).replace("Libellé de la commune;", "Libellé de la commune;Libellé du secteur;")
# elus-conseillers-communautaires-epci.csv
OF_COUNCILS = HEAD.replace(
    "Code de la commune;Libellé de la commune",
    "N° SIREN;Libellé de l'EPCI;Code de la commune de rattachement;Libellé de la commune de rattachement",
)


def line(commune: str, name: str, given: str, born: str, office: str = "", since: str = "") -> str:
    return f"59;Nord;;;{commune};X;{name};{given};F;{born};23;Cadre;18/03/2026;{office};{since};FR"


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
        ("x;Martin;Paul;02/01/1980;", "lists nobody with"),
        ("x;Martin;Pau;01/01/1980;", "lists nobody with"),
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
    rows = [row.split(";") for row in ELUS.split("\n")[1:]]
    mayors = "\n".join([OF_MAYORS, *(";".join(cells[:13] + cells[14:15]) for cells in rows)])
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
    assert as_csv(REPORT[:2], [("a;b", 'c"d')]) == 'uid;nom\n"a;b";"c""d"\n'


def test_who_is_of_a_sectors_council_has_no_office_of_the_commune() -> None:
    def sector(name: str, office: str) -> str:
        return f"75;Paris;75056;Paris;Paris 5Eme Secteur;{name};Anne;F;1970-04-02;33;Cadre;2026-03-22;{office};;FR"

    offices = {
        "A": "Maire d'arrondissement",
        "B": "1er adjoint au Maire d'arrondissement",
        "C": "",
        "D": "2ème Adjoint",
    }
    file = "\n".join([OF_SECTORS, *(sector(name, office) for name, office in offices.items())])
    rows, report = of(*(f"{name};{name};Anne;1970-04-02;75056" for name in offices), elus=file)
    assert report == {}
    assert [row.split(";")[1] for row in rows] == [
        "maire d arrondissement",
        "adjoint au maire d arrondissement",
        "conseiller d arrondissement",
        "adjoint d arrondissement",
    ]


def council(siren: str, commune: str, name: str, office: str = "", since: str = "") -> str:
    who = f"{name};Anne;F;1970-04-02;33;Cadre"
    return f"59;Nord;;;{siren};Metropole;{commune};X;{who};2026-03-22;{office};{since};FR"


COUNCILS = "\n".join(
    [
        OF_COUNCILS,
        council("200093201", "59350", "PREMIERE", "Président du conseil communautaire", "2026-04-10"),
        council("200093201", "59350", "SECONDE", "4ème vice-président du conseil communautaire"),
        council("200093201", "59009", "TIERCE"),
        council("200093201", "59009", "DOUBLE"),
        council("200044618", "59009", "DOUBLE"),
        council("200093202", "59009", "FAUSSE"),
    ]
)


def test_the_offices_of_an_intercommunal_council_are_of_its_siren() -> None:
    people = [
        f"{name};{name};Anne;02/04/1970;{at}" for name, at in (("premiere", ""), ("seconde", "59350"), ("tierce", ""))
    ]
    rows, report = of(*people, elus=COUNCILS)
    assert report == {}
    assert rows == [
        "premiere;president du conseil communautaire;200093201;2026-04-10;2032-03-21",
        "seconde;vice president du conseil communautaire;200093201;2026-03-22;2032-03-21",
        "tierce;conseiller communautaire;200093201;2026-03-22;2032-03-21",
    ]
    found = joined(COUNCILS, "uid;nom;prenom;naissance", UNTIL)
    assert (found.table, found.wrong) == (("uid", "fonction", "siren", "debut", "fin"), 1), "one has no SIREN"


def test_two_councils_are_for_somebody_to_look_at_and_the_commune_is_the_one_that_sent_them() -> None:
    rows, report = of("d;Double;Anne;02/04/1970;59009", "t;Tierce;Anne;02/04/1970;59350", elus=COUNCILS)
    assert rows == []
    assert "several" in report["d"]
    assert "in another commune" in report["t"]


def test_files_of_other_councils_name_no_organisation() -> None:
    with pytest.raises(GatewayError) as error:
        joined(HEAD.replace("Code de la commune;Libellé de la commune", "Code du canton;Libellé du canton"), "", UNTIL)
    assert "code de la commune" in error.value.detail
