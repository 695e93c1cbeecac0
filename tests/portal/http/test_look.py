"""The theme on pages."""

import re

import pytest

from gateway.model.codes import policy_codes, session_codes
from gateway.model.ports import Page, Reader
from gateway.model.theme import Accessibility, Colours, FooterLinks, Theme
from gateway.portal.http.choices import Choice, ProviderChoices
from gateway.portal.http.pages import Pages

LOGO = b"\x89PNG\r\n\x1a\n" + bytes(8184)
THEME = Theme(
    name={"fr": "Ville d’Exemple", "en": "Town of Exemple"},
    logo=LOGO,
    colours=Colours("#5b2a86", "#d9b8ff"),
    help={"fr": "Besoin d’aide ? Poste 42."},
    links=FooterLinks({"": "https://a.example/legal?a&b"}, {"en": "https://a.example/data"}),
    accessibility=Accessibility("partial", {"": "https://a.example/rgaa"}),
)
READER = Reader("fr", {"fr": "Permis", "en": "Permits"}, "Hélène <h@a.example>")


def policy(page: Page) -> str:
    return dict(page.headers)[b"Content-Security-Policy"].decode()


def refused(pages: Pages, reader: Reader = READER) -> Page:
    return pages.render(policy_codes.NOT_ALLOWED, kind="html", reader=reader, reference="r")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_page_names_the_organisation_the_application_and_the_account(language: str) -> None:
    pages = Pages(lambda: THEME)
    reader = Reader(language, READER.app, READER.account)
    for page in (
        refused(pages, reader),
        pages.chooser(reader, ProviderChoices((Choice("a", {}, "/a"),))),
        pages.logout(reader),
    ):
        text = page.body.decode()
        assert THEME.name[language] in text
        assert f'<p class="app">{READER.app[language]}</p>' in text
        assert "Hélène &lt;h@a.example&gt;" in text
        title = re.search("<title>(.*)</title>", text)
        assert title is not None
        assert title[1].endswith(f" – {READER.app[language]} – {THEME.name[language]}")


def test_the_foot_of_a_page_has_the_operators_texts_and_links() -> None:
    text = refused(Pages(lambda: THEME)).body.decode()
    assert "<p>Besoin d’aide ? Poste 42.</p>" in text
    assert '<a href="https://a.example/legal?a&amp;b">Mentions légales</a>' in text
    assert '<a href="https://a.example/data">Données personnelles</a>' in text
    assert '<a href="https://a.example/rgaa">Accessibilité\u00a0: partiellement conforme</a>' in text
    assert "<footer>" not in refused(Pages()).body.decode()


def test_a_text_of_another_language_says_which() -> None:
    """RGAA 8.7."""
    english = refused(Pages(lambda: THEME), Reader("en", {"fr": "Permis"})).body.decode()
    assert '<p lang="fr">Besoin d’aide' in english
    assert '<p class="app" lang="fr">Permis</p>' in english
    french = (
        Pages()
        .chooser(Reader("fr"), ProviderChoices((Choice("Metropolis", {"en": "Metropolis"}, "/x"),)))
        .body.decode()
    )
    assert '<a href="/x" lang="en">Metropolis</a>' in french


def test_a_page_with_the_largest_logo_loads_nothing_and_stays_small() -> None:
    page = refused(Pages(lambda: THEME))
    assert len(page.body) < 20_000
    assert "; img-src data:; " in policy(page)
    assert re.findall(rb'src="([^,"]{1,40})', page.body) == [b"data:image/png;base64"]
    assert "img-src" not in policy(refused(Pages()))


def test_the_colours_are_the_operators() -> None:
    text = refused(Pages(lambda: THEME)).body.decode()
    assert "--accent:#5b2a86" in text
    assert "--accent:#d9b8ff" in text
    assert "@light@" not in text
    assert "@dark@" not in text


def test_a_reload_changes_every_page() -> None:
    themes = [Theme(name={"": "Avant"})]
    pages = Pages(lambda: themes[-1])
    assert b"Avant" in refused(pages).body
    themes.append(Theme(name={"": "Apr\N{LATIN SMALL LETTER E WITH GRAVE}s"}))
    for page in (refused(pages), pages.logout(READER)):
        assert b"Avant" not in page.body
        assert "Après" in page.body.decode()


def test_a_frame_shows_neither_the_account_nor_the_foot() -> None:
    page = Pages(lambda: THEME).render(
        session_codes.REQUIRED, kind="frame", reader=READER, reference="r", login_url="/x"
    )
    assert "Hélène" not in page.body.decode()
    assert b"<header" not in page.body
    assert b"<footer" not in page.body
