"""Every page of ours, from jinja2 templates in French and English: HTML alone, with nothing to load beside it."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from gettext import NullTranslations
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from gateway.model.account import LINKED_ANEW
from gateway.model.codes import Code
from gateway.model.kept_post import KeptPost
from gateway.model.ports import Page
from gateway.portal.http.i18n import LANGUAGES, catalogue, choose
from gateway.portal.http.responses import BARE, Headers, security_headers

_Kind = Literal["html", "json", "frame"]

_TEMPLATES = Path(__file__).parents[1] / "templates"
_HTML = (b"Content-Type", b"text/html; charset=utf-8")
_JSON = (b"Content-Type", b"application/json; charset=utf-8")
_SENDS_ITSELF = "document.forms[0].submit()"
_REFUSING = frozenset({"policy", "translation", "account"})
_SIGNING_IN = frozenset({"login", "handover", "oidc", "saml"})
_MOMENTS = {"fr": "%d/%m/%Y à %H:%M UTC", "en": "%Y-%m-%d %H:%M UTC"}
# What stands before tenths, and megabytes, kilobytes and bytes.
_UNITS = {"fr": (",", "Mo", "Ko", "octets"), "en": (".", "MB", "KB", "bytes")}
_RETRY_AFTER = (b"Retry-After", b"5")
# RFC 9110 11.6.1: every 401 has a challenge. Ours is a page and a cookie, for which no scheme is registered; browsers
# leave one alone that they do not know, where `Basic` would have them ask for a password of their own.
_SIGN_IN = (b"WWW-Authenticate", b'Cookie realm="ecluse"')
# With `no-referrer` a browser would say `Origin: null`, and applications look at it.
_OF_OUR_ORIGIN = (b"Referrer-Policy", b"strict-origin")
# Stands around the name of what differs from one response to the next; no template and no catalogue has it.
_MARK = "\0"


@dataclass(frozen=True, slots=True)
class Choice:
    """One provider that a person may choose; `link` starts a sign-in with it. `labels`: by language."""

    label: str
    labels: Mapping[str, str]
    link: str


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session as the page of sessions shows it. `label`, `labels`: of its provider. Times: Unix seconds."""

    label: str
    labels: Mapping[str, str]
    apps: tuple[str, ...]
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A link of the person's: the application, one host of it, and their login."""

    app: str
    host: str
    login: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """An error page but for its slots: text and slot names by turns."""

    headers: Headers
    pieces: tuple[str, ...]


