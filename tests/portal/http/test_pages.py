"""Pages as people and programs receive them."""

import base64
import hashlib
import json
import os
import re
from dataclasses import replace
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

import pytest
from jinja2 import Environment, Template

from gateway.model.codes import (
    form_login_codes,
    kept_post_codes,
    login_codes,
    logout_codes,
    oidc_codes,
    policy_codes,
    route_codes,
    session_codes,
    store_codes,
    wire_codes,
)
from gateway.model.codes.code import Code
from gateway.model.codes.table import all_codes
from gateway.model.kept_post import KeptFile, KeptPost
from gateway.model.ports import Page, Reader
from gateway.model.theme import ShownText, Theme, Words
from gateway.ops.log import short_reference
from gateway.portal.http import pages as module
from gateway.portal.http.called import whole_words
from gateway.portal.http.choices import (
    AwayProvider,
    Choice,
    NamedOrganisation,
    OrganisationChoices,
    OrganisationLine,
    ProviderChoices,
    StepUp,
)
from gateway.portal.http.i18n import catalogue
from gateway.portal.http.lines import AccountLine, HomeLine, Offered, OfferedApplication, SessionLine
from gateway.portal.http.pages import Pages, _environment
from tests.growth import steps
from tests.portal.pictures import DSFR

XSS = "<script>alert(1)</script>\"'&\0"
REFERENCE = short_reference("req-1")
METROPOLE = Choice("Métropole", {"en": "Metropolis"}, "/_ecluse/login?t=1&provider=a")
SHOWN = [code for code in all_codes() if code.status]


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages()


