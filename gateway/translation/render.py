"""From an identity to the header lines and cookies that one application understands."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar, assert_never

from gateway.model.codes import TRANSLATION_SPEC, TRANSLATION_UNENCODABLE
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.names import fold
from gateway.translation.charset import Encoding, Unencodable, encode

# Bytes that one identity may add to a request. By default, Tomcat and IIS accept 8 to 16 KiB of headers.
MOST_BYTES = 32768


@dataclass(frozen=True, slots=True)
class FromAttribute:
    """The values of an attribute, or `subject`, `provider`, `issuer`. Without `join`, only one value can be sent."""

    name: str
    join: str | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A fixed text. `secret`: no tool and no page shows it."""

    text: str
    secret: bool = False


Source = FromAttribute | Constant


@dataclass(frozen=True, slots=True)
class HeaderSpec:
    name: str
    source: Source
    encoding: Encoding = "utf8"
    unencodable: Unencodable = "refuse"


@dataclass(frozen=True, slots=True)
class CookieSpec:
    name: str
    source: Source
    encoding: Encoding = "utf8"
    unencodable: Unencodable = "refuse"


Spec = HeaderSpec | CookieSpec
SpecT = TypeVar("SpecT", HeaderSpec, CookieSpec)


@dataclass(frozen=True, slots=True)
class Injection:
    """Ready bytes. `headers`: lines, each b"\\r\\nName: value". `cookies`: b"a=b; c=d", or b"" if there is none."""

    headers: bytes
    cookies: bytes


NOTHING = Injection(b"", b"")

_SHARED = 1024
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")  # RFC 9110 5.6.2, without the underscore
_COOKIE_TOKEN = re.compile(r"[A-Za-z0-9!#$&'*+.^_`|~-]+")  # RFC 6265 4.1.1, without the percent sign that PHP decodes
_COOKIE_OCTETS = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")  # RFC 6265 4.1.1
_JOIN = re.compile(r"[\x20-\x7e]{1,8}")

# Names that the gateway writes, hop-by-hop ones, those about the content, and those that change the target.
_RESERVED = frozenset(
    fold(name)
    for name in (
        b"Connection", b"HTTP2-Settings", b"Keep-Alive", b"Proxy-Authenticate", b"Proxy-Authentication-Info",
        b"Proxy-Authorization", b"Proxy-Connection", b"TE", b"Trailer", b"Transfer-Encoding", b"Upgrade",
        b"Host", b"Cookie", b"Set-Cookie", b"Expect", b"Proxy", b"Range", b"If-Range",
        b"Forwarded", b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"X-Real-IP",
        b"X-Request-Id", b"traceparent", b"tracestate",
        b"X-Forwarded-Method", b"X-Forwarded-Uri", b"X-HTTP-Method", b"X-HTTP-Method-Override", b"X-Method-Override",
        b"X-Original-Host", b"X-Original-Method", b"X-Original-URI", b"X-Original-URL", b"X-Rewrite-URL",
    )
)  # fmt: skip
_RESERVED_PREFIXES = (b"content", b"ecluse", b"xecluse")
_OUR_COOKIES = b"hostecluse"


def check_header(spec: HeaderSpec) -> None:
    """Raises GatewayError(TRANSLATION_SPEC) with the reason."""
    if not _TOKEN.fullmatch(spec.name):
        raise _bad(spec, "not a header name: letters, digits and `-`, no `_`")
    folded = fold(spec.name.encode())
    if not folded:
        raise _bad(spec, "a header name needs a letter or a digit")
    if folded in _RESERVED or folded.startswith(_RESERVED_PREFIXES):
        raise _bad(spec, "this header is written by the gateway or says how a message is read: choose another name")
    _check_source(spec)


def check_cookie(spec: CookieSpec) -> None:
    """Raises GatewayError(TRANSLATION_SPEC) with the reason."""
    if not _COOKIE_TOKEN.fullmatch(spec.name):
        raise _bad(spec, "not a cookie name")
    folded = fold(spec.name.encode())
    if not folded:
        raise _bad(spec, "a cookie name needs a letter or a digit")
    if folded.startswith(_OUR_COOKIES):
        raise _bad(spec, "this cookie is the gateway's own")
    _check_source(spec)


@lru_cache(_SHARED)
def _folded(names: frozenset[str]) -> frozenset[bytes]:
    """Applications that are told the same names share them."""
    return frozenset(fold(name.encode()) for name in names)


