"""One request as the steps of the flow read it, and the little that they leave on it for its response."""

import hmac
import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Literal
from urllib.parse import parse_qsl, quote

from gateway.config.lanes import InboundRequest
from gateway.config.snapshot import App
from gateway.model.codes import PATH_RESERVED, PORTAL_BODY, PORTAL_PARAMETERS, SIGN_IN_REQUIRED
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_NEED, Need, need_query
from gateway.portal.http import cookies
from gateway.wire.cookies import BINDING_COOKIE, SESSION_COOKIE, read_cookie
from gateway.wire.navigation import kind_of
from gateway.wire.target import safe_target

PREFIX = "/_ecluse/"
# 256 random bits: state, nonce, verifier and binding alike (base64url, 43 characters).
SECRET_BYTES = 32
_FORM = "application/x-www-form-urlencoded"
_SOAP = f"{PREFIX}saml/soap"
_PARAMETERS = 64
# The largest SAML message in base64, its lines broken and escaped, has some 26,000; unescaping 170,000 took 28 ms.
_ESCAPES = 40_000
_METHODS = 16
_METHOD = re.compile("[!-~]{1,64}")
_SECONDS = re.compile("[0-9]{1,9}")


class PortalRequest:
    """`inbound`: what the data plane has read. `target` is the raw request target, `body` what was sent with it,
    `cookie_line` what the browser sent as it came, the application's own cookies with ours. What steps leave:
    `cookies_to_set` (Set-Cookie values, also sent when the request ends on a refusal), `way_back` (by `lead_back`),
    `provider` and `app_name` (for the log)."""

    __slots__ = (
        "_binding",
        "_way_back",
        "app",
        "app_name",
        "body",
        "client",
        "cookie_line",
        "cookies_to_set",
        "host",
        "inbound",
        "kind",
        "method",
        "need",
        "path",
        "provider",
        "purpose",
        "request_id",
        "snapshot",
        "target",
    )

    def __init__(self, inbound: InboundRequest, body: bytes) -> None:
        self.inbound = inbound
        self.snapshot = inbound.snapshot
        self.app = inbound.app
        self.host = inbound.host
        self.client = inbound.client
        self.request_id = inbound.request_id
        self.purpose = inbound.purpose
        self.need = inbound.need
        self.method = "GET" if inbound.method == "HEAD" else inbound.method
        self.target = inbound.target
        self.path = self.target.partition("?")[0]
        self.body = body
        self._binding: str | None = None
        self.cookie_line = inbound.cookies
        self.kind: Literal["html", "json", "frame"] = "html"
        self.cookies_to_set: list[str] = []
        self.provider = ""
        self.app_name = self.app.name if self.app else ""
        self._way_back: tuple[App, str, str, bool, Need] | None = None

    def lead_back(self, app: App, host: str, target: str, *, again: bool = False, need: Need = NO_NEED) -> None:
        """From here on a refusal's page leads to a sign-in for `target`. `again`: a person asked for it, so that rounds
        count from 0."""
        self._way_back = (app, host, target, again, need)

    @property
    def way_back(self) -> str:
        """The link of a refusal's page; empty on the portal where no application is known."""
        if self._way_back is not None:
            return _login_link(*self._way_back)
        return "" if self.app is None else _login_link(self.app, self.host, "/", False, NO_NEED)

    @property
    def language(self) -> str:
        return self.header(b"accept-language") or ""

    def header(self, name: bytes) -> str | None:
        """By its lower-case name, if it is one that the portal reads; None where it was not sent."""
        value = self.inbound.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def on_portal_host(self) -> bool:
        return self.host == self.snapshot.gateway.portal_host

    @property
    def network(self) -> str:
        """What open transactions are bounded by: the address, or the /64 that one IPv6 client holds."""
        try:
            address = ip_address(self.client)
        except ValueError:
            return self.client
        return address.exploded[:19] if isinstance(address, IPv6Address) else str(address)

    def parameters(self) -> dict[str, str]:
        """The query, read strictly: a parameter sent twice has no single meaning and is refused."""
        return _strictly(self.target.partition("?")[2])

    def form(self) -> dict[str, str]:
        """The fields of the body, as strictly."""
        return _strictly(self.body.decode("ascii", "surrogateescape"))

    def parameter(self, name: str) -> str:
        """One parameter; empty where it is absent."""
        return self.parameters().get(name, "")

    def seat_cookie(self) -> bytes | None:
        value = read_cookie(self.cookie_line, SESSION_COOKIE)
        return value if value is not None and cookies.is_seat(value) else None

    def binding(self) -> str | None:
        """SHA-256 (hex) of the binding cookie, None where the browser brought none."""
        if self._binding is None:
            value = read_cookie(self.cookie_line, BINDING_COOKIE)
            if value is not None and cookies.is_binding(value):
                self._binding = cookies.binding_hash(value)
        return self._binding

    def holds(self, binding: str) -> bool:
        """Whether this is the browser that a record is bound to: by the binding cookie, or by its twin."""
        own = self.binding()
        if own is not None and hmac.compare_digest(own, binding):
            return True
        twins = map(cookies.binding_hash, cookies.twins(self.cookie_line, binding))
        return any(hmac.compare_digest(twin, binding) for twin in twins)

    def binding_made(self, token_urlsafe: Callable[[int], str]) -> str:
        """The same as `binding`, made once where absent; one that is there is never replaced: other tabs rely on it."""
        binding = self.binding()
        if binding is not None:
            return binding
        value = token_urlsafe(SECRET_BYTES).encode()
        self.cookies_to_set += cookies.set_binding(value)
        self._binding = cookies.binding_hash(value)
        return self._binding

    def require_navigation(self) -> None:
        """Invariant 10: no image, frame, prefetch or script begins a sign-in, whatever page it is on."""
        kind = kind_of(self.inbound.method.encode(), self.inbound.headers.items())
        if kind != "navigation":
            self.kind = "frame" if kind == "frame" else "json"
            raise GatewayError(SIGN_IN_REQUIRED, f"a sign-in begins at the top, not by a request of kind {kind}")