class Outline(HTMLParser):
    """Tags, attributes and text of one page."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "tags are closed in their order"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def organisation_choices() -> list[OrganisationChoices]:
    """Before anything is typed, found, not found, and where nothing can be searched."""
    ways = tuple(Choice(label, {}, "/_ecluse/login?t=1&provider=a") for label in ("Métropole", "ProConnect"))
    lines = (
        OrganisationLine("Saint-Denis", "commune", "La Réunion (974)", ways[:1]),
        OrganisationLine("Nord", "departement", "", ways),
        OrganisationLine("Syndicat des eaux", "other", "Somme (80)", ()),
        OrganisationLine("Flandre", "epci", "Nord (59)", ways[1:]),
        OrganisationLine("Bretagne", "region", "", ways[1:]),
    )
    credits = (("INSEE", "2026-01-01"), ("", ""))
    empty = OrganisationChoices(None, "", ("t", "t1"), (), (), False, False, ways[1:], credits)
    found = replace(empty, remembered=ways[0], search="saint", lines=lines, services=ways[:1], more=True)
    near = replace(empty, near=ways[:1], discovery="/_ecluse/saml/discover?t=t1")
    return [empty, found, near, replace(empty, search="zzz", kept=None), replace(empty, search="a", away=True)]


def every_page(pages: Pages, language: str) -> list[Page]:
    apps = (ShownText("Actes"), ShownText("Building permits", "en"))
    line = SessionLine("Métropole", {"en": "Metropolis"}, apps, 0, 3600)
    return [
        pages.render(
            wire_codes.HOST, kind="html", reader=Reader(language), reference="r1", login_url="https://a/", refusal="no"
        ),
        pages.render(
            session_codes.REQUIRED, kind="frame", reader=Reader(language), reference="r1", login_url="https://a/"
        ),
        pages.chooser(Reader(language), ProviderChoices((METROPOLE,))),
        pages.chooser(
            Reader(language),
            ProviderChoices(
                (Choice("b", {}, "/b"),),
                remembered=METROPOLE,
                kept=("t", "1"),
                near=(Choice("a", {}, "/a"),),
                discovery="/_ecluse/saml/discover?t=1",
            ),
        ),
        pages.away(
            Reader(language), AwayProvider("Métropole", {}, "/all", (Choice("a", {}, "/a"),), "/c"), reference="r1"
        ),
        pages.away(Reader(language), AwayProvider("Métropole", {}, "/all", (), ""), reference="r1"),
        pages.waiting(Reader(language), "/_ecluse/wait?id=1&shown=2", replace(METROPOLE, is_silent=True)),
        *(pages.organisations(Reader(language), choices) for choices in organisation_choices()),
        pages.logout(Reader(language)),
        pages.logout(Reader(language), refused=logout_codes.CROSS_SITE),
        pages.signed_out(Reader(language), "ended"),
        pages.signed_out(Reader(language), "elsewhere", elsewhere="https://portal/_ecluse/logout"),
        pages.signed_out(Reader(language), "nothing"),
        pages.signed_out(Reader(language), "everywhere", home="https://a/"),
        pages.post(
            Reader(language),
            "https://op/end?a=1",
            [("id_token_hint", "a.b.c"), ("state", '<>"')],
            portal_url="https://p",
        ),
        pages.signed_in(Reader(language), "/", again=False),
        pages.signed_in(Reader(language), "/", again=True),
        pages.sessions(Reader(language), [line], (), "/", 3),
        pages.home(
            Reader(language),
            Offered((OfferedApplication(ShownText("Permis"), "https://permis/"),), "permis", 2, True),
            [HomeLine(line, "0" * 32)],
        ),
        pages.home(Reader(language), Offered((), "", 1, False), [], acts=NamedOrganisation("21590350100017", "Lille")),
        pages.acting(
            Reader(language),
            "c1",
            [NamedOrganisation("21590350100017", "Lille"), NamedOrganisation("19590123400017", "")],
        ),
        pages.signed_out(Reader(language), "in_part", home="https://permis/"),
        pages.onward(Reader(language), "https://idp.example/slo?SAMLRequest=x&Signature=y"),
    ]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_can_be_read_by_everybody(pages: Pages, language: str) -> None:
    """What RGAA asks of a page this small: language, title, one heading, one main part, a way to skip to it."""
    for page in every_page(pages, language):
        outline = Outline(page)
        assert outline.open == []
        assert outline.all("html") == [{"lang": language}]
        assert len(outline.all("title")) == len(outline.all("h1")) == len(outline.all("main")) == 1
        assert outline.all("main") == [{"id": "main"}]
        assert outline.all("a")[0] == {"class": "skip", "href": "#main"}
        viewport = next(meta for meta in outline.all("meta") if meta.get("name") == "viewport")
        assert "maximum-scale" not in str(viewport["content"])
        assert {tag for tag, _ in outline.tags} <= {
            "html", "head", "meta", "title", "style", "body", "header", "main", "article", "footer", "div", "span",
            "small", "a", "h1", "h2", "p", "ul", "li", "dl", "dt", "dd", "form", "button", "code", "input",
            "script", "label", "strong", "br", "svg", "path", "rect", "circle", "img",
        }  # fmt: skip


@pytest.mark.parametrize(("language", "service"), [("fr", "Accès aux applications"), ("en", "Access to applications")])
def test_the_title_is_the_heading_and_the_name_of_the_service(pages: Pages, language: str, service: str) -> None:
    for page in every_page(pages, language):
        text = page.body.decode()
        title, heading = (re.search(f"<{tag}>(.+?)</{tag}>", text) for tag in ("title", "h1"))
        assert title is not None
        assert heading is not None
        assert title[1] == f"{re.sub('<[^>]+>', '', heading[1])} – {service}"


def test_a_short_word_of_a_heading_is_kept_on_one_line(pages: Pages) -> None:
    recent = StepUp(Choice("Métropole", {}, "/x"), "", False, 60, "/")
    heading = '<h1>A recent <span class="whole">sign-in</span> is needed</h1>'
    assert heading in pages.step_up(Reader("en"), recent).body.decode()
    assert whole_words("it&#39;s <sign-in>") == 'it&amp;#39;s <span class="whole">&lt;sign-in&gt;</span>'
    assert whole_words("plurisyllabique-anticonstitutionnel") == "plurisyllabique-anticonstitutionnel"


@pytest.mark.parametrize(
    ("level", "french", "english"),
    [
        ("eidas0", "identité déclarée", "self-declared identity"),
        ("eidas1-mfa", "faible, avec authentification à deux facteurs", "low, with two-factor authentication"),
        ("eidas2", "substantiel", "substantial"),
        ("eidas3", "carte &lt;agent&gt;", '<span lang="fr">carte &lt;agent&gt;</span>'),
        ("fort", "fort", "fort"),
    ],
)
def test_a_level_has_the_words_of_eidas_or_the_operators_own(level: str, french: str, english: str) -> None:
    themed = Pages(lambda: Theme(levels={"eidas3": {"fr": "carte <agent>"}}))
    asked = StepUp(Choice("Métropole", {}, "/x"), level, False, None, "/")
    line = SessionLine("Métropole", {}, (), 0, 3600, is_here=True, level=level)
    for language, words in (("fr", french), ("en", english)):
        reader = Reader(language)
        for page in (
            themed.step_up(reader, asked),
            themed.sessions(reader, [line], (), "/", None),
            themed.home(reader, Offered((), "", 1, False), [HomeLine(line, "0" * 32)]),
        ):
            text = page.body.decode().replace("<span>", "").replace("\n", "")
            assert words in text


def test_pages_are_small(pages: Pages) -> None:
    """All of it, style and pictures included; a logo adds 11,000 at most."""
    assert max(len(page.body) for page in every_page(pages, "fr")) < 9000


def test_the_only_style_is_the_one_that_the_policy_names(pages: Pages) -> None:
    for page in every_page(pages, "fr"):
        style = page.body.decode().partition("<style>")[2].partition("</style>")[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = dict(page.headers)[b"Content-Security-Policy"].decode()
        assert f"style-src 'sha256-{digest}'" in policy
        assert "style=" not in page.body.decode()


def test_the_style_serves_light_and_dark_and_shows_the_focus(pages: Pages) -> None:
    text = pages.logout(Reader("fr")).body.decode()
    assert "color-scheme:light dark" in text
    assert ":focus-visible{outline:3px" in text
    assert "outline:none" not in text
    assert "px" not in text.replace("3px", "").replace("2px", ""), "sizes follow the reader's own"


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.id)
def test_each_code_has_its_page_in_both_languages(pages: Pages, code: object) -> None:
    bodies = [
        pages.render(code, kind="html", reader=Reader(language), reference="req-1").body for language in ("fr", "en")
    ]
    assert bodies[0] != bodies[1]
    assert all(f"<code>{REFERENCE}</code>".encode() in body for body in bodies)


def test_an_error_page_says_what_to_do_next(pages: Pages) -> None:
    page = pages.render(
        login_codes.LOOP, kind="html", reader=Reader("fr"), reference="req-1", login_url="https://a/_ecluse/login"
    )
    text = Outline(page).text
    assert "Nous ne pouvons pas terminer votre connexion" in text
    assert "Autorisez les cookies" in text
    assert "Référence pour votre assistance\u00a0: " + REFERENCE in text
    assert Outline(page).all("a")[1] == {"href": "https://a/_ecluse/login"}
    assert "Recommencer" in text


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (session_codes.REQUIRED, "Se connecter"),
        (login_codes.LOOP, "Recommencer"),
        (policy_codes.NOT_ALLOWED, "Utiliser un autre compte"),
        (route_codes.RESERVED, "Retour à l’application"),
        (policy_codes.LOGIN_FORM, "Retour à l’application"),
        (form_login_codes.LOOP, "Rattacher votre compte"),
        (form_login_codes.REFUSED, "Indiquer le nouveau mot de passe"),
    ],
)
def test_the_link_of_an_error_page_says_where_it_leads(pages: Pages, code: Code, shown: str) -> None:
    reader = Reader("fr", app={"": "Permis"}, account="Camille")
    page = pages.render(code, kind="html", reader=reader, reference="r", login_url="/_ecluse/somewhere")
    assert f'<a href="/_ecluse/somewhere">{shown}</a>' in page.body.decode()


@pytest.mark.parametrize(
    ("login_url", "has_others", "shown"),
    [
        ("/_ecluse/login?to=/a%3Fother_account%3D1&other_account=1", True, True),
        ("/_ecluse/login?to=/&other_account=1", False, False),
        ("/_ecluse/login?to=/", True, False),
        ("", True, False),
    ],
)
def test_beside_another_account_stands_another_organisation_where_there_are_several(
    pages: Pages, login_url: str, has_others: bool, shown: bool
) -> None:
    page = pages.render(
        policy_codes.NOT_ALLOWED,
        kind="html",
        reader=Reader("fr"),
        reference="r",
        login_url=login_url,
        has_others=has_others,
    ).body.decode()
    link = "/_ecluse/login?to=/a%3Fother_account%3D1&amp;other_account=organisation"
    assert (f'<a href="{link}">Choisir une autre organisation</a>' in page) == shown
    assert ("Choisir une autre organisation" in page) == shown


def test_where_no_application_is_known_the_way_back_leads_to_all_of_them(pages: Pages) -> None:
    page = pages.render(route_codes.RESERVED, kind="html", reader=Reader("fr"), reference="r", login_url="/")
    assert '<a href="/">Vos applications</a>' in page.body.decode()
    assert "Cette page n’existe pas sur le portail. Vérifiez l’adresse ou revenez à vos" in page.body.decode()
    assert "l’application" not in page.body.decode()
    reader = Reader("fr", app={"": "Permis"})
    page = pages.render(route_codes.RESERVED, kind="html", reader=reader, reference="r", login_url="/")
    assert "Vérifiez l’adresse ou revenez à l’application." in page.body.decode()


def test_the_text_of_the_app_stands_before_our_own(pages: Pages) -> None:
    page = pages.render(
        policy_codes.NOT_ALLOWED,
        kind="html",
        reader=Reader("fr"),
        reference="r",
        refusal="Réservé aux <administrateurs>.",
    )
    assert "<p>Réservé aux &lt;administrateurs&gt;.</p>" in page.body.decode()
    assert page.status == 403


@pytest.mark.parametrize(
    ("words", "language", "shown"),
    [
        ("Non.", "en", "<p>Non.</p>"),
        ((("fr", "Non."), ("en", "No.")), "en", "<p>No.</p>"),
        ((("fr", "Non."), ("en", "No.")), "fr", "<p>Non.</p>"),
        ((("fr", "Non."),), "en", '<p lang="fr">Non.</p>'),
        ((("de", "Nein."),), "fr", '<p lang="de">Nein.</p>'),
    ],
)
def test_the_text_of_the_app_is_in_the_readers_language_or_says_in_which(
    pages: Pages, words: Words, language: str, shown: str
) -> None:
    page = pages.render(policy_codes.NOT_ALLOWED, kind="html", reader=Reader(language), reference="r", refusal=words)
    assert shown in page.body.decode()


@pytest.mark.parametrize("account", ["", "Camille"])
def test_only_who_is_signed_in_is_told_of_their_account(pages: Pages, account: str) -> None:
    page = pages.render(policy_codes.NOT_ALLOWED, kind="html", reader=Reader("en", account=account), reference="r")
    assert ("Your account does not give access" in page.body.decode()) == bool(account)


@pytest.mark.parametrize(("account", "offered"), [("", "Back to the application"), ("Camille", "Use another account")])
def test_nobody_who_is_not_signed_in_is_offered_another_account(pages: Pages, account: str, offered: str) -> None:
    reader = Reader("en", {"en": "Permits"}, account)
    page = pages.render(policy_codes.NOT_ALLOWED, kind="html", reader=reader, reference="r", login_url="/x")
    assert f'<p class="act"><a href="/x">{offered}</a></p>' in page.body.decode()


@pytest.mark.parametrize("account", ["", "Camille"])
def test_a_login_form_that_is_not_needed_is_closed_to_nobody_in_particular(pages: Pages, account: str) -> None:
    page = pages.render(policy_codes.LOGIN_FORM, kind="html", reader=Reader("fr", account=account), reference="r")
    text = page.body.decode()
    assert "Le portail vous connecte lui-même à cette application." in text
    assert "Demandez" not in text


def test_no_general_sentence_follows_the_text_of_the_app(pages: Pages) -> None:
    reader = Reader("fr", account="Camille")
    page = pages.render(policy_codes.NOT_ALLOWED, kind="html", reader=reader, reference="r", refusal="Demandez à Paul.")
    assert "personne responsable" not in page.body.decode()


@pytest.mark.parametrize("slot", ["reference", "login_url", "refusal"])
@pytest.mark.parametrize("kind", ["html", "frame"])
def test_whatever_is_shown_is_escaped(pages: Pages, kind: Literal["html", "frame"], slot: str) -> None:
    """K057."""
    values = {"reference": "r", "login_url": "https://a/", "refusal": "no"} | {slot: XSS}
    page = pages.render(session_codes.REQUIRED, kind=kind, reader=Reader("fr"), **values)
    assert b"<script" not in page.body
    assert Outline(page).open == []


def test_labels_are_escaped_and_in_the_readers_language(pages: Pages) -> None:
    choices = ProviderChoices((Choice(XSS, {}, XSS), Choice("Métropole", {"en": "Metropolis"}, "/x")))
    english, french = (pages.chooser(Reader(language), choices).body.decode() for language in ("en", "fr"))
    assert "<script" not in english
    assert ("Metropolis" in english, "Métropole" in english) == (True, False)
    assert "Métropole" in french
    line = SessionLine(XSS, {}, (ShownText(XSS), ShownText(XSS, XSS)), 0, 0)
    assert pages.sessions(Reader("fr", again="address"), [line], (), "/", None).body.count(b"<script") == 1, (
        "ours alone"
    )


def test_the_page_of_sessions_calls_applications_as_people_do_and_leads_home(pages: Pages) -> None:
    apps = (ShownText("Permis de construire"), ShownText("Grants", "en"))
    linked = AccountLine(ShownText("Agenda"), "agenda.example", "a.liddell")
    line = SessionLine("Métropole", {}, apps, 0, 3600)
    shown = pages.sessions(Reader("fr"), [line], [linked], "/_ecluse/home", None).body.decode()
    assert '<dd>Permis de construire, <span lang="en">Grants</span></dd>' in shown
    assert "Agenda – a.liddell" in shown
    assert '<a href="/_ecluse/home">Vos applications</a>' in shown


def test_json_is_for_programs(pages: Pages) -> None:
    page = pages.render(
        session_codes.REQUIRED, kind="json", reader=Reader("en"), reference=XSS, login_url="https://a/?b=c&d"
    )
    assert json.loads(page.body) == {
        "error": "session.required",
        "message": "Please sign in",
        "reference": short_reference(XSS),
        "request_id": XSS,
        "login_url": "https://a/?b=c&d",
    }
    page = pages.render(policy_codes.NOT_ALLOWED, kind="json", reader=Reader("fr"), reference="r", refusal="Réservé.")
    told = json.loads(page.body)
    assert told == {
        "error": "policy.not_allowed",
        "message": "Réservé.",
        "reference": told["reference"],
        "request_id": "r",
    }
    # The same eight letters and digits as on the page for a person, which can be read out on the telephone.
    html = pages.render(policy_codes.NOT_ALLOWED, kind="html", reader=Reader("fr"), reference="r")
    assert f"<code>{told['reference']}</code>".encode() in html.body
    assert len(told["reference"]) == 8


@pytest.mark.parametrize(
    ("language", "said", "never"),
    [
        (
            "en",
            "neither you nor that service is at fault",
            "was refused",
        ),
        ("fr", "pas autorisé à appeler l’adresse du service de connexion de votre organisation", "a été refusée"),
    ],
)
def test_our_own_fence_is_nobodys_fault_but_ours(pages: Pages, language: str, said: str, never: str) -> None:
    shown = pages.render(oidc_codes.ADDRESS, kind="html", reader=Reader(language), reference="r").body.decode()
    assert said in shown
    assert never not in shown


def test_a_frame_gets_a_page_that_it_can_show_with_a_link_that_leaves_it(pages: Pages) -> None:
    """Invariant 10."""
    page = pages.render(
        session_codes.REQUIRED, kind="frame", reader=Reader("fr"), reference="r", login_url="https://a/"
    )
    assert Outline(page).all("a")[1] == {"href": "https://a/", "target": "_top"}
    headers = dict(page.headers)
    assert b"X-Frame-Options" not in headers
    assert b"frame-ancestors" not in headers[b"Content-Security-Policy"]
    assert headers[b"Cache-Control"] == b"no-store"


def test_out_of_order_says_when_to_come_again(pages: Pages) -> None:
    """Invariant 9."""
    for kind in ("html", "json"):
        page = pages.render(store_codes.UNREACHABLE, kind=kind, reader=Reader("fr"), reference="r")
        assert (b"Retry-After", b"5") in page.headers


def test_a_flood_of_refusals_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The template is gone through once; a page more is a few dozen lines of Python."""
    pages, templates = Pages(), list[Template]()
    render = Template.render

    def counted(template: Template, *args: object, **values: object) -> str:
        templates.append(template)
        return render(template, *args, **values)

    def refusal() -> object:
        return pages.render(
            wire_codes.HOST, kind="html", reader=Reader("fr-FR,fr;q=0.9"), reference="r", login_url="https://a/"
        )

    monkeypatch.setattr(Template, "render", counted)
    each = [steps(refusal) for _ in range(1000)]
    assert len(templates) == 1
    assert max(each[1:]) < 100