class Translation:
    """What one application is told about a person. `header_folds`, `cookie_names`: folded (model.names) names that no
    client may send to it, whether or not there is a value to inject."""

    __slots__ = ("cookie_names", "cookies", "header_folds", "headers")

    def __init__(self, headers: tuple[HeaderSpec, ...], cookies: tuple[CookieSpec, ...]) -> None:
        self.headers = headers
        self.cookies = cookies
        self.header_folds = _folded(frozenset(spec.name for spec in headers))
        self.cookie_names = _folded(frozenset(spec.name for spec in cookies))

    @classmethod
    def compile(cls, headers: Iterable[HeaderSpec], cookies: Iterable[CookieSpec]) -> "Translation":
        """Raises GatewayError(TRANSLATION_SPEC) for a bad spec, or for two names that a server may read as one."""
        found = cls(tuple(headers), tuple(cookies))
        _check_all(found.headers, check_header)
        _check_all(found.cookies, check_cookie)
        return found

    def about_the_person(self) -> "Translation":
        """The translation without constants, which may be secrets of a service account that no person may read."""
        return Translation(
            tuple(spec for spec in self.headers if isinstance(spec.source, FromAttribute)),
            tuple(spec for spec in self.cookies if isinstance(spec.source, FromAttribute)),
        )

    def named(self, name: str) -> Spec | None:
        """The header or cookie of this name; with an empty name, the first that says something about the person."""
        told: tuple[Spec, ...] = (*self.headers, *self.cookies)
        found = (spec for spec in told if (spec.name == name if name else isinstance(spec.source, FromAttribute)))
        return next(found, None)

    def known_again(self, name: str, value: bytes) -> Injection:
        """The constants, and `value`, which was rendered for one person before, under `name` (see `named`)."""
        spec = self.named(name) if value else None

        def lines(specs: Iterable[Spec]) -> list[tuple[bytes, bytes]]:
            constant = [one for one in specs if one is spec or isinstance(one.source, Constant)]
            return [(one.name.encode(), value if one is spec else render_one(one, _NOBODY)) for one in constant]

        return _injection(lines(self.headers), lines(self.cookies))

    def render(self, identity: Identity | None) -> Injection:
        """The bytes for one person. For None there are none, not even constants, which an application could take for a
        sign-in. Raises GatewayError(TRANSLATION_UNENCODABLE), with the name of the header or cookie, not its value.
        """
        if identity is None:
            return NOTHING
        headers = [(spec.name.encode(), value) for spec in self.headers if (value := render_one(spec, identity))]
        cookies = [(spec.name.encode(), value) for spec in self.cookies if (value := render_one(spec, identity))]
        injection = _injection(headers, cookies)
        if len(injection.headers) + len(injection.cookies) > MOST_BYTES:
            raise GatewayError(TRANSLATION_UNENCODABLE, f"all headers and cookies together: over {MOST_BYTES} bytes")
        return injection


def _injection(headers: list[tuple[bytes, bytes]], cookies: list[tuple[bytes, bytes]]) -> Injection:
    return Injection(
        b"".join(b"\r\n%b: %b" % line for line in headers), b"; ".join(b"%b=%b" % pair for pair in cookies)
    )


def render_one(spec: Spec, identity: Identity) -> bytes:
    """One value as it is sent; b"" if there is none. Then nothing is sent: some servers drop an empty header, and
    others misread it."""
    try:
        encoded = _encoded(spec, identity)
        if isinstance(spec, CookieSpec) and not _COOKIE_OCTETS.fullmatch(encoded):
            raise GatewayError(TRANSLATION_UNENCODABLE, "a character that no cookie can hold, such as `;` or a blank")
    except GatewayError as error:
        raise GatewayError(error.code, f"{spec.name}: {error.detail}") from None
    return encoded


def _encoded(spec: Spec, identity: Identity) -> bytes:
    match spec.source:
        case Constant(text):
            return encode(text, spec.encoding, spec.unencodable) or b""
        case FromAttribute(name, join):
            encoded = [encode(value, spec.encoding, spec.unencodable) for value in _values(identity, name)]
            # Nothing is sent in part: where one value is dropped, all are.
            return b"" if None in encoded else _joined([value for value in encoded if value], join)
        case _:
            assert_never(spec.source)


def _values(identity: Identity, name: str) -> tuple[str, ...]:
    match name:
        case "subject":
            return (identity.subject,)
        case "provider":
            return (identity.provider,)
        case "issuer":
            return (identity.issuer,)
        case _ if name in identity.left_out:
            return ()
        case _:
            return identity.attributes.get(name, ())


def _joined(values: list[bytes], join: str | None) -> bytes:
    """Join values. Each is encoded by itself, so that the application splits first and decodes then.

    Separators are looked for in the encoded bytes: NFC turns U+037E into `;`, and `percent` or `base64` hide one.
    """
    if join is None:
        if len(values) > 1:
            raise GatewayError(TRANSLATION_UNENCODABLE, f"{len(values)} values and no `join`")
        return b"".join(values)
    # Applications split at `;` and trim, whatever blanks we write around it.
    separators = (join.strip() or join).encode("ascii")
    for value in values:
        if any(byte in separators for byte in value):
            raise GatewayError(TRANSLATION_UNENCODABLE, f"a value holds the separator `{join}`")
        if value.endswith(b"\\"):
            # By Shibboleth's convention, `\;` is no separator.
            raise GatewayError(TRANSLATION_UNENCODABLE, "a value ends with `\\`, which would hide the separator")
    return join.encode("ascii").join(values)


def _check_source(spec: Spec) -> None:
    match spec.source:
        case FromAttribute(name, join):
            if not name:
                raise _bad(spec, "`from` names no attribute")
            if join is not None and not _JOIN.fullmatch(join):
                raise _bad(spec, "`join` is 1 to 8 visible ASCII characters or blanks")
            if join is not None and isinstance(spec, CookieSpec) and not _COOKIE_OCTETS.fullmatch(join.encode()):
                raise _bad(spec, f"no cookie can hold `{join}`")
        case Constant():
            try:
                value = render_one(spec, _NOBODY)
            except GatewayError as error:
                raise _bad(spec, error.detail) from None
            if not value:
                raise _bad(spec, "an empty value: some servers drop it, others misread it")


_NOBODY = Identity(provider="", issuer="", subject="", attributes={})


def _check_all(specs: Iterable[SpecT], check: Callable[[SpecT], None]) -> None:
    seen: dict[bytes, str] = {}
    for spec in specs:
        check(spec)
        folded = fold(spec.name.encode())
        if folded in seen:
            raise _bad(spec, f"some server reads it as `{seen[folded]}`, which is injected too")
        seen[folded] = spec.name


def _bad(spec: Spec, why: str) -> GatewayError:
    kind = "header" if isinstance(spec, HeaderSpec) else "cookie"
    return GatewayError(TRANSLATION_SPEC, f"{kind} `{spec.name}`: {why}")
