"""Every page of ours, from jinja2 templates in French and English: HTML alone, with nothing to load beside it."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from gettext import NullTranslations
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from gateway.model.codes import form_login_codes
from gateway.model.codes.code import Code
from gateway.model.kept_post import KeptPost
from gateway.model.ports import Page, Reader, ShownAgain
from gateway.model.theme import ShownText, Theme, Words, by_language, said_in
from gateway.ops.log import short_reference
from gateway.portal.http.called import called, whole, whole_day, whole_words
from gateway.portal.http.choices import (
    AwayProvider,
    Choice,
    MayAct,
    NamedOrganisation,
    OrganisationChoices,
    ProviderChoices,
    StepUp,
)
from gateway.portal.http.dsfr import DSFR_TEMPLATES, DsfrMarkup
from gateway.portal.http.error_page import (
    blames_provider,
    is_for_nobody,
    is_of_no_host,
    is_of_portal,
    sign_of,
    way_of,
    words_of,
)
from gateway.portal.http.i18n import catalogue, choose
from gateway.portal.http.lines import AccountLine, AskedAccess, HomeLine, Offered, OtherAccount, SessionLine, SignedOut
from gateway.portal.http.look import ASKS_ANEW, Look
from gateway.portal.http.moments import day, moment
from gateway.portal.http.request import of_another_organisation
from gateway.portal.http.responses import BARE, Headers
from gateway.portal.http.sizes import size
from gateway.wire.cookies import LANGUAGES

_Kind = Literal["html", "json", "frame"]
_Fields = Sequence[tuple[str, str]]

_TEMPLATES = Path(__file__).parents[1] / "templates"
_HTML = (b"Content-Type", b"text/html; charset=utf-8")
_JSON = (b"Content-Type", b"application/json; charset=utf-8")
_SENDS_ITSELF = "document.forms[0].submit()"
_SEARCHES = (_TEMPLATES / "search.js").read_text("utf-8")
# Pages about the person. A browser that requested such a page by GET never shows it from memory.
_OF_ONE_PERSON = ("home.html", "sessions.html", "account.html", "account_request.html", "step_up.html")
_RETRY_AFTER = (b"Retry-After", b"5")
# RFC 9110 11.6.1: every 401 has a challenge. No scheme is registered for a page with a cookie. Browsers ignore an
# unknown scheme; with `Basic` they would ask for a password themselves.
_SIGN_IN = (b"WWW-Authenticate", b'Cookie realm="ecluse"')
# With `no-referrer` a browser would send `Origin: null`, and applications check Origin.
_OF_OUR_ORIGIN = (b"Referrer-Policy", b"strict-origin")
# Surrounds the name of a part that differs between responses. No template and no catalogue contains it.
_MARK = "\0"
_USUAL = Theme()
_NO_TEXT = ShownText("")


class _Form(NamedTuple):
    """The key of an error page: the values that decide its text, without the slots. Includes the languages of two
    texts, if they differ from the page's language.
    """

    code: Code
    language: str
    kind: _Kind
    again: ShownAgain
    place_language: str
    refusal_language: str
    filled: tuple[str, ...]
    has_others: bool


@dataclass(frozen=True, slots=True)
class _Ready:
    """An error page but for its slots: text and slot names by turns."""

    headers: Headers
    pieces: tuple[str, ...]


class Pages:
    """ports.ErrorPages, and the portal's own pages. `theme`: returns the live theme. `now`: Unix seconds."""

    def __init__(self, theme: Callable[[], Theme] = lambda: _USUAL, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._theme = theme
        self._look = Look(theme())
        self._catalogues = {language: catalogue(language) for language in LANGUAGES}
        self._environments: dict[tuple[str, bool], Environment] = {}
        self._language = lru_cache(maxsize=256)(choose)
        self._ready: dict[_Form, _Ready] = {}

    @property
    def _current(self) -> Look:
        """Takes the look of the live theme, and drops pages prepared for another look."""
        theme = self._theme()
        if theme is not self._look.theme:
            self._look = Look(theme)
            self._ready.clear()
        return self._look

    def render(
        self,
        code: Code,
        *,
        kind: _Kind,
        reader: Reader,
        reference: str,
        login_url: str = "",
        refusal: Words = "",
        has_others: bool = False,
    ) -> Page:
        """Made once for each code, language, kind and set of slots; after that only the slots are filled.
        `has_others`: as in ports.ErrorPages."""
        chosen = self._language(reader.language)
        own = said_in(by_language(refusal), chosen) if refusal else _NO_TEXT
        if kind == "json":
            return self._json(code, chosen, reference, login_url, own.text)
        look = self._current
        place = said_in(reader.app, chosen)
        values = {"login_url": login_url, "refusal": own.text, "place": place.text, "account": reader.account}
        values["organisation_url"] = of_another_organisation(login_url) if has_others else ""
        if refusal and reader.again == "form":
            values |= {
                f"refusal.{language}": text
                for language, text in by_language(refusal).items()
                if language in ("", *LANGUAGES)
            }
        filled = tuple(name for name, value in values.items() if value)
        others = has_others and blames_provider(code)
        key = _Form(code, chosen, kind, reader.again, place.language, own.language, filled, others)
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = self._made(look, key)
        values |= {"reference": short_reference(reference), "request_id": reference}
        body = "".join(escape(values[piece]) if at % 2 else piece for at, piece in enumerate(ready.pieces))
        return Page(code.status, ready.headers, body.encode("utf-8", "replace"))

    def _made(self, look: Look, form: _Form) -> _Ready:
        code, filled = form.code, form.filled
        look = look.alone if is_of_no_host(code) else look
        slots = {name: _slot(name) if name in filled else "" for name in ("login_url", "organisation_url", "account")}
        for_nobody = is_for_nobody(code, filled)
        text = self._text(
            look,
            "error.html",
            form.language,
            code=code,
            framed=form.kind == "frame",
            way="back" if for_nobody else way_of(code),
            sign_kind=sign_of(code),
            reference=_slot("reference"),
            refusal=ShownText(_slot("refusal"), form.refusal_language) if "refusal" in filled else None,
            place=ShownText(_slot("place"), form.place_language) if "place" in filled else None,
            words=words_of(code),
            has_others=form.has_others,
            for_nobody=for_nobody,
            of_portal=is_of_portal(code, filled),
            renews=code is form_login_codes.REFUSED and "login_url" in filled,
            again=form.again,
            fields_again=_shown_again(code, filled),
            **slots,
        )
        headers = look.framed if form.kind == "frame" else look.headers
        return _Ready((*headers, _HTML, *_added(code.status)), tuple(text.split(_MARK)))

    def _json(self, code: Code, language: str, reference: str, login_url: str, refusal: str) -> Page:
        message = refusal or self._catalogues[language].gettext(code.title)
        fields = {
            "error": code.id,
            "message": message,
            "reference": short_reference(reference),
            "request_id": reference,
        }
        if login_url:
            fields["login_url"] = login_url
        headers = (*BARE, _JSON, *_added(code.status))
        return Page(code.status, headers, json.dumps(fields, separators=(",", ":")).encode())

    def chooser(self, reader: Reader, choices: ProviderChoices) -> Page:
        page = self._page("chooser.html", reader, choices=choices)
        return Page(200, (*self._current.choosing, _HTML), page.body)

    def away(self, reader: Reader, away: AwayProvider, *, reference: str) -> Page:
        """The page instead of a provider that does not answer."""
        page = self._page("away.html", reader, status=503, away=away, reference=reference)
        return Page(page.status, (*self._current.choosing, _HTML, *_added(page.status)), page.body)

    def logout(
        self, reader: Reader, *, refused: Code | None = None, home: str = "", reference: str = "", to: str = ""
    ) -> Page:
        """The form that signs out.

        `refused`: why a sign-out was not done.
        `home`: the application's home page, for a person who stays.
        `to`: a path of the application, on a host that several applications divide.
        """
        status, again = refused.status if refused else 200, (("to", "/_ecluse/logout"),)
        about = {"refused": refused, "home": home, "reference": reference, "to": to}
        return self._page("logout.html", reader, again, status=status, **about)

    def signed_out(
        self, reader: Reader, how: SignedOut, *, elsewhere: str = "", home: str = "", waits: bool = False
    ) -> Page:
        """`elsewhere`: where the sessions of other hosts end. `home`: a way back to the application. `waits`: whether a
        sign-in may, in another tab."""
        template = "signed_out_in_part.html" if how in ("in_part", "perhaps", "unwritten") else "signed_out.html"
        return self._page(template, reader, how=how, elsewhere=elsewhere, home=home, waits=waits)

    def post(self, reader: Reader, url: str, fields: Sequence[tuple[str, str]], *, portal_url: str) -> Page:
        """A form that sends itself to a provider, and a button where scripts are off. The provider may lead straight
        back to `portal_url`."""
        by_tls = url.startswith("https:") and portal_url.startswith("https:")
        # No narrower than the scheme: Chromium and Safari also apply form-action to the redirects that follow, and
        # providers redirect to further hosts: Entra ID to federated domains, a broker to its own providers.
        headers = self._current.posting(_SENDS_ITSELF, "https:" if by_tls else "https: http:")
        # The page leads on before a person could choose a language, and may have only one form.
        page = self._page("post.html", replace(reader, again=""), url=url, fields=fields, script=_SENDS_ITSELF)
        return Page(200, (*headers, _HTML), page.body)

    def signed_in(self, reader: Reader, home: str, *, again: bool) -> Page:
        """`again`: the sign-in had already ended, so the request did nothing."""
        how, status = ("seen_again", 400) if again else ("signed_in", 200)
        return self._page("signed_in.html", reader, (("page", how),), status=status, home=home, how=how)

    def post_kept(self, reader: Reader, *, until: int, login_url: str) -> Page:
        """A form is kept across the sign-in at `login_url`. 401: the request of the form was not carried out."""
        again = (("page", "post_kept"), ("until", str(until)), ("back", login_url))
        return self._page("post_kept.html", reader, again, status=401, until=until, login_url=login_url)

    def send_post(
        self, reader: Reader, *, action: str, post: KeptPost, person: str, organisation: NamedOrganisation | None
    ) -> Page:
        """The button that sends a kept post on. The application is told where the click came from: our origin."""
        about: dict[str, Any] = {"path": post.target.partition("?")[0], "person": person, "organisation": organisation}
        page = self._page("send_post.html", reader, action=action, post=post, **about)
        headers = (_OF_OUR_ORIGIN if header[0] == _OF_OUR_ORIGIN[0] else header for header in self._current.sending)
        return Page(page.status, (*headers, _HTML), page.body)

    def not_to_send(
        self, reader: Reader, refused: Code, *, person: str, organisation: NamedOrganisation | None, reference: str
    ) -> Page:
        """A kept form that `person` may not send, or not for `organisation` (None: for no organisation)."""
        about: dict[str, Any] = {"person": person, "organisation": organisation, "reference": reference}
        return self._page("not_to_send.html", reader, status=refused.status, refused=refused, **about)

    def home(
        self,
        reader: Reader,
        offered: Offered,
        lines: Sequence[HomeLine],
        another: OtherAccount | None = None,
        acts: MayAct = None,
    ) -> Page:
        """`acts`: the person's present organisation, if the person may choose another."""
        return self._page("home.html", reader, offered=offered, lines=lines, another=another, acting=acts)

    def acting(self, reader: Reader, id: str, lines: Sequence[NamedOrganisation]) -> Page:
        """`id`: of the sign-in that waits for the choice."""
        return self._page("acting.html", reader, id=id, lines=lines)

    def step_up(self, reader: Reader, asked: StepUp) -> Page:
        return self._page("step_up.html", reader, asked=asked, is_stronger=bool(asked.level or asked.other_method))

    def organisations(self, reader: Reader, choices: OrganisationChoices) -> Page:
        page = self._page("organisations.html", reader, choices=choices, script=_SEARCHES)
        return Page(200, (*self._current.searching(_SEARCHES), _HTML), page.body)

    def language_of(self, reader: Reader) -> str:
        """The language, among ours, of a person's pages."""
        return self._language(reader.language)

    def sessions(
        self,
        reader: Reader,
        lines: Sequence[SessionLine],
        accounts: Sequence[AccountLine],
        home: str,
        most: int | None,
        owner: str = "",
    ) -> Page:
        """`home`: the path of the person's own page. `most`: in how many browsers they may be signed in at once.
        `owner`: names the person to the forms."""
        return self._page("sessions.html", reader, lines=lines, accounts=accounts, home=home, most=most, owner=owner)

    def account(
        self,
        reader: Reader,
        *,
        host: str,
        to: str,
        owner: str,
        login: str = "",
        known: bool = False,
        another: OtherAccount | None = None,
        refused: Code | None = None,
        reference: str = "",
    ) -> Page:
        """The form that links a person's account of an application.

        `refused`: the answer to a link that was refused.
        `owner`: the person's name.
        `login`: as the person wrote it, or the linked login (`known`).
        """
        status = refused.status if refused and refused.status else 200
        about = {"host": host, "to": to, "owner": owner, "login": login, "known": known, "another": another}
        again = (("to", f"/_ecluse/account?host={quote(host, safe='')}&to={quote(to, safe='')}"),)
        return self._page("account.html", reader, again, status=status, refused=refused, reference=reference, **about)

    def account_request(
        self, reader: Reader, asked: AskedAccess, *, refused: Code | None = None, reference: str = ""
    ) -> Page:
        """As `account`, for applications where people request an account."""
        language = self._language(reader.language)
        ask, said = said_in(by_language(asked.ask), language), said_in(asked.words, language)
        about = {"asked": asked, "ask": ask, "said": said, "reference": reference}
        status, again = refused.status if refused else 200, (("to", asked.address),)
        return self._page("account_request.html", reader, again, status=status, refused=refused, **about)

    def linked(self, reader: Reader, url: str) -> Page:
        """The page after an account is linked. Leads back to the application by itself, as `onward` does to a
        provider."""
        return self._page("linked.html", replace(reader, again=""), url=url)

    def onward(self, reader: Reader, url: str, *, to_application: bool = False) -> Page:
        """A page that goes on by itself to a provider or an application, with a link for people who would rather not
        wait. Used after a form of ours, where browsers would check a redirect against form-action."""
        return self._page("onward.html", replace(reader, again=""), url=url, to_application=to_application)

    def waiting(self, reader: Reader, url: str, slow: Choice | None) -> Page:
        """A page that opens `url` at once; `url` answers when the result is ready. `slow`: the provider that delays;
        None if unknown."""
        return self._page("waiting.html", replace(reader, again=""), url=url, slow=slow)

    def prepare(self, theme: Theme) -> Iterator[None]:
        """Compiles a template per step, for the pages in the theme. Compiling takes milliseconds, so it is done before
        requests arrive.
        """
        # An address of no application has the plain look (Look.alone), whatever the theme.
        for dsfr in {False, theme.dsfr is not None}:
            for language in LANGUAGES:
                environment = self._environment(language, dsfr)
                for name in environment.list_templates(extensions=["html"]):
                    environment.get_template(name)
                    yield

    def _environment(self, language: str, dsfr: bool) -> Environment:
        """`dsfr`: in the State's design system."""
        key = language, dsfr
        made = self._environments.get(key)
        if made is None:
            made = self._environments[key] = _environment(language, self._catalogues[language], dsfr)
            made.filters["moment"] = partial(self._moment, language)
            made.filters["level_label"] = partial(self._level_label, language)
        return made

    def _level_label(self, language: str, level: str) -> ShownText:
        """The operator's name for the level; empty: use our name."""
        return said_in(self._current.theme.levels.get(level, {}), language)

    def _moment(self, language: str, at: int) -> Markup:
        return whole_day(moment(at, self._now(), self._current.zone, language, self._catalogues[language]))

    def _page(self, template: str, reader: Reader, again: _Fields = (), *, status: int = 200, **values: object) -> Page:
        """`again`: the address that shows the page in another language, if the page's own address cannot."""
        look, language = self._current, self._language(reader.language)
        place = said_in(reader.app, language)
        about: dict[str, object] = {"place": place if place.text else None, "account": reader.account, "framed": False}
        own = template in _OF_ONE_PERSON and reader.again == "address"
        about |= {"again": reader.again, "fields_again": again, "script": ASKS_ANEW if own else ""}
        text, headers = self._text(look, template, language, **about | values), look.own if own else look.headers
        return Page(status, (*headers, _HTML, *_added(status)), text.encode("utf-8", "replace"))

    def _text(self, look: Look, template: str, language: str, **values: object) -> str:
        loaded = self._environment(language, look.theme.dsfr is not None).get_template(template)
        return loaded.render({**look.around[language], **values})


def _shown_again(code: Code, filled: tuple[str, ...]) -> _Fields:
    """What the choice of a language sends back of an error page."""
    back = (("back", _slot("login_url")),) if "login_url" in filled else ()
    texts = [(name, _slot(name)) for name in filled if name.startswith("refusal.")]
    return (("page", code.id), ("reference", _slot("request_id")), *back, *texts)


def _environment(language: str, texts: NullTranslations, dsfr: bool = False) -> Environment:
    """`dsfr`: in the State's design system."""
    environment = Environment(
        loader=FileSystemLoader([DSFR_TEMPLATES, _TEMPLATES] if dsfr else _TEMPLATES),
        # An upgrade replaces the files of a running gateway. Its pages must stay the pages of its own code.
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", *([DsfrMarkup] if dsfr else [])],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["called"] = lambda one: called(one, language)
    environment.filters["day"] = lambda written: whole(day(date.fromisoformat(written), language, texts))
    environment.filters["short"] = short_reference
    environment.filters["whole"] = whole_words
    environment.filters["size"] = lambda number: size(number, language, texts)
    return environment


def _slot(name: str) -> str:
    return f"{_MARK}{name}{_MARK}"


def _added(status: int) -> Headers:
    """Additional headers for a status."""
    if status == 401:
        return (_SIGN_IN,)
    return (_RETRY_AFTER,) if status == 503 else ()
