"""The tutorial counts what the demo starts, and quotes the page that refuses as people see it."""

import re
from pathlib import Path

import pytest

from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS
from gateway.model.codes import policy_codes
from gateway.model.ports import Reader
from gateway.portal.http.pages import Pages

DOCS = Path(__file__).parents[2] / "docs"
ENGLISH, FRENCH = DOCS / "tutorial/first-application.md", DOCS / "fr/premiere-application.md"
COUNTS = {2: ("two", "Deux"), 3: ("three", "Trois"), 4: ("four", "Quatre"), 5: ("five", "Cinq")}


def test_the_number_of_providers_is_that_of_the_demo() -> None:
    english, french = COUNTS[len(ACCOUNTS) + len(SAML_ACCOUNTS)]
    assert f"starts {english} identity providers" in ENGLISH.read_text()
    assert f"\n{french} fournisseurs d’identité" in FRENCH.read_text()


@pytest.mark.parametrize(("page", "language"), [(ENGLISH, "en"), (FRENCH, "fr")])
def test_the_page_that_refuses_is_quoted_in_the_language_of_its_reader(page: Path, language: str) -> None:
    shown = Pages().render(policy_codes.NOT_ALLOWED, kind="html", reader=Reader(language), reference="r")
    (title,) = re.findall("<title>(.*?) – ", shown.body.decode())
    assert f"*{title}*" in page.read_text()
