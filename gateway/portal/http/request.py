"""One request for the steps of the flow, and the steps' data for its response."""

import hmac
import re
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address, ip_address
from itertools import accumulate
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, quote

from gateway.access.inbound import InboundRequest
from gateway.config.host_applications import is_below
from gateway.config.snapshot import App
from gateway.identity.naming import name_of
from gateway.model.codes import portal_codes, route_codes, session_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, Need, need_query
from gateway.model.ports import Reader, ShownAgain
from gateway.model.transaction import OTHER_ACCOUNT, OTHER_ORGANISATION
from gateway.stores.records import Write
from gateway.wire.application_cookies import shared_cookies
from gateway.wire.cookies import (
    LANGUAGES,
    binding_hash,
    clear_cookie,
    language_asked,
    language_chosen,
    presented_binding,
    set_binding,
    set_language,
    twins,
)
from gateway.wire.navigation import is_same_site_frame, kind_of
from gateway.wire.target import safe_target

PREFIX = "/_ecluse/"
# 256 random bits: state, nonce, verifier and binding alike (base64url, 43 characters).
SECRET_BYTES = 32
_FORM = "application/x-www-form-urlencoded"
_SOAP = f"{PREFIX}saml/soap"
# Where directories tell of people.
SCIM = f"{PREFIX}scim/v2"
# The page of a kept post, by the id of its ticket.
KEPT = f"{PREFIX}kept"
# Pages that may be requested repeatedly. Requests for other paths spend a state, a code or a message.
_SHOWN = "login|start|acting|organisation|logout|signed-out|home|sessions|account(?:/request)?|kept"
_ASKED_AGAIN = re.compile(rf"(?:/|{PREFIX}(?:{_SHOWN}))(?:\?[!-~]*)?")
_ASKS_OTHERS = re.compile(rf"{PREFIX}(?:start|login|saml/(?:finish|discovery)|callback/[^/]*)")
# A parameter of a sign-in address: the provider asks for the account, even if the person is signed in.
ANOTHER = f"&{OTHER_ACCOUNT}=1"
# Likewise, after a choice of the sign-in service.
_OF_ANOTHER_ORGANISATION = f"&{OTHER_ACCOUNT}={OTHER_ORGANISATION}"
# How a choice of language stands behind another parameter.
CHOSEN = "&language="
_KEPT_POST = re.compile(rf"{KEPT}\?post=[A-Za-z0-9_-]{{43}}")
_PARAMETERS = 64
# The largest SAML message in base64, its lines broken and escaped, has some 26,000; unescaping 170,000 took 28 ms.
_ESCAPES = 40_000
_METHODS = 16
_METHOD = re.compile("[!-~]{1,64}")
_SECONDS = re.compile("[0-9]{1,9}")
# Characters of lines that clear what the browser brings: servers in front take heads of 4 KB and 8 KB, and another host
# of the domain may have set cookies by the hundred.
_MOST_CLEARED = 2500


class WayBack(NamedTuple):
    """The link on a refusal's page: the application, and the sign-in to start.

    `again`: the person asks for the link, so the loop counter restarts.
    `other_account`: as in BeginTransaction; the person still wants another account.
    """

    app: App
    host: str
    target: str
    again: bool = False
    need: Need = NO_NEED
    other_account: str = ""


