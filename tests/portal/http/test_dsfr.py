"""Every page in the State's design system, whose files are the operator's."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway.model.codes import route_codes, wire_codes
from gateway.model.codes.code import Code
from gateway.model.ports import Page, Reader
from gateway.model.theme import Theme
from gateway.portal.http.dsfr import DSFR_TEMPLATES, MARKUP
from gateway.portal.http.look import digest
from gateway.portal.http.pages import Pages
from tests.portal.pictures import DSFR, DSFR_THEME
from tests.portal.shown_pages import NOW, shown_pages

SHEET = f"/_ecluse/dsfr/{DSFR.digest}/dsfr.min.css"
STYLE = (DSFR_TEMPLATES / "style.css").read_text("utf-8").strip()
# Of ours that no component stands for: the style beside the sheet has them.
OURS = {"tools", "who", "app", "whole", "soft", "ref", "choices", "found", "list", "operator", "said", "aside"}


class Tags(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(page.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in ("meta", "input", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "tags are closed in their order"


@pytest.fixture(scope="module", params=["fr", "en"])
def shown(request: pytest.FixtureRequest) -> dict[str, Page]:
    return shown_pages(Pages(lambda: DSFR_THEME, lambda: NOW), request.param)


def test_every_page_has_the_components_of_the_system(shown: dict[str, Page]) -> None:
    for name, page in shown.items():
        tags = Tags(page)
        assert not tags.open, name
        classes = {one for _, attributes in tags.all for one in attributes.get("class", "").split()}
        assert {one for one in classes if not one.startswith("fr-")} <= OURS, name
        for tag, attributes in tags.all:
            own = attributes.get("class", "").split()
            hidden = attributes.get("type") == "hidden"
            wanted = {"button": "fr-btn", "input": "fr-input", "label": "fr-label"}.get(tag)
            assert wanted is None or hidden or wanted in own, f"{name}: {tag} {attributes}"
        if name == "frame":
            continue
        assert {"fr-header", "fr-logo", "fr-footer", "fr-container", "fr-skiplinks"} <= classes, name
        assert [tag for tag, _ in tags.all if tag in ("header", "main", "footer", "h1")].count("h1") == 1


def test_what_leads_on_is_a_button_or_a_tile(shown: dict[str, Page]) -> None:
    assert shown["chooser"].body.count(b'<p class="fr-tile__title"><a href="/_ecluse/login?') == 3
    assert b'<a class="fr-btn" href="' in shown["refusal"].body
    assert b'<p role="alert" class="fr-alert fr-alert--error' in shown["account-refused"].body


def test_a_page_loads_the_sheet_of_its_own_host_and_nothing_else(shown: dict[str, Page]) -> None:
    for name, page in shown.items():
        text = page.body.decode()
        assert re.findall(r'<link [^>]*href="([^"]*)"', text) == [SHEET], name
        # A provider's logo is a file of our own.
        sources = [source for source in re.findall(r'\bsrc="([^"]*)"', text) if source != "logo.png"]
        assert all(source.startswith("data:") for source in sources), name
        policy = dict(page.headers)[b"Content-Security-Policy"].decode()
        assert policy.startswith(
            f"default-src 'none'; style-src 'self' 'sha256-{digest(STYLE)}'; font-src 'self'; img-src 'self' data:; "
        ), name
        assert ("script-src" in policy) == ("<script>" in text), name


def test_pages_are_small(shown: dict[str, Page]) -> None:
    sizes = {name: len(page.body) for name, page in shown.items()}
    # Nine organisations and as many buttons.
    assert sizes.pop("organisations-found") < 12_000
    assert max(sizes.values()) < 9_000


def test_the_block_mark_says_what_the_operator_says(shown: dict[str, Page]) -> None:
    text = shown["chooser"].body.decode()
    mark = "Ministère<br>de l’Exemple</p>"
    english = ' lang="fr"' if '<html lang="en">' in text else ""
    assert text.count(f'<p class="fr-logo"{english}>{mark}') == 2


def test_without_the_sheet_the_style_beside_it_is_ours_alone() -> None:
    """No rule, drawing or font of the design system is in this repository: what stands here is placed and spaced, in
    the colours that the sheet names."""
    assert "url(" not in STYLE
    assert "font-face" not in STYLE
    assert "Marianne" not in STYLE
    assert len(STYLE) < 3_000
    assert {path.name for path in DSFR_TEMPLATES.iterdir()} == {"base.html", "signs.html", "style.css"}


def test_each_line_of_the_table_is_met_by_a_template() -> None:
    """One that no template has any more would leave a part of a page without its look."""
    sources = "".join(path.read_text("utf-8") for path in Path(DSFR_TEMPLATES).with_name("templates").glob("*.html"))
    assert [ours for ours, _ in MARKUP if ours not in sources] == []


@pytest.mark.parametrize(
    "code", [route_codes.HOST_UNKNOWN, route_codes.HOST_UNREAD, route_codes.APP_CLOSED], ids=lambda code: code.id
)
def test_where_nothing_could_be_loaded_a_page_has_our_own_look(code: Code) -> None:
    """And no mark of the State stands on a host that is not known to be of it."""
    pages = Pages(lambda: DSFR_THEME)
    page = pages.render(code, kind="html", reader=Reader("fr"), reference="r")
    assert b"<link" not in page.body
    assert b"fr-logo" not in page.body
    assert b'<p class="brand">' in page.body
    assert "'self' 'sha256-" not in dict(page.headers)[b"Content-Security-Policy"].decode()
    assert SHEET.encode() in pages.render(wire_codes.HOST, kind="html", reader=Reader("fr"), reference="r").body


def test_a_reload_changes_the_look_either_way() -> None:
    themes = [Theme()]
    pages = Pages(lambda: themes[-1])
    reader = Reader("fr")
    assert b"fr-header" not in pages.logout(reader).body
    themes.append(replace(DSFR_THEME, logo=None))
    assert b"fr-header" in pages.logout(reader).body
    assert b"fr-header__operator" not in pages.logout(reader).body
    themes.append(Theme())
    assert b"fr-header" not in pages.logout(reader).body
    assert SHEET.encode() not in pages.logout(reader).body