class Pages:
    """ports.ErrorPages, and the portal's own pages. `language` is always a raw Accept-Language value."""

    def __init__(self) -> None:
        self._catalogues = {language: catalogue(language) for language in LANGUAGES}
        self._environments = {language: _environment(language, texts) for language, texts in self._catalogues.items()}
        self._language = lru_cache(maxsize=256)(choose)
        style = (_TEMPLATES / "style.css").read_text("utf-8").strip()
        digest = _digest(style)
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'"
        self._style = style
        self._headers = security_headers(f"{policy}; frame-ancestors 'none'")
        # In a frame of whatever page: it shows nothing of anybody and its one link leaves the frame.
        self._frame_headers = security_headers(policy, framed=True)
        # No narrower than the scheme: Chromium and Safari hold form-action against each redirect that follows too, and
        # providers lead on to other hosts, Entra ID to whom a domain is federated with, a broker to those behind it.
        self._post_headers, self._post_headers_in_clear = (
            security_headers(
                f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'sha256-{_digest(_SENDS_ITSELF)}'; "
                f"form-action {schemes}; base-uri 'none'; frame-ancestors 'none'"
            )
            for schemes in ("https:", "https: http:")
        )
        self._ready: dict[tuple[str, str, _Kind, bool, bool], _Ready] = {}

    def render(
        self,
        code: Code,
        *,
        kind: _Kind,
        language: str,
        reference: str,
        login_url: str = "",
        refusal: str = "",
    ) -> Page:
        """Made once for each code, language, kind and set of slots; after that only the slots are filled."""
        chosen = self._language(language)
        if kind == "json":
            return self._json(code, chosen, reference, login_url, refusal)
        key = (code.id, chosen, kind, bool(login_url), bool(refusal))
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = self._made(code, chosen, kind, login_url != "", refusal != "")
        values = {"reference": reference, "login_url": login_url, "refusal": refusal}
        body = "".join(escape(values[piece]) if at % 2 else piece for at, piece in enumerate(ready.pieces))
        return Page(code.status, ready.headers, body.encode("utf-8", "replace"))

    def _made(self, code: Code, language: str, kind: _Kind, login: bool, refusal: bool) -> _Ready:
        text = self._text(
            "error.html",
            language,
            code=code,
            framed=kind == "frame",
            way=_way(code),
            reference=_slot("reference"),
            login_url=_slot("login_url") if login else "",
            refusal=_slot("refusal") if refusal else "",
        )
        headers = self._frame_headers if kind == "frame" else self._headers
        return _Ready((*headers, _HTML, *_added(code)), tuple(text.split(_MARK)))

    def _json(self, code: Code, language: str, reference: str, login_url: str, refusal: str) -> Page:
        message = refusal or self._catalogues[language].gettext(code.title)
        fields = {"error": code.id, "message": message, "reference": reference}
        if login_url:
            fields["login_url"] = login_url
        return Page(code.status, (*BARE, _JSON, *_added(code)), json.dumps(fields, separators=(",", ":")).encode())

    def chooser(self, language: str, choices: Sequence[Choice]) -> Page:
        return self._page("chooser.html", language, choices=choices)

    def logout(self, language: str, *, refused: Code | None = None, reference: str = "") -> Page:
        """The form that signs out; with `refused`, the answer to a sign-out that was not done."""
        status = refused.status if refused else 200
        return self._page("logout.html", language, status=status, refused=refused, reference=reference)

    def signed_out(
        self,
        language: str,
        *,
        ended: bool,
        elsewhere: str,
        everywhere: bool = False,
        asked: bool = False,
        home: str = "",
    ) -> Page:
        """`ended`: sessions were found and ended; if not, `elsewhere` is where they may be. `everywhere`: at the
        provider too, as it says itself; `asked`: it was asked to, and nothing says whether it did. `home`: a way back
        to the application."""
        where = {"everywhere": everywhere, "asked": asked}
        return self._page("signed_out.html", language, ended=ended, elsewhere=elsewhere, home=home, **where)

    def post(self, language: str, url: str, fields: Sequence[tuple[str, str]], *, portal_url: str) -> Page:
        """A form that sends itself to a provider, and a button where scripts are off. The provider may lead straight
        back to `portal_url`."""
        text = self._text("post.html", self._language(language), url=url, fields=fields, script=_SENDS_ITSELF)
        by_tls = url.startswith("https:") and portal_url.startswith("https:")
        headers = self._post_headers if by_tls else self._post_headers_in_clear
        return Page(200, (*headers, _HTML), text.encode("utf-8", "replace"))

    def signed_in(self, language: str, home: str, *, again: bool) -> Page:
        """`again`: the sign-in was over already; this one did nothing and is refused as such."""
        return self._page("signed_in.html", language, status=400 if again else 200, home=home, again=again)

    def post_kept(self, language: str, *, until: int, login_url: str) -> Page:
        """A form is kept across the sign-in that `login_url` leads to. 401: nothing was done of what it asked for."""
        page = self._page("post_kept.html", language, status=401, until=until, login_url=login_url)
        return Page(page.status, (*page.headers, _SIGN_IN), page.body)

    def send_post(self, language: str, *, action: str, post: KeptPost, person: str, organisation: str | None) -> Page:
        """The button that sends a kept post on. The application is told where the click came from: our origin."""
        about: dict[str, Any] = {"path": post.target.partition("?")[0], "person": person, "organisation": organisation}
        page = self._page("send_post.html", language, action=action, post=post, **about)
        headers = tuple(_OF_OUR_ORIGIN if header[0] == _OF_OUR_ORIGIN[0] else header for header in page.headers)
        return Page(page.status, headers, page.body)

    def not_to_send(
        self, language: str, refused: Code, *, person: str, organisation: str | None, reference: str
    ) -> Page:
        """A kept post that is not for `person` to send, or not in the name of `organisation` (None: of none)."""
        about: dict[str, Any] = {"person": person, "organisation": organisation, "reference": reference}
        return self._page("not_to_send.html", language, status=refused.status, refused=refused, **about)

    def sessions(self, language: str, lines: Sequence[SessionLine], accounts: Sequence[AccountLine] = ()) -> Page:
        return self._page("sessions.html", language, lines=lines, accounts=accounts)

    def account(
        self, language: str, *, app: str, host: str, to: str, refused: Code | None = None, reference: str = ""
    ) -> Page:
        """The form that links a person's account of an application; with `refused`, the answer to one that was not
        linked."""
        status = refused.status if refused and refused.status else 200
        about = {"app": app, "host": host, "to": to}
        return self._page("account.html", language, status=status, refused=refused, reference=reference, **about)

    def onward(self, language: str, url: str) -> Page:
        """A page that goes on to a provider by itself, and a link for people who would rather not wait.

        After a form of ours: browsers hold that page's form-action against a redirect, not against this.
        """
        return self._page("post.html", language, url=url, fields=())

    def prepare(self) -> Iterator[None]:
        """Compiles one template a step, which takes milliseconds: before there are requests, not in the first one."""
        for environment in self._environments.values():
            for name in environment.list_templates(extensions=["html"]):
                environment.get_template(name)
                yield

    def signed_out_in_part(self, language: str, *, home: str, proven: bool = True) -> Page:
        """The provider says that the session goes on somewhere. Not `proven`: what it says could not be verified."""
        return self._page("signed_out_in_part.html", language, home=home, proven=proven)

    def _page(self, template: str, language: str, *, status: int = 200, **values: object) -> Page:
        text = self._text(template, self._language(language), **values)
        return Page(status, (*self._headers, _HTML), text.encode("utf-8", "replace"))

    def _text(self, template: str, language: str, **values: object) -> str:
        loaded = self._environments[language].get_template(template)
        return loaded.render(language=language, style=self._style, **values)


def _way(code: Code) -> Literal["sign_in", "leave", "start", "back", "link"]:
    """What the link of an error page does."""
    if code in LINKED_ANEW:
        return "link"
    kind = code.id.partition(".")[0]
    if code.status == 401:
        return "sign_in"
    if kind in _REFUSING:
        return "leave"
    return "start" if kind in _SIGNING_IN else "back"


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def _environment(language: str, texts: NullTranslations) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["size"] = lambda size: _size(size, _UNITS[language])
    environment.filters["moment"] = lambda at: datetime.fromtimestamp(at, UTC).strftime(_MOMENTS[language])
    return environment


def _size(size: int, units: tuple[str, str, str, str]) -> str:
    point, *names = units
    for unit, bytes in zip(names, (1 << 20, 1 << 10), strict=False):
        if size >= bytes:
            return f"{size / bytes:.1f} {unit}".replace(".", point)
    return f"{size} {names[-1]}"


def _slot(name: str) -> str:
    return f"{_MARK}{name}{_MARK}"


def _added(code: Code) -> Headers:
    """What a status asks for beside the page."""
    if code.status == 401:
        return (_SIGN_IN,)
    return (_RETRY_AFTER,) if code.status == 503 else ()