class PortalRequest:
    """Read by the steps:
    `inbound`: the request as the data plane read it.
    `target`: the raw request target. `body`: the request's body.
    `cookie_line`: the browser's Cookie line unchanged: the application's cookies and ours.
    `asks_others`: a step of a sign-in that may take time while a person waits.
    `in_iframe`: the request declares an iframe as destination.
    `network`: the bound of open transactions: the client's address, or an IPv6 client's /64.
    `from_provider`: the path belongs to a protocol, and a form sent to it comes from a provider's page.

    Left by the steps:
    `cookies_to_set`: Set-Cookie values, also sent with a refusal.
    `way_back`: the link on a refusal's page.
    `provider`, `app_name`: for the log.
    `identity`: of the session of the page.
    `framed_by`: origins that may frame the response.
    `language`: chosen by this request; empty: not chosen.
    `uses_up`: one-time values that end with the last step of the sign-in, or with this request in any case.
    """

    __slots__ = (
        "_binding",
        "app",
        "app_name",
        "asks_others",
        "body",
        "client",
        "cookie_line",
        "cookies_to_set",
        "framed_by",
        "from_provider",
        "host",
        "identity",
        "in_iframe",
        "inbound",
        "kind",
        "language",
        "method",
        "need",
        "network",
        "on_portal_host",
        "path",
        "provider",
        "purpose",
        "request_id",
        "snapshot",
        "target",
        "uses_up",
        "way_back",
    )

    def __init__(self, inbound: InboundRequest, body: bytes) -> None:
        self.inbound = inbound
        self.snapshot = inbound.snapshot
        self.app = inbound.app
        if self.app is None and inbound.host != self.snapshot.gateway.portal_host:
            # Several applications divide the host, and our own pages belong to each of them. `app_here` chooses one.
            self.app = next(iter(self.snapshot.applications(inbound.host).below), None)
        self.host = inbound.host
        self.client = inbound.client
        self.network = _network(inbound.client)
        self.request_id = inbound.request_id
        self.purpose = inbound.purpose
        self.need = inbound.need
        self.language = ""
        self.method = "GET" if inbound.method == "HEAD" else inbound.method
        self.target = inbound.target
        self.path = self.target.partition("?")[0]
        self.body = body
        self._binding: str | None = None
        self.cookie_line = inbound.cookies
        self.kind: Literal["html", "json", "frame"] = "html"
        self.cookies_to_set: list[str] = []
        self.framed_by: tuple[str, ...] = ()
        self.from_provider = False
        self.provider = ""
        self.app_name = self.app.name if self.app else ""
        self.uses_up: tuple[Write, ...] = ()
        self.way_back: WayBack | None = None
        self.identity: Identity | None = None
        self.on_portal_host = self.host == self.snapshot.gateway.portal_host
        self.in_iframe = inbound.headers.get(b"sec-fetch-dest") == b"iframe"
        # In a frame no provider is asked, and no waiting page may be shown.
        is_page = inbound.method == "GET" and not self.in_iframe
        self.asks_others = self.on_portal_host and is_page and bool(_ASKS_OTHERS.fullmatch(self.path))

    @property
    def login_link(self) -> str:
        """The link of a refusal's page; empty on the portal where no application is known."""
        back = self._back()
        return "" if back is None else _login_link(back)

    @property
    def other_account_link(self) -> str:
        """Like `login_link`, but the portal asks for the account again even when a person is signed in."""
        back = self._back()
        return "" if back is None else _login_link(back._replace(other_account="1"))

    def _back(self) -> WayBack | None:
        if self.way_back is None and self.app is not None:
            return WayBack(self.app, self.host, self.app.home)
        return self.way_back

    @property
    def has_others(self) -> bool:
        """Whether the application that a page leads to takes several sign-in services."""
        app = self.app if self.way_back is None else self.way_back.app
        return app is not None and len(app.providers) > 1

    @property
    def apps_here(self) -> tuple[App, ...]:
        """The applications of this host."""
        return self.snapshot.applications(self.host).all

    @property
    def reader(self) -> Reader:
        app = self.app if self.way_back is None else self.way_back.app
        account = "" if self.identity is None else name_of(self.identity)
        language = self.language or language_asked(self.cookie_line, self.header(b"accept-language") or "")
        return Reader(language, {} if app is None else app.labels, account, self._again)

    @property
    def _again(self) -> ShownAgain:
        """The page at a challenge is of an address of the application's."""
        may_be = self.purpose == "challenge" or (self.purpose == "endpoint" and asked_again(self.target))
        return "address" if self.method == "GET" and may_be else "form"

    def header(self, name: bytes) -> str | None:
        """Returns the value of a header that the portal reads, by lower-case name. None: not sent."""
        value = self.inbound.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def parameters(self) -> dict[str, str]:
        """The query, read strictly: a parameter sent twice has no single meaning and is refused."""
        return _strictly(self.target.partition("?")[2])

    def form(self) -> dict[str, str]:
        """The fields of the body, as strictly."""
        return _strictly(self.body.decode("ascii", "surrogateescape"))

    def parameter(self, name: str) -> str:
        """Returns the value of a parameter; empty: absent."""
        return self.parameters().get(name, "")

    def binding(self) -> str | None:
        """SHA-256 (hex) of the binding cookie. None: no cookie."""
        if self._binding is None:
            value = presented_binding(self.cookie_line)
            self._binding = None if value is None else binding_hash(value)
        return self._binding

    def held(self, binding: str) -> str | None:
        """The browser's binding if it matches the record's binding, by the binding cookie or its twin; else None. A
        browser that sends only the twin gets the record's binding."""
        own = self.binding()
        if own is not None and hmac.compare_digest(own, binding):
            return own
        by_twin = any(hmac.compare_digest(binding_hash(twin), binding) for twin in twins(self.cookie_line, binding))
        return own or binding if by_twin else None

    def holds(self, binding: str) -> bool:
        return self.held(binding) is not None

    def binding_made(self, token_urlsafe: Callable[[int], str]) -> str:
        """As `binding`, and makes a binding if absent. An existing binding is never replaced: other tabs depend on
        it."""
        binding = self.binding()
        if binding is not None:
            return binding
        value = token_urlsafe(SECRET_BYTES).encode()
        self.cookies_to_set += set_binding(value)
        self._binding = binding_hash(value)
        return self._binding

    def require_navigation(self) -> None:
        """Invariant 10: images, frames, prefetches and scripts never begin a sign-in."""
        kind = kind_of(self.inbound.method.encode(), self.inbound.headers.items())
        if kind != "navigation":
            self.kind = "frame" if kind == "frame" else "json"
            raise GatewayError(
                session_codes.REQUIRED, f"a sign-in begins in the whole window, not by a request of kind {kind}"
            )

    def is_in_frame(self) -> bool:
        """For a request `in_iframe`: whether no other site took part. Refusals are then pages for frames."""
        found = is_same_site_frame(self.inbound.method.encode(), self.inbound.headers.items())
        if found:
            self.kind = "frame"
        return found

    def framed_at(self, app: App, host: str) -> None:
        """Allows the response in frames of the application's own pages and of the pages that its file lists."""
        self.framed_by = (*app.embedded_by, app.origin(host))


