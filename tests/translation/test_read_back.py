from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.translation.charset import Encoding
from gateway.translation.read_back import SentAs, attributes_told, read_back, sent_as
from gateway.translation.render import NOTHING, Translation
from gateway.translation.specs import Constant, CookieSpec, FromAttribute, HeaderSpec

TRANSLATION = Translation.compile(
    (
        HeaderSpec("X-Remote-User", FromAttribute("uid")),
        HeaderSpec("ctln", FromAttribute("family_name"), "latin1"),
        HeaderSpec("Auth-Groups", FromAttribute("groups", ";"), "base64"),
        HeaderSpec("X-Subject", FromAttribute("subject")),
        HeaderSpec("X-Gateway", Constant("ecluse")),
    ),
    (CookieSpec("NAME", FromAttribute("given_name"), "percent-utf8"),),
)


def person(**attributes: tuple[str, ...]) -> Identity:
    return Identity("metropole", "https://op.metropole.example", "s-1", attributes)


def test_what_is_told_is_what_is_sent() -> None:
    paul = person(uid=("paul",), family_name=("Rivière",), groups=("élus", "ONDE"), given_name=("Zoé",))
    headers, cookies = read_back(TRANSLATION, TRANSLATION.render(paul))
    assert headers == {
        "X-Remote-User": "paul",
        "ctln": "Rivière",
        "Auth-Groups": "w6lsdXM=;T05ERQ==",
        "X-Subject": "s-1",
        "X-Gateway": "ecluse",
    }
    assert cookies == {"NAME": "Zo%C3%A9"}
    assert attributes_told(TRANSLATION, headers, cookies) == paul.attributes


def test_of_what_is_not_ascii_the_bytes_are_told() -> None:
    given = Translation.compile(
        (
            HeaderSpec("X-Service", Constant("Préfecture")),
            HeaderSpec("ctln", FromAttribute("family_name"), "latin1"),
            HeaderSpec("X-First", FromAttribute("given_name"), "percent-utf8"),
            HeaderSpec("X-Api", Constant("clé", secret=True)),
            HeaderSpec("X-Uid", FromAttribute("uid")),
        ),
        (),
    )
    paul = person(uid=("paul",), family_name=("Rivière",), given_name=("Zoé",))
    assert sent_as(given, given.render(paul)) == {
        "X-Service": SentAs("utf8", r"Pr\xc3\xa9fecture"),
        "ctln": SentAs("latin1", r"Rivi\xe8re"),
    }
    assert sent_as(given, NOTHING) == {}


def test_nothing_is_nothing() -> None:
    assert read_back(TRANSLATION, NOTHING) == ({}, {})
    assert attributes_told(TRANSLATION, {}, {}) == {}


@pytest.mark.parametrize("text", ["not base64!", "/w==", "w6lsdXM=,T05ERQ=="])
def test_what_is_not_encoded_as_the_file_says_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Auth-Groups is not in base64$"):
        attributes_told(TRANSLATION, {"Auth-Groups": text}, {})


VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)


@given(st.lists(VALUES, min_size=1, max_size=4, unique=True), st.sampled_from(get_args(Encoding)))
def test_what_can_be_rendered_can_be_read_back(values: list[str], encoding: Encoding) -> None:
    translation = Translation.compile((HeaderSpec("X-Groups", FromAttribute("groups", "|"), encoding),), ())
    try:
        rendered = translation.render(person(groups=tuple(values)))
    except GatewayError:
        return
    headers, _ = read_back(translation, rendered)
    again = attributes_told(translation, headers, {})
    assert read_back(translation, translation.render(person(**again))) == (headers, {})
