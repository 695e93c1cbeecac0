"""The page that tells the demo's story, and the rule that it changes."""

import re
from pathlib import Path
from string import Template

import pytest

from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS
from deploy.demo.keys import make_all
from deploy.demo.place import ROOT, USUAL, copy_policies
from deploy.demo.rule import Rule
from deploy.demo.story_text import ORGANISATIONS, TEXT, Words

PLACES = dict.fromkeys(("elections", "astreinte", "ecoles", "examens", "avis", "permis", "subventions", "portail"), "")
EVERYBODY = {account.login: account for people in (*ACCOUNTS.values(), *SAML_ACCOUNTS.values()) for account in people}


@pytest.mark.parametrize("words", TEXT.values(), ids=TEXT)
def test_it_names_no_place_and_nobody_that_is_not_there(words: Words) -> None:
    text = Template(words.opening + words.steps + words.closing)
    assert text.substitute({**PLACES, "admin": "", "button": ""})
    assert set(text.get_identifiers()) == {*PLACES, "admin", "button"}
    assert words.notes.keys() <= EVERYBODY.keys()
    assert words.providers.keys() == {*ACCOUNTS, *SAML_ACCOUNTS}
    # What `make demo` prints is English.
    assert TEXT["en"].notes.keys() == EVERYBODY.keys()


def test_both_languages_have_the_same_links_in_the_same_order() -> None:
    french, english = (re.findall(r'href="(\$[^"]*)"', words.steps + words.closing) for words in TEXT.values())
    assert french == english


def test_its_nine_organisations_are_those_of_the_accounts_and_of_the_list() -> None:
    listed = re.findall(r'siren: "(\d+)"', (ROOT / "policies/lists/nord.yaml").read_text())
    assert {siret[:9] for siret in ORGANISATIONS} == set(listed)
    assert len(listed) == 9
    assert {account.claims["siret"] for account in EVERYBODY.values()} == ORGANISATIONS.keys()


async def test_what_comes_of_the_rule_is_told_by_person_and_it_is_put_back(tmp_path: Path) -> None:
    copy_policies(tmp_path, USUAL)
    make_all(tmp_path / "certs")
    (tmp_path / "var").mkdir()
    file = tmp_path / "policies/apps/ecologie/avis.yaml"
    before = file.read_text()
    rule = Rule(tmp_path)
    told = await rule.turned()
    assert rule.is_open()
    assert "  POST http://avis.localhost/dossiers/7/avis as theo\n    - deny  " in told
    assert "\n    + allow  policy.allowed  policies/apps/ecologie/avis.yaml" in told
    # No gateway runs here.
    assert "live:" not in told
    rule.put_back()
    assert not rule.is_open()
    assert file.read_text() == before