def _network(client: str) -> str:
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return address.exploded[:19] if isinstance(address, IPv6Address) else str(address)


def is_scim(request: PortalRequest) -> bool:
    """Whether the request may come from a directory: on the portal's host, where directories are listed."""
    listed = request.on_portal_host and bool(request.snapshot.gateway.scim.clients)
    return listed and request.path.startswith(f"{SCIM}/")


def require_form(request: PortalRequest) -> None:
    """A body that a browser sends us is a small form. The data plane has limited how much.

    Raises GatewayError(portal_codes.BODY). The fields: `PortalRequest.form`."""
    # Bindings 3.2.2: SOAP 1.1
    kind = "text/xml" if request.path == _SOAP else _FORM
    # RFC 9110 8.3.1
    if (request.header(b"content-type") or "").partition(";")[0].strip(" \t").lower() != kind:
        raise GatewayError(portal_codes.BODY, f"a body that is not {kind}")


def _strictly(encoded: str) -> dict[str, str]:
    if encoded.count("%") > _ESCAPES:
        raise GatewayError(portal_codes.PARAMETERS, f"over {_ESCAPES} escaped characters")
    try:
        # Bytes that are not UTF-8 stay recognisable; no value of ours, and no address, has such.
        pairs = parse_qsl(encoded, keep_blank_values=True, errors="surrogateescape", max_num_fields=_PARAMETERS)
    except ValueError as error:
        raise GatewayError(portal_codes.PARAMETERS, f"over {_PARAMETERS} parameters") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise GatewayError(portal_codes.PARAMETERS, "a parameter was sent twice")
    return found


def portal_home(request: PortalRequest) -> str:
    """The path of a person's own page on the portal's host, where `/` may be an application's."""
    return f"{PREFIX}home" if request.app is not None and request.on_portal_host else "/"


