"""The tutorial counts what the demo starts."""

from pathlib import Path

from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS

DOCS = Path(__file__).parents[2] / "docs"
COUNTS = {2: ("two", "Deux"), 3: ("three", "Trois"), 4: ("four", "Quatre"), 5: ("five", "Cinq")}


def test_the_number_of_providers_is_that_of_the_demo() -> None:
    english, french = COUNTS[len(ACCOUNTS) + len(SAML_ACCOUNTS)]
    assert f"starts {english} identity providers" in (DOCS / "tutorial/first-application.md").read_text()
    assert f"\n{french} fournisseurs d’identité" in (DOCS / "fr/premiere-application.md").read_text()
