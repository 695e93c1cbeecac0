"""The theme made ready for pages: the style and its digest for the policy, the logo as a part of the page, and what
stands at the top and the foot of every page, by language."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gateway.model.theme import Theme, logo_kind, said_in
from gateway.portal.http.dsfr import DSFR_TEMPLATES
from gateway.portal.http.responses import Headers, security_headers
from gateway.wire.cookies import LANGUAGE_NAMES, LANGUAGES

_STYLE = Path(__file__).parents[1] / "templates" / "style.css"
_DSFR_STYLE = DSFR_TEMPLATES / "style.css"

# A browser may keep a page in memory despite `no-store`, and show the page again to the next person who goes back.
# Chromium does so after a sign-out on another host, which changes no cookie of the page's host. No header prevents
# this.
ASKS_ANEW: Final = "addEventListener('pageshow',e=>{if(e.persisted)location.reload()})"
# Our pages must not be stored. A cache that stores them in spite of that must not mix languages.
_VARY = (b"Vary", b"Accept-Language, Cookie")


class Look:
    """`around`: by language, the values for the template of every page.
    `zone`: the time zone of displayed times. The other fields are response headers:
    `headers`: of a page.
    `own`: of a page with the person's own data.
    `choosing`: of a page with logos of providers, which are files of ours.
    `framed`: of a page allowed in any frame.
    `sending`: of a page whose form an application answers.
    """

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.zone = ZoneInfo(theme.time_zone)
        written = (_STYLE if theme.dsfr is None else _DSFR_STYLE).read_text("utf-8")
        style = written.replace("@light@", theme.colours.light).replace("@dark@", theme.colours.dark).strip()
        # The logo is a part of the page: nothing is loaded, and no script runs in an SVG that is shown as a picture.
        own, fonts, pictures = f"'sha256-{digest(style)}'", "", "" if theme.logo is None else "data:"
        if theme.dsfr is not None:
            # The style sheet of the design system with its files, and pictures inside the style sheet.
            own, fonts, pictures = f"'self' {own}", "; font-src 'self'", "'self' data:"
        loaded = f"default-src 'none'; style-src {own}{fonts}"
        self._style_policy = loaded + (f"; img-src {pictures}" if pictures else "")
        policy = f"{self._style_policy}; form-action 'self'; base-uri 'none'"
        logos = "img-src 'self' data:" if pictures else "img-src 'self'"
        choosing = f"{loaded}; {logos}; form-action 'self'; base-uri 'none'"
        self._search_policy = f"{choosing}; frame-ancestors 'none'; connect-src 'self'"
        self.headers = (*security_headers(f"{policy}; frame-ancestors 'none'"), _VARY)
        anew = f"script-src 'sha256-{digest(ASKS_ANEW)}'"
        self.own = (*security_headers(f"{policy}; frame-ancestors 'none'; {anew}"), _VARY)
        self.choosing = (*security_headers(f"{choosing}; frame-ancestors 'none'"), _VARY)
        # Browsers also apply form-action to the redirects that follow, and an application may redirect to any address.
        anywhere = policy.replace("form-action 'self'", "form-action 'self' https: http:")
        self.sending = (*security_headers(f"{anywhere}; frame-ancestors 'none'"), _VARY)
        self.framed = (*security_headers(policy, framed=True), _VARY)
        # For a page that cannot load files.
        self.alone = self if theme.dsfr is None else Look(replace(theme, dsfr=None))
        self.around = {language: _around(theme, language, style) for language in LANGUAGES}

    def posting(self, script: str, schemes: str) -> Headers:
        """Headers of a page whose script sends a form to an address with one of the schemes."""
        return security_headers(
            f"{self._style_policy}; script-src 'sha256-{digest(script)}'; "
            f"form-action {schemes}; base-uri 'none'; frame-ancestors 'none'"
        )

    def searching(self, script: str) -> Headers:
        """Headers of a page whose script searches on our own host."""
        return (*security_headers(f"{self._search_policy}; script-src 'sha256-{digest(script)}'"), _VARY)


def digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def _around(theme: Theme, language: str, style: str) -> Mapping[str, object]:
    accessibility = theme.accessibility
    about = {
        "help": said_in(theme.help, language),
        "legal": said_in(theme.links.legal, language).text,
        "data_protection": said_in(theme.links.data_protection, language).text,
        "accessibility": "" if accessibility is None else accessibility.state,
        "statement": "" if accessibility is None else said_in(accessibility.statement, language).text,
    }
    has_footer = accessibility is not None or any((theme.help, theme.links.legal, theme.links.data_protection))
    others = [(other, LANGUAGE_NAMES[other]) for other in LANGUAGES if other != language]
    name, logo = said_in(theme.name, language), _address(theme.logo)
    own: dict[str, object] = {"language": language, "style": style, "logo": logo, "name": name}
    if theme.dsfr is not None:
        own |= {"sheet": f"/_ecluse/dsfr/{theme.dsfr.digest}/dsfr.min.css", "mark": theme.dsfr.mark}
    return {**about, **own, "other_languages": others, "has_footer": has_footer}


def _address(logo: bytes | None) -> str:
    """RFC 2397"""
    return "" if logo is None else f"data:{logo_kind(logo)};base64,{b64encode(logo).decode()}"
