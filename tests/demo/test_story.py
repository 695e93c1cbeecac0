"""The page that tells the demo's story, and the rule that it changes."""

import re
from html import unescape
from pathlib import Path
from string import Template

import pytest

from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS
from deploy.demo.keys import make_all
from deploy.demo.place import ROOT, USUAL, copy_policies, free_ports
from deploy.demo.rule import Rule
from deploy.demo.stack import Demo
from deploy.demo.story_text import ORGANISATIONS, TEXT, Words
from tests.browser_like import Person

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
    turned = await rule.turned()
    told = turned.told
    assert "  POST http://avis.localhost/dossiers/7/avis as theo\n    - deny  " in told
    assert "\n    + allow  policy.allowed  policies/apps/ecologie/avis.yaml" in told
    # No gateway runs here: nothing takes the change.
    assert "no gateway answers" in told
    assert (turned.is_live, file.read_text()) == (False, before)


WRONG = "\nno_such_key: 1\n"


@pytest.mark.service
async def test_a_rule_that_the_gateway_does_not_take_is_put_back_and_told_as_that(tmp_path: Path) -> None:
    ports = free_ports()
    copy_policies(tmp_path, ports)
    policies = tmp_path / "policies"
    file, provider, other = (
        policies / path
        for path in ("apps/ecologie/avis.yaml", "providers/region.yaml", "apps/interieur/elections.yaml")
    )
    closed = file.read_text()
    person = Person("fr")
    async with Demo(tmp_path, ports, ldap=False) as demo:

        async def press(lang: str = "fr") -> tuple[int, str]:
            page = await person.open(f"{demo.story}/?lang={lang}")
            (form,) = page.forms()
            answer = await person.post(form.action, "", initiator=page.url)
            return answer.status, unescape(answer.text)

        status, text = await press()
        assert (status, "Le syndicat des eaux peut maintenant donner son avis" in text) == (200, True)
        opened = file.read_text()
        assert opened != closed
        # A file that is everybody's refuses all: the rule stays open.
        good = provider.read_text()
        provider.write_text(good + WRONG)
        status, text = await press()
        assert (status, "La règle n’a pas changé" in text, file.read_text()) == (409, True, opened)
        assert "policies/providers/region.yaml" in text
        assert "no_such_key: unknown key" in text
        status, text = await press("en")
        assert "the old rule stays live" in text
        provider.write_text(good)
        # A wrong file of another team keeps this one from nothing.
        whole = other.read_text()
        other.write_text(whole + WRONG)
        status, text = await press()
        assert (status, "La règle est de nouveau celle d’avant" in text, file.read_text()) == (200, True, closed)
        assert "apps/interieur/elections.yaml: not loaded, its previous version stays live" in text
        other.write_text(whole)
        # But it is this one that is wrong.
        file.write_text(closed + WRONG)
        status, text = await press()
        assert (status, file.read_text()) == (409, closed + WRONG)
        file.write_text(closed)
    await person.close()