def test_what_is_remembered_is_bounded() -> None:
    pages = Pages()
    for n in range(3000):
        pages.render(wire_codes.HOST, kind="html", reader=Reader(f"fr;q=0.{n}"), reference=str(n), refusal=str(n))
    assert len(pages._ready) == 1
    assert pages._language.cache_info().currsize == 256


def test_a_page_goes_on_by_itself_and_by_a_link(pages: Pages) -> None:
    url = "https://idp.example/slo?SAMLRequest=x&Signature=y"
    outline = Outline(pages.onward(Reader("en"), url))
    assert {"http-equiv": "refresh", "content": f"0;url={url}"} in outline.all("meta")
    assert outline.all("a")[1] == {"href": url}
    assert not outline.all("script")


def test_no_other_page_runs_a_script(pages: Pages) -> None:
    for page in every_page(pages, "fr"):
        sends_itself = b"<script>" in page.body
        assert (b"script-src" in dict(page.headers)[b"Content-Security-Policy"]) >= sends_itself
        assert page.body.count(b"<script") == int(sends_itself)


@pytest.mark.parametrize(
    ("url", "portal_url", "schemes"),
    [
        ("https://idp.example/sso", "https://portail.example", "https:"),
        # In development: the provider, or the way back from it, is in clear.
        ("http://idp.localhost/sso", "https://portail.example", "https: http:"),
        ("https://idp.example/sso", "http://portail.localhost", "https: http:"),
    ],
)
def test_a_form_for_a_provider_goes_out_in_clear_only_where_something_is(
    url: str, portal_url: str, schemes: str
) -> None:
    page = Pages().post(Reader("en"), url, [("SAMLRequest", "x")], portal_url=portal_url)
    policy = dict(page.headers)[b"Content-Security-Policy"].decode()
    assert f"; form-action {schemes}; " in policy


