"""The choice of a language. Keeps the choice and shows the page again in the language.

A page with a repeatable request is requested again. Other pages, such as the answer to a form or to a provider's
message, are made again from the values in their own form, without repeating a step.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.model.codes import account_codes, portal_codes
from gateway.model.codes.table import all_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.portal.http.error_page import may_choose
from gateway.portal.http.request import (
    PortalRequest,
    asked_again,
    own_origin,
    portal_home,
)
from gateway.portal.http.responses import redirect
from gateway.portal.logout.signed_out import way_back
from gateway.portal.services import PortalServices
from gateway.wire.cookies import LANGUAGES, presented_seat, set_language
from gateway.wire.navigation import is_same_origin
from gateway.wire.target import safe_target

_CODES: Final = {code.id: code for code in all_codes() if code.status}
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_SECONDS: Final = re.compile("[0-9]{1,11}")
# The most characters of an application's own text in its file.
_LONGEST_TEXT: Final = 2000


class LanguagePage:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def by_link(self, request: PortalRequest) -> Page:
        """Answers `GET /_ecluse/language?language=`. Returns to the page that the Referer names; without a Referer, to
        the home page."""
        ours, referer = own_origin(request), request.header(b"referer") or ""
        if not referer.startswith(f"{ours}/") and request.header(b"sec-fetch-site") != "same-origin":
            raise GatewayError(
                account_codes.CROSS_SITE, "a choice of language that was not made on a page of this host"
            )
        _choose(request, request.parameter("language"))
        return redirect(ours + _target(request, referer.removeprefix(ours)))

    async def by_form(self, request: PortalRequest) -> Page:
        """Answers `POST /_ecluse/language`. The page names its own address, to come back."""
        origin, site = request.inbound.headers.get(b"origin"), request.inbound.headers.get(b"sec-fetch-site")
        if not is_same_origin(origin, site, own_origin(request).encode("ascii")):
            raise GatewayError(
                account_codes.CROSS_SITE, "a choice of language that was not made on a page of this host"
            )
        fields = request.form()
        _choose(request, fields.get("language", ""))
        if "page" not in fields:
            return redirect(own_origin(request) + _target(request, fields.get("to", "")))
        return await self._anew(request, fields)

    async def _anew(self, request: PortalRequest, fields: Mapping[str, str]) -> Page:
        pages, page = self._services.pages, fields["page"]
        cookie = presented_seat(request.cookie_line)
        seat = None if cookie is None else await self._services.sessions.load(request.host, cookie)
        request.identity = seat.identity if seat is not None and seat.live else None
        back = way_back(request, fields.get("back", ""))
        if page in ("signed_in", "seen_again"):
            return pages.signed_in(request.reader, portal_home(request), again=page == "seen_again")
        until = fields.get("until", "")
        if page == "post_kept" and back and _SECONDS.fullmatch(until):
            return pages.post_kept(request.reader, until=int(until), login_url=back)
        code, reference = _CODES.get(page), fields.get("reference", "")
        if code is None or _REFERENCE.fullmatch(reference) is None:
            raise GatewayError(portal_codes.PARAMETERS, "no page that can be shown again")
        texts = {language: fields.get(f"refusal.{language}", "")[:_LONGEST_TEXT] for language in ("", *LANGUAGES)}
        refusal = tuple((language, text) for language, text in texts.items() if text)
        return pages.render(
            code,
            kind="html",
            reader=request.reader,
            reference=reference,
            login_url=back,
            refusal=refusal,
            has_others=may_choose(request, code),
        )


def _choose(request: PortalRequest, language: str) -> None:
    if language not in LANGUAGES:
        raise GatewayError(portal_codes.PARAMETERS, "no language of ours")
    request.language = language
    request.cookies_to_set.append(set_language(language))


def _target(request: PortalRequest, wanted: str) -> str:
    """Returns an address of this host with a repeatable request, else the way home (invariant 11)."""
    if asked_again(wanted) and (request.app is None or not wanted.startswith("/?")):
        return wanted
    app = request.snapshot.find_app(request.host, wanted) or request.app
    return "/" if app is None else safe_target(wanted, app.leniency) or "/"
