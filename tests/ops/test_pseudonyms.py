from hypothesis import given
from hypothesis import strategies as st

from gateway.model.identity import Identity
from gateway.ops.pseudonyms import Pseudonyms

SECRET = b"0123456789abcdef0123456789abcdef"
PEOPLE = Pseudonyms(SECRET)


def person(issuer: str, subject: str) -> Identity:
    return Identity("op", issuer, subject, {})


def test_a_person_has_one_name_and_another_under_another_key() -> None:
    name = PEOPLE.of(person("https://op.example", "helene"))
    assert len(name) == 16
    assert int(name, 16)
    assert Pseudonyms(SECRET).of(person("https://op.example", "helene")) == name
    assert Pseudonyms(SECRET[::-1]).of(person("https://op.example", "helene")) != name


def test_the_same_subject_of_another_provider_is_another_person() -> None:
    assert PEOPLE.of(person("https://op.example", "helene")) != PEOPLE.of(person("https://other.example", "helene"))


@given(st.text(), st.text())
def test_any_text_has_a_name_that_shows_nothing_of_it(issuer: str, subject: str) -> None:
    name = PEOPLE.of(person(issuer, subject))
    assert len(name) == 16
    assert set(name) <= set("0123456789abcdef")