def test_the_answer_to_a_kept_form_may_lead_to_another_host() -> None:
    """Browsers hold form-action against each redirect; the form itself leads to our own host."""
    file = KeptFile("x", b"s", "k1", b"p", 1)
    post = KeptPost("permis", "permis.example", "/depot", "text/plain", "b", 0, 3600, file)
    page = Pages().send_post(Reader("en"), action="/_ecluse/kept/x/depot", post=post, person="h", organisation=None)
    headers = dict(page.headers)
    assert "; form-action 'self' https: http:; base-uri 'none'; " in headers[b"Content-Security-Policy"].decode()
    assert headers[b"Referrer-Policy"] == b"strict-origin"
    assert len(headers) == len(page.headers)


@pytest.mark.parametrize(("name", "said"), [("Lille", "Lille <small>21590350100017</small>"), ("", "21590350100017")])
def test_an_organisation_is_named_with_its_number_beside_on_the_pages_of_a_kept_form(name: str, said: str) -> None:
    pages, acting = Pages(), NamedOrganisation("21590350100017", name)
    file = KeptFile("x", b"s", "k1", b"p", 1)
    post = KeptPost("permis", "permis.example", "/depot", "text/plain", "b", 0, 3600, file)
    about: dict[str, Any] = {"person": "h", "organisation": acting}
    for page in (
        pages.send_post(Reader("en"), action="/_ecluse/kept/x/depot", post=post, **about),
        pages.not_to_send(Reader("en"), kept_post_codes.OTHER_ORGANISATION, reference="r", **about),
    ):
        assert f"<dt>For the organisation:</dt><dd>{said}</dd>" in page.body.decode()


