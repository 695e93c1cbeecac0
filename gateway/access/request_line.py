"""What a request line asks of the application of a host, in one reading (invariant 2)."""

from typing import Final, Literal, NamedTuple, final

from gateway.access.own_paths import OF_FRONTS, OF_PORTAL, PREFIX, RESERVED, RESERVED_BEFORE
from gateway.config.api import OpaqueTokens
from gateway.config.exchange_limits import ExchangeLimits
from gateway.config.snapshot import App
from gateway.model.codes import limit_codes
from gateway.model.errors import GatewayError
from gateway.policy.routes import Match
from gateway.wire.framing import REQUEST_LINE, request_line_fault, request_line_of
from gateway.wire.host import canonical_host
from gateway.wire.mounts import Mount
from gateway.wire.target import PathLeniency, Target, absolute_form, canonical_target

# Keys that an application has at most; and how many of the oldest are looked at for one that may go.
_KEYS: Final = 4096
_LOOKED_AT: Final = 8
_WITH_CONTENT: Final = frozenset({b"POST", b"PUT", b"PATCH"})
LINE_REMEMBERED: Final = 320
"""Bytes of a line that is remembered, at most."""
LINES: Final = 4096
"""Lines that a host's table remembers, at most."""
# RFC 9110 9.2.2
REPEATABLE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})


class ReachedPath(NamedTuple):
    """`match`: the deciding match; None: no rule covers the path.
    `method`: the method for the rules.
    `has_path`: the facts of the request are complete; False for a question about many paths.
    """

    match: Match | None
    method: str
    has_path: bool


Purpose = Literal["application", "endpoint", "logout", "reserved"]

RouteMatches = tuple[Match | None, ...]
"""Of the live rules, then of each shadow: it may tell two paths apart that are one to the live rules."""


@final
class MatchKey:
    """The key under which each person keeps decisions for a method on such paths; distinct per application and
    snapshot.

    `let_in`: a decision about a signed-in person exists.
    """

    __slots__ = ("let_in",)

    def __init__(self) -> None:
        self.let_in = False


def added_key(keys: dict[tuple[object, ...], MatchKey], matched: tuple[object, ...]) -> MatchKey:
    """A new key for the application's `keys`. Strangers can reach any number of rules: without room, a stranger's old
    key is dropped, or the new key is not kept.
    """
    key = MatchKey()
    if len(keys) < _KEYS or _one_went(keys):
        keys[matched] = key
    return key


def _one_went(keys: dict[tuple[object, ...], MatchKey]) -> bool:
    """Whether there is room now. A signed-in person's key stays, and counts as the newest from then on."""
    for _ in range(_LOOKED_AT):
        oldest = next(iter(keys))
        key = keys.pop(oldest)
        if not key.let_in:
            return True
        keys[oldest] = key
    return False


class RequestLine:
    """One request line, read once.

    `purpose`: "endpoint": a path of the gateway's own. "logout": an application's address for signing out. "reserved":
    a path that is never served. "application": the only purpose that reaches an application.
    `authority`: the canonical host of an absolute-form target, which must equal Host.
    `judged`: the method for the rules, mostly `method`.
    `matches`: by the application's live rules, and by each shadow.
    `key`: shared by the lines with the same matches and method.
    `also`: further paths of a WebDAV request, which must be allowed too (access.webdav).
    `limits`: the limits of the path; None: the limits of the application or the portal.
    `opaque_tokens`: the opaque tokens that programs may send to the path; None: programs send no token there.
    `let_in`: a signed-in person sent the line (gateway.access.remembered).
    `minor`: HTTP/1.1, not 1.0. `plain`: HTTP/1.1, and not HEAD.
    `text`, `ending`: the beginning and the end of a head without a body for upstream, always HTTP/1.1.
    `asked`: the browser's form of `text`, which differs if the application has its pages at another path (`mount`).
    """

    __slots__ = (
        "also", "asked", "authority", "ending", "judged", "key", "let_in", "limits", "matches", "method", "minor",
        "opaque_tokens", "plain", "purpose", "repeatable", "target", "text",
    )  # fmt: skip

    def __init__(
        self,
        method: bytes,
        target: Target,
        *,
        minor: bool,
        purpose: Purpose,
        key: MatchKey,
        judged: bytes,
        matches: RouteMatches,
        authority: str | None = None,
        also: tuple[ReachedPath, ...] = (),
        mount: Mount | None = None,
        limits: ExchangeLimits | None = None,
        opaque_tokens: tuple[OpaqueTokens, ...] | None = None,
    ) -> None:
        self.let_in = False
        self.also = also
        self.limits = limits
        self.opaque_tokens = opaque_tokens
        self.method = method
        self.matches = matches
        self.judged = judged
        self.target = target
        self.minor = minor
        self.authority = authority
        self.purpose: Purpose = purpose
        self.key = key
        self.text = self.asked = b"%b %b HTTP/1.1" % (method, target.raw)
        if mount is not None:
            self.text = b"%b %b HTTP/1.1" % (method, mount.target(target.raw))
        # RFC 9110 8.6: some servers wait for a body where nothing says that there is none.
        self.ending = b"\r\nContent-Length: 0\r\n\r\n" if method in _WITH_CONTENT else b"\r\n\r\n"
        self.repeatable = method in REPEATABLE
        self.plain = minor and method != b"HEAD"

    def version(self) -> str:
        return "1.1" if self.minor else "1.0"


class LineParts(NamedTuple):
    """`minor`: HTTP/1.1, not 1.0. `authority`: as of RequestLine."""

    method: bytes
    target: Target
    minor: bool
    authority: str | None


def parts_of(text: bytes, methods: tuple[str, ...], leniency: PathLeniency, longest: int) -> LineParts:
    """Reads the first line of a head, without its CRLF. `methods`: allowed beside the usual methods. `longest`: the
    most bytes of a target. Raises GatewayError."""
    found = (request_line_of(methods) if methods else REQUEST_LINE).fullmatch(text)
    if found is None:
        raise request_line_fault(text, methods)
    method, raw, minor = found.groups()
    if len(raw) > longest:
        raise GatewayError(limit_codes.URL, f"{len(raw)} bytes")
    authority = None
    if not raw.startswith(b"/"):
        _, named, raw = absolute_form(raw)
        authority = canonical_host(named, underscore=True)
    return LineParts(method, canonical_target(raw, leniency), minor == b"1", authority)


def purpose_on_portal(target: Target) -> Purpose:
    """On a portal host without an application."""
    path = target.path
    return "endpoint" if path in OF_PORTAL or _is_below_prefix(path) else "reserved"


def _is_below_prefix(path: bytes) -> bool:
    return path == PREFIX or path.startswith(PREFIX + b"/")


def purpose_of(app: App, target: Target) -> Purpose:
    # Also where the app knows no case: no spelling of our prefix reaches an application.
    first = target.segments[0].lower()
    if first == RESERVED or first.startswith(RESERVED_BEFORE):
        return "endpoint" if _is_below_prefix(target.path) else "reserved"
    if app.front and first == OF_FRONTS.get(app.front):
        return "endpoint"
    if app.logout.links.find(target.segments) is not None:
        return "logout"
    links, query = app.logout.query_links, target.query
    return "logout" if links is not None and query and links.have(target.segments, query) else "application"