def require_form(request: PortalRequest) -> None:
    """A browser may send us nothing, or a small form. The data plane has limited how much.

    Raises GatewayError(PORTAL_BODY). The fields: `PortalRequest.form`."""
    if not request.body:
        return
    # Bindings 3.2.2: SOAP 1.1
    kind = "text/xml" if request.path == _SOAP else _FORM
    # RFC 9110 8.3.1
    if (request.header(b"content-type") or "").partition(";")[0].strip(" \t").lower() != kind:
        raise GatewayError(PORTAL_BODY, f"a body that is not {kind}")


def _strictly(encoded: str) -> dict[str, str]:
    if encoded.count("%") > _ESCAPES:
        raise GatewayError(PORTAL_PARAMETERS, f"over {_ESCAPES} escaped characters")
    try:
        # Bytes that are not UTF-8 stay recognisable; no value of ours, and no address, has such.
        pairs = parse_qsl(encoded, keep_blank_values=True, errors="surrogateescape", max_num_fields=_PARAMETERS)
    except ValueError as error:
        raise GatewayError(PORTAL_PARAMETERS, f"over {_PARAMETERS} parameters") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise GatewayError(PORTAL_PARAMETERS, "a parameter was sent twice")
    return found


def app_here(request: PortalRequest) -> App:
    if request.app is None:
        raise GatewayError(PATH_RESERVED, "no application on this host")
    return request.app


def return_target(app: App, raw: str) -> str:
    """The origin-form target to come back to: `raw` where the app's host could be asked for it, else its home page."""
    return safe_target(raw, app.leniency) or "/"


def _login_link(app: App, host: str, target: str, again: bool, need: Need) -> str:
    address = f"{app.origin(host)}{PREFIX}login?to={quote(target, safe='/')}{'&again=1' if again else ''}"
    return address + need_query(need)


def need_of(request: PortalRequest) -> Need:
    """What `need_query` wrote. Any link may ask for a stronger sign-in than is needed; what cannot be read asks for
    nothing."""
    parameters = request.parameters()
    level, age = parameters.get("level", ""), parameters.get("max_age", "")
    amr = tuple(method for method in parameters.get("amr", "").split(" ")[:_METHODS] if _METHOD.fullmatch(method))
    seconds = int(age) if _SECONDS.fullmatch(age) else None
    return Need(level if level in request.snapshot.ladder.names else "", seconds, amr)