def of_another_organisation(link: str) -> str:
    """The link to choose a sign-in service, shown beside `link` for another account. Empty for other links."""
    return link.removesuffix(ANOTHER) + _OF_ANOTHER_ORGANISATION if link.endswith(ANOTHER) else ""


def asked_again(target: str) -> bool:
    """Whether a GET of this target of ours may be repeated and uses nothing up."""
    return _ASKED_AGAIN.fullmatch(target) is not None


def own_origin(request: PortalRequest) -> str:
    """The origin of the requested host, as browsers write it."""
    return request.app.origin(request.host) if request.app is not None else request.snapshot.gateway.portal_url


def language_query(request: PortalRequest) -> str:
    """The end of a query that carries the chosen language to the next host, because every host has its own cookie."""
    chosen = request.language or language_chosen(request.cookie_line)
    return f"{CHOSEN}{chosen}" if chosen else ""


def keep_language(request: PortalRequest) -> None:
    """Reads `language_query`. Safe to take from any link: the value changes only the language of our pages."""
    language = request.parameter("language")
    if language in LANGUAGES and language != language_chosen(request.cookie_line):
        request.language = language
        request.cookies_to_set.append(set_language(language))


def app_here(request: PortalRequest, target: str = "") -> App:
    """The application of this host. On a divided host, the application of `target`, for a page of ours."""
    app = request.app
    if target and request.purpose == "endpoint":
        app = request.snapshot.find_app(request.host, target) or app
    if app is None:
        raise GatewayError(route_codes.RESERVED, "no application on this host")
    return app


def return_target(app: App, raw: str) -> str:
    """The origin-form target to return to: `raw`, if it is a valid target of the application; else the home page. Of
    our own pages, only the page of a kept form.
    """
    if _KEPT_POST.fullmatch(raw) is not None:
        return raw
    own = not app.path or is_below(raw.partition("?")[0], app.path)
    return (safe_target(raw, app.leniency) if own else None) or app.home


def _login_link(back: WayBack) -> str:
    address = f"{back.app.origin(back.host)}{PREFIX}login?to={quote(back.target, safe='/')}"
    # At the end, where `of_another_organisation` looks for it.
    other = f"&{OTHER_ACCOUNT}={back.other_account}" if back.other_account else ""
    return address + ("&again=1" if back.again else "") + need_query(back.need) + other


def need_of(request: PortalRequest) -> Need:
    """Reads `need_query`. A link may demand a stronger sign-in than needed; an unreadable value demands nothing."""
    parameters = request.parameters()
    level, age = parameters.get("level", ""), parameters.get("max_age", "")
    amr = tuple(method for method in parameters.get("amr", "").split(" ")[:_METHODS] if _METHOD.fullmatch(method))
    seconds = int(age) if _SECONDS.fullmatch(age) else None
    return Need(level if level in request.snapshot.ladder.names else "", seconds, amr)


def clear_own(apps: Iterable[App], host: str, cookie_line: bytes, *, left: bool = False) -> list[str]:
    """The Set-Cookie values that clear applications' own cookies at the end of a session, as their files ask.

    `cookie_line`: the browser's Cookie line.
    `left`: the browser returns after an end other than a sign-out here.
    """
    found: dict[str, None] = {}
    for app in apps:
        logout = app.logout
        # Browsers accept a Domain only from a host within the domain.
        domains = ["", *(one for one in logout.cookie_domains if host == one or host.endswith(f".{one}"))]
        found |= dict.fromkeys(clear_cookie(name, path, domain) for name, path in logout.cookies for domain in domains)
        if logout.all_left if left else logout.all_cookies:
            names = shared_cookies(app.edits.cookies, app.cookie_names).brought(cookie_line)
            brought = [name.decode("ascii") for name in names]
            # Clears every cookie at the usual path first: if there are too many lines, these count most.
            spots = [(path, domain) for path in logout.cookie_paths for domain in domains]
            lines = [clear_cookie(name, path, domain) for path, domain in spots for name in brought]
            sizes = accumulate(map(len, lines))
            found |= dict.fromkeys(line for line, size in zip(lines, sizes, strict=True) if size <= _MOST_CLEARED)
    return list(found)
