"""What people type to find their organisation: no text is syntax of FTS5, and all ways to write it mean the same."""

import re
import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.identity.organisation_words import (
    LONGEST_QUERY,
    expression,
    folded_name,
    query_of,
    words_beside,
    words_of_name,
)
from gateway.model.organisations import ListedOrganisation

SYNTAX = ['"', '""', "*", "^a", "-a", "(", ")", "OR", "AND", "NOT", "name:", "{name}:", "NEAR(a,b)", "+"]
EXPRESSION = re.compile(r'\("[a-z0-9]+"\*(?: OR "[a-z0-9]+"\*)*\)(?: AND \("[a-z0-9]+"\*(?: OR "[a-z0-9]+"\*)*\))*')
DATABASE = sqlite3.connect(":memory:")
DATABASE.execute("CREATE VIRTUAL TABLE words USING fts5(name, beside, detail=column, tokenize='ascii')")


@given(st.text(max_size=300) | st.lists(st.sampled_from([*SYNTAX, "Lille", "é", "59", " "])).map(" ".join))
@example('") OR name:*')
@example("\ufdfa" * 300)
@example("\ud800 a")
@example("\0")
def test_no_text_is_ever_syntax(typed: str) -> None:
    query = query_of(typed)
    said = expression(query)
    assert not said or EXPRESSION.fullmatch(said)
    assert len(query.terms) <= 8
    for one in (query, query.without_what_is_around() or query):
        for column in ("", "name"):
            if one.terms:
                DATABASE.execute("SELECT rowid FROM words WHERE words MATCH ?", (expression(one, column),)).fetchall()


def is_found(organisation: ListedOrganisation, typed: str) -> bool:
    DATABASE.execute("DELETE FROM words")
    row = words_of_name(organisation), words_beside(organisation)
    DATABASE.execute("INSERT INTO words VALUES (?, ?)", row)
    query = query_of(typed)
    return bool(DATABASE.execute("SELECT rowid FROM words WHERE words MATCH ?", (expression(query),)).fetchall())


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Saint-Étienne-du-Rouvray", "st etienne"),
        ("Saint-Étienne-du-Rouvray", "SAINT ETIENNE DU ROUV"),
        ("Saint-Étienne-du-Rouvray", "Saint-Etienne du-rouvray"),
        ("St-Denis", "saint-denis"),
        ("St-Denis", "st denis"),
        ("Sainte-Marie", "ste marie"),
        ("Stains", "st"),
        ("L’Haÿ-les-Roses", "l'hay les roses"),
        ("L’Haÿ-les-Roses", "L\u2019HAŸ"),
        ("L’Haÿ-les-Roses", "lhay"),
        ("Villeneuve-d'Ascq", "villeneuve d ascq"),
        ("Œuilly", "oeuilly"),
        ("Œuilly", "ŒUI"),
        ("Lille", "lil"),
    ],
)
def test_a_name_is_found_however_it_is_written(name: str, typed: str) -> None:
    assert is_found(ListedOrganisation(name), typed)


@pytest.mark.parametrize(("name", "typed"), [("Lille", "ille"), ("Lille", "lille nord"), ("Stains", "saint")])
def test_what_is_not_there_is_not_found(name: str, typed: str) -> None:
    assert not is_found(ListedOrganisation(name), typed)


LILLE = ListedOrganisation(
    "Lille", place="Nord (59)", siren="215903501", siret="21590350100017", insee="59350", aliases="Rijsel",
    postcodes=("59000", "59800"),
)  # fmt: skip
AJACCIO = ListedOrganisation("Ajaccio", insee="2A004", siren="212000046")


@pytest.mark.parametrize(
    "typed",
    [
        *("59350", "593", "59800", "lille 59", "lille nord", "rijsel"),
        *("215903501", "215 903 501", "21590350100017", "215 903 501 00017", "21590350199999"),
    ],
)
def test_an_organisation_is_found_by_its_numbers_and_its_place(typed: str) -> None:
    assert is_found(LILLE, typed)


def test_the_code_of_a_commune_of_corsica_has_a_letter() -> None:
    assert is_found(AJACCIO, "2A004")
    assert is_found(AJACCIO, "2a00")
    assert is_found(AJACCIO, "21200004600019"), "any establishment of its"


@pytest.mark.parametrize(
    ("typed", "domains"),
    [
        ("jean.dupont@ville-lille.fr", ("ville-lille.fr",)),
        (" Jean@Educ.Ville-Lille.FR ", ("educ.ville-lille.fr", "ville-lille.fr")),
        ("ville-lille.fr", ("ville-lille.fr",)),
        ("jean@", ()),
        ("jean@lille", ()),
    ],
)
def test_of_an_address_the_domain_alone_is_looked_at(typed: str, domains: tuple[str, ...]) -> None:
    query = query_of(typed)
    assert query.domains == domains
    assert query.terms == ()
    assert "jean" not in repr(query).lower()


def test_what_stands_around_a_name_is_left_out_where_the_whole_finds_nothing() -> None:
    less = query_of("Mairie de Lille").without_what_is_around()
    assert less is not None
    assert less.terms == (("lille",),)
    assert query_of("mairie").without_what_is_around() is None
    assert query_of("lille").without_what_is_around() is None


def test_whole_names_are_folded_alike() -> None:
    assert query_of("st-étienne").name == folded_name("Saint-Etienne") == "saint etienne"


def test_a_long_text_costs_no_more_than_a_short_one() -> None:
    assert len(query_of("a" * 10_000).terms[0][0]) <= LONGEST_QUERY
    assert query_of("").is_empty
    assert query_of("🙂").is_empty