@pytest.mark.parametrize(("theme", "looks"), [(Theme(), 1), (Theme(dsfr=DSFR), 2)], ids=["plain", "dsfr"])
def test_once_prepared_no_page_is_compiled_for_a_request(
    monkeypatch: pytest.MonkeyPatch, theme: Theme, looks: int
) -> None:
    """Also where no application answers: there the State's design system is left away."""
    pages, templates = Pages(lambda: theme), Path(module.__file__).parents[1].glob("templates/*.html")
    assert len(list(pages.prepare(theme))) == looks * 2 * len(list(templates))
    monkeypatch.setattr(Environment, "compile", None)
    for language in ("fr", "en"):
        assert every_page(pages, language)
        assert pages.render(
            route_codes.HOST_UNKNOWN, kind="html", reader=Reader(language), reference="r1", login_url=""
        )
    with pytest.raises(TypeError):
        every_page(Pages(lambda: theme), "fr")


@pytest.mark.parametrize("kind", ["html", "json", "frame"])
@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.id)
def test_every_401_and_no_other_has_a_challenge_that_no_browser_asks_a_password_for(
    pages: Pages, code: Code, kind: Literal["html", "json", "frame"]
) -> None:
    """RFC 9110 11.6.1"""
    page = pages.render(code, kind=kind, reader=Reader("fr"), reference="r", login_url="/x")
    told = [value for name, value in page.headers if name.lower() == b"www-authenticate"]
    assert told == ([b'Cookie realm="ecluse"'] if code.status == 401 else [])


