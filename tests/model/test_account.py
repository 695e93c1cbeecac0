"""How a person is named in an account link, and which logins are one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.account import (
    ToldApart,
    checked_login,
    counted_login,
    person_of,
    read_person,
    same_login,
    written_person,
)
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity

HELENE = Identity(
    "metropole",
    "https://op.example",
    "ab=1&uid=paul",
    {"uid": ("helene",), "siret": ("21590350100017",), "groups": ("a", "b"), "empty": ("",)},
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def test_a_person_is_named_by_the_subject_or_by_the_attributes_that_the_file_names() -> None:
    assert person_of(("uid",), HELENE) == "uid=helene"
    assert (
        person_of(("uid", "siret"), HELENE)
        == person_of(("siret", "uid"), HELENE)
        == ("siret=21590350100017&uid=helene")
    )


def test_no_value_can_be_read_as_another_name() -> None:
    assert person_of(("subject",), HELENE) == "subject=ab%3D1%26uid%3Dpaul"
    assert read_person(person_of(("subject",), HELENE)) == {"subject": HELENE.subject}


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), TEXTS, min_size=1, max_size=3))
def test_what_is_written_reads_back_and_two_people_are_never_one(values: dict[str, str]) -> None:
    assert read_person(written_person(values)) == values


def test_what_somebody_wrote_by_hand_comes_to_the_one_form() -> None:
    assert written_person(read_person("uid=hélène&siret=1")) == "siret=1&uid=h%C3%A9l%C3%A8ne"


@pytest.mark.parametrize("name", ["mail", "groups", "empty", "left"])
def test_without_one_known_value_nobody_is_named(name: str) -> None:
    who = replace(HELENE, attributes={**HELENE.attributes, "left": ("x",)}, left_out=frozenset({"left"}))
    with pytest.raises(GatewayError) as error:
        person_of((name,), who)
    assert error.value.code is account_codes.PERSON
    assert name in error.value.detail


@pytest.mark.parametrize("subject", ["x" * 2100, "\udc80"])
def test_a_value_that_cannot_be_written(subject: str) -> None:
    with pytest.raises(GatewayError) as error:
        person_of(("subject",), replace(HELENE, subject=subject))
    assert error.value.code is account_codes.PERSON


@pytest.mark.parametrize("text", ["", "uid", "uid=", "=x", "uid=a&uid=b", "UID=a", "uid=%ff", "a b=c"])
def test_what_names_nobody(text: str) -> None:
    with pytest.raises(GatewayError) as error:
        read_person(text)
    assert error.value.code is account_codes.PERSON


def test_a_login_is_kept_in_one_form() -> None:
    assert checked_login("he\u0301le\u0300ne") == "hélène"
    assert checked_login("Durand Anne") == "Durand Anne"


@pytest.mark.parametrize("login", ["", " zq", "zq ", "z\nq", "zq\x00", "zq\u200b", "\ufeffzq", "zq" * 129, "zq\udc80"])
def test_no_login(login: str) -> None:
    with pytest.raises(GatewayError) as error:
        checked_login(login)
    assert error.value.code is account_codes.LOGIN
    assert "zq" not in error.value.detail


def test_logins_that_an_application_may_take_for_one() -> None:
    assert same_login("ADMIN") == same_login("admin") == same_login("\uff21dmin")
    assert same_login("STRASSE") == same_login("straße")
    assert same_login("anne") != same_login("anna")


def test_logins_that_are_counted_as_one() -> None:
    assert counted_login("Hélène") == counted_login("HELENE") == counted_login("he le\u0301ne") == "helene"
    assert counted_login("anne") != counted_login("anna")
    assert counted_login("Sœur Ørsted") == counted_login("soeurorsted")
    assert counted_login("Łukasz") == "lukasz"
    assert counted_login("VILLE\\Hélène") == counted_login("helene@Ville.example") == "helene"
    assert counted_login("helene\uff20x") == "helene"
    assert counted_login("@ville.example") == "@ville.example", "a domain alone is a name"


@pytest.mark.parametrize(
    ("apart", "kept"),
    [
        ("case", "Sour Orsted"),
        ("accents", "sœur œrsted"),
        ("spaces", "sour orsted"),
        ("domain", "sourorsted@x"),
    ],
)
def test_an_application_may_tell_two_logins_apart_by_one_thing(apart: ToldApart, kept: str) -> None:
    login = "Sœur Œrsted@x"
    assert counted_login(login, (apart,)) == (kept if apart == "spaces" else kept.replace(" ", ""))
    assert counted_login(login, ("case", "accents", "spaces", "domain")) == login


@pytest.mark.parametrize(
    "names",
    [
        # MySQL: utf8_general_ci reads ß as s, utf8_unicode_ci and latin1_german2_ci as ss.
        ("strasse", "straße", "strase", "STRAẞE", "stras\u200bse"),
        # latin1_swedish_ci reads ü as y, latin1_german2_ci as ue, the others as u.
        ("henry", "henrü", "henru", "henrue", "HENRÝ"),
        # Also ä as æ, and ð as d; Windows reads þ as th.
        ("maeva", "mäva", "mæva", "mava"),
        ("gudmundur", "guðmundur"),
        ("thor", "þor", "ÞÓR"),
        # A column of numbers.
        ("0425", "425", "00425", "\uff10425", "0425@ville.example"),
    ],
)
def test_what_some_database_takes_for_one_name_is_counted_as_one(names: tuple[str, ...]) -> None:
    assert len({counted_login(name) for name in names}) == 1
    assert len({counted_login(name, ("case",)) for name in names if name == name.lower()}) == 1


def test_names_that_only_look_like_numbers_are_names() -> None:
    assert counted_login("0a") != counted_login("a")
    assert counted_login("000") == counted_login("0") == "0"
    assert counted_login("henry", ("accents",)) != counted_login("henru", ("accents",))


@pytest.mark.parametrize("unseen", ["\ufe0f", "\u034f", "\u180b", "\U000e0100", "\u200b", "\u3164", "\u2003"])
def test_what_is_not_seen_makes_no_other_login(unseen: str) -> None:
    assert counted_login(f"hel{unseen}ene{unseen}") == "helene"