@pytest.mark.parametrize(
    ("language", "size", "said"),
    [
        ("fr", 44, "44 octets"),
        ("fr", 3000, "2,9 Ko"),
        ("fr", 5 << 19, "2,5 Mo"),
        ("en", 44, "44 bytes"),
        ("en", 3000, "2.9 KB"),
        ("en", 5 << 19, "2.5 MB"),
    ],
)
def test_a_size_is_written_as_the_language_writes_it(language: str, size: int, said: str) -> None:
    page = _environment(language, catalogue(language)).from_string("{{ size|size }}")
    assert page.render(size=size) == said


def test_files_replaced_by_an_upgrade_change_no_page_of_a_running_gateway(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_TEMPLATES", tmp_path)
    (tmp_path / "a.html").write_text("of its own code")
    environment = _environment("fr", NullTranslations())
    assert environment.get_template("a.html").render() == "of its own code"
    (tmp_path / "a.html").write_text("{{ what_only_newer_code_gives }}")
    os.utime(tmp_path / "a.html", (1, 1))
    assert environment.get_template("a.html").render() == "of its own code"


def test_programs_are_told_what_the_fields_about_a_person_are_for(pages: Pages) -> None:
    """WCAG 1.3.5, RGAA 11.13: password managers fill them, and nobody has to remember (WCAG 3.3.8)."""
    linking = Outline(pages.account(Reader("fr"), host="permis.example", to="/", owner="0123"))
    assert [field.get("autocomplete") for field in linking.all("input") if field.get("type") != "hidden"] == [
        "username",
        "current-password",
    ]
    finding = Outline(pages.organisations(Reader("fr"), organisation_choices()[0]))
    (search,) = (field for field in finding.all("input") if field.get("type") == "search")
    assert search["autocomplete"] == "organization"
