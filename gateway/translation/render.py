"""Renders an identity as the header lines and cookies of one application."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeVar, assert_never

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.names import fold
from gateway.translation.charset import LACKING, Encoding, clean, encode, unpadded
from gateway.translation.specs import Constant, CookieSpec, FromAttribute, HeaderSpec, Spec, Template
from gateway.translation.transforms import check_transform, transformed

BUDGET: Final = 8192
"""The most bytes that an identity adds to a request, by default: Tomcat, IIS and nginx accept 8 to 16 KiB of
headers."""

KNOWN_OF_ALL: Final = frozenset({"subject", "provider", "issuer", "acr", "authenticated_at"})
"""Names that need no mapping in a provider's file, and cannot be the name of an attribute. `authenticated_at` is in
Unix seconds."""

SpecT = TypeVar("SpecT", HeaderSpec, CookieSpec)


@dataclass(frozen=True, slots=True)
class Injection:
    """Ready bytes.

    `headers`: lines of the form b"\\r\\nName: value".
    `cookies`: b"a=b; c=d"; b"" without cookies."""

    headers: bytes
    cookies: bytes


NOTHING = Injection(b"", b"")

_SHARED = 1024
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 5.6.2
_COOKIE_TOKEN = re.compile(r"[A-Za-z0-9!#$&'*+.^_`|~-]+")  # RFC 6265 4.1.1, without the percent sign that PHP decodes
_COOKIE_OCTETS = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")  # RFC 6265 4.1.1
_ESCAPED = re.compile("%[0-9A-Fa-f]{2}")
_JOIN = re.compile(r"[\x20-\x7e]{1,8}")

# Headers of the gateway, hop-by-hop headers, headers about the content, and headers that change the target.
_RESERVED = frozenset(
    fold(name)
    for name in (
        b"Connection", b"HTTP2-Settings", b"Keep-Alive", b"Proxy-Authenticate", b"Proxy-Authentication-Info",
        b"Proxy-Authorization", b"Proxy-Connection", b"TE", b"Trailer", b"Transfer-Encoding", b"Upgrade",
        b"Host", b"Cookie", b"Set-Cookie", b"Expect", b"Proxy", b"Range", b"If-Range",
        b"Depth", b"Destination", b"If",
        b"Forwarded", b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"X-Real-IP",
        b"X-Request-Id", b"traceparent", b"tracestate",
        b"X-Forwarded-Method", b"X-Forwarded-Uri", b"X-HTTP-Method", b"X-HTTP-Method-Override", b"X-Method-Override",
        b"X-Original-Host", b"X-Original-Method", b"X-Original-URI", b"X-Original-URL", b"X-Rewrite-URL",
    )
)  # fmt: skip
_RESERVED_PREFIXES = (b"content", b"ecluse", b"xecluse")
_OUR_COOKIES = b"hostecluse"


def check_header(spec: HeaderSpec) -> None:
    """Raises GatewayError(translation_codes.SPEC) with the reason."""
    if not _TOKEN.fullmatch(spec.name):
        raise _bad(spec, "not a header name: letters, digits, `-` and `_`")
    folded = fold(spec.name.encode())
    if not folded:
        raise _bad(spec, "a header name needs a letter or a digit")
    if folded in _RESERVED or folded.startswith(_RESERVED_PREFIXES):
        raise _bad(spec, "this header is written by the gateway or says how a message is read: choose another name")
    _check_source(spec)


def check_cookie(spec: CookieSpec) -> None:
    """Raises GatewayError(translation_codes.SPEC) with the reason."""
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
    """Shared by applications with the same names."""
    return frozenset(fold(name.encode()) for name in names)


@dataclass(frozen=True, slots=True, eq=False)
class Translation:
    """The translation of a person for an application."""

    headers: tuple[HeaderSpec, ...] = ()
    cookies: tuple[CookieSpec, ...] = ()
    budget: int = BUDGET
    header_folds: frozenset[bytes] = field(init=False)
    """Folded names (model.names) of the headers. Clients may never send them, even if no value is injected."""
    cookie_names: frozenset[bytes] = field(init=False)
    """Likewise of the cookies."""
    _nobody: Injection = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "header_folds", _folded(frozenset([spec.name for spec in self.headers])))
        object.__setattr__(self, "cookie_names", _folded(frozenset([spec.name for spec in self.cookies])))
        nobody = [(spec.name.encode(), _nobody(spec)) for spec in self.headers if spec.nobody]
        object.__setattr__(self, "_nobody", _injection(nobody, []) if nobody else NOTHING)

    @classmethod
    def compile(
        cls, headers: Iterable[HeaderSpec], cookies: Iterable[CookieSpec], budget: int = BUDGET
    ) -> "Translation":
        """Raises GatewayError(translation_codes.SPEC) for a bad spec, or for two names that a server may read as
        one."""
        found = cls(tuple(headers), tuple(cookies), budget)
        _check_all(found.headers, check_header)
        _check_all(found.cookies, check_cookie)
        return found

    def about_the_person(self) -> "Translation":
        """The translation without constants, which may be secrets of a service account."""
        return Translation(
            tuple(spec for spec in self.headers if not isinstance(spec.source, Constant)),
            tuple(spec for spec in self.cookies if not isinstance(spec.source, Constant)),
            self.budget,
        )

    def named(self, name: str) -> Spec | None:
        """The header or cookie `name`; for an empty name, the first that describes the person."""
        told: tuple[Spec, ...] = (*self.headers, *self.cookies)
        found = (spec for spec in told if (spec.name == name if name else not isinstance(spec.source, Constant)))
        return next(found, None)

    def known_again(self, name: str, value: bytes) -> Injection:
        """The constants, and `value`, rendered earlier for one person under `name` (see `named`)."""
        spec = self.named(name) if value else None

        def lines(specs: Iterable[Spec]) -> list[tuple[bytes, bytes]]:
            constant = [one for one in specs if one is spec or isinstance(one.source, Constant)]
            return [(one.name.encode(), value if one is spec else render_one(one, _NOBODY)) for one in constant]

        return _injection(lines(self.headers), lines(self.cookies))

    def render(self, identity: Identity | None) -> Injection:
        """The bytes for a person. For None, the file's values without a signed-in person. Constants are omitted then:
        an application could take them for a sign-in.

        Raises GatewayError with a code of translation_codes and the name of the header or cookie, never its value. A
        person is sent whole or not at all.
        """
        if identity is None:
            return self._nobody
        headers = [(spec.name.encode(), value) for spec in self.headers if (value := render_one(spec, identity))]
        cookies = [(spec.name.encode(), value) for spec in self.cookies if (value := render_one(spec, identity))]
        injection = _injection(headers, cookies)
        size = len(injection.headers) + len(injection.cookies)
        if size > self.budget:
            longest = max((*headers, *cookies), key=lambda line: len(line[1]))[0].decode()
            detail = f"all headers and cookies together: {size} bytes, over {self.budget}; the longest is {longest}"
            raise GatewayError(translation_codes.BUDGET, detail)
        return injection


def _injection(headers: list[tuple[bytes, bytes]], cookies: list[tuple[bytes, bytes]]) -> Injection:
    return Injection(
        b"".join(b"\r\n%b: %b" % line for line in headers), b"; ".join(b"%b=%b" % pair for pair in cookies)
    )


def _nobody(spec: HeaderSpec) -> bytes:
    return encode(spec.nobody or "", spec.encoding, spec.unencodable) or b""


def render_one(spec: Spec, identity: Identity) -> bytes:
    """The bytes of a header or cookie. Empty without a value: the header is then left out, because some servers drop an
    empty header and others misread an empty header."""
    return why_or_value(spec, identity)[1]


def why_or_value(spec: Spec, identity: Identity) -> tuple[str, bytes]:
    """The reason why no value is sent, or the value: one of the two is empty. Raises GatewayError."""
    try:
        why, value = _evaluated(spec, identity)
        if isinstance(spec, CookieSpec) and not _COOKIE_OCTETS.fullmatch(value):
            raise GatewayError(
                translation_codes.UNENCODABLE, "a character that no cookie can hold, such as `;` or a blank"
            )
        if spec.length is not None and len(value) > spec.length:
            raise GatewayError(translation_codes.LENGTH, f"{len(value)} bytes, over {spec.length}")
    except GatewayError as error:
        raise GatewayError(error.code, f"{spec.name}: {error.detail}") from None
    return why, value


def _evaluated(spec: Spec, identity: Identity) -> tuple[str, bytes]:
    if isinstance(spec.source, Constant):
        return _sent(encode(spec.source.text, spec.encoding, spec.unencodable))
    why, texts = _texts(spec, identity)
    if texts and spec.transforms:
        texts = transformed([clean(text) for text in texts], spec.transforms)
        why = "the transforms leave nothing of it"
    if texts:
        if isinstance(spec, CookieSpec) and not _hides_percent(spec) and any(map(_ESCAPED.search, texts)):
            # PHP, Rack and Express decode cookies: `%61dmin` would come as `admin`.
            raise GatewayError(
                translation_codes.UNENCODABLE, "a `%` that applications decode, and percent-utf8 encodes"
            )
        value = _joined(spec, texts)
        if value != b"":
            return _sent(value)
        why = "its value is empty"
    if spec.absent is not None:
        return _sent(encode(spec.absent, spec.encoding, spec.unencodable))
    return why, b""


def _hides_percent(spec: CookieSpec) -> bool:
    """Whether the encoding escapes every `%` in a person's value."""
    return spec.encoding in ("percent-utf8", "rfc8187", "base64") or (
        spec.encoding in LACKING and spec.unencodable == "percent"
    )


def _sent(value: bytes | None) -> tuple[str, bytes]:
    return ("its encoding lacks a letter", b"") if value is None else ("", value)


def _texts(spec: Spec, identity: Identity) -> tuple[str, Sequence[str]]:
    """The reason for a missing value, or the known values. Raises GatewayError."""
    match spec.source:
        case FromAttribute(name=name, only=only):
            values = _values(identity, name)
            if not values:
                return _unknown(identity, name), ()
            kept = values if only is None else tuple(value for value in values if value in only)
            return f"no value of {name} is in `only`", kept
        case Template() as template:
            return _filled(template, identity)
        case Constant(text):
            return "", (text,)
        case _:
            assert_never(spec.source)


def _unknown(identity: Identity, name: str) -> str:
    return f"the provider left {name} out" if name in identity.left_out else f"this person has no {name}"


def _filled(template: Template, identity: Identity) -> tuple[str, Sequence[str]]:
    parts = list(template.parts)
    for place in range(1, len(parts), 2):
        name = parts[place]
        values = _values(identity, name)
        if not any(values):
            return _unknown(identity, name), ()
        if len(values) > 1:
            raise GatewayError(translation_codes.SEVERAL, f"{len(values)} values of {name} in a template")
        parts[place] = values[0]
    return "", ("".join(parts),)


def _values(identity: Identity, name: str) -> tuple[str, ...]:
    match name:
        case "subject":
            return (identity.subject,)
        case "provider":
            return (identity.provider,)
        case "issuer":
            return (identity.issuer,)
        case "acr":
            return (identity.acr,) if identity.acr else ()
        case "authenticated_at":
            return (str(identity.authenticated_at),) if identity.authenticated_at else ()
        case _ if name in identity.left_out:
            return ()
        case _:
            return identity.attributes.get(name, ())


def _joined(spec: Spec, texts: Sequence[str]) -> bytes | None:
    """The joined values in the form that the application splits. None if a value is dropped: values are never sent in
    part.

    Values are encoded before joining: the application splits first and decodes then. With `whole`, values are joined
    first.
    """
    source = spec.source
    join = source.join if isinstance(source, FromAttribute) else None
    if isinstance(source, FromAttribute) and _splits_at_blanks(source, spec.encoding):
        _check_unbroken(texts)
    if isinstance(source, FromAttribute) and join is not None and source.whole:
        whole = _with_separators([unpadded(clean(text)).encode() for text in texts if text], join, source.escape)
        return encode(whole.decode(), spec.encoding, spec.unencodable)
    encoded = [encode(text, spec.encoding, spec.unencodable) for text in texts]
    values = [value for value in encoded if value]
    if None in encoded:
        return None
    if join is None:
        if len(values) > 1:
            raise GatewayError(translation_codes.SEVERAL, f"{len(values)} values and no `join`")
        return b"".join(values)
    assert isinstance(source, FromAttribute)
    return _with_separators(values, join, source.escape)


def _splits_at_blanks(source: FromAttribute, encoding: Encoding) -> bool:
    """Whether the application splits at blanks within values, because neither an escape nor an encoding hides
    blanks."""
    if source.join is None or source.join.strip() or source.escape is not None:
        return False
    return source.whole or encoding == "utf8" or encoding in LACKING


def _check_unbroken(texts: Iterable[str]) -> None:
    """Where values stand between blanks, applications split at white space of any kind, as Python's `split()` does.
    Raises GatewayError(translation_codes.SEPARATOR)."""
    if any(letter.isspace() for text in texts for letter in text):
        raise GatewayError(translation_codes.SEPARATOR, "white space in a value, and blanks are the separator")


def _with_separators(values: Sequence[bytes], join: str, escape: str | None) -> bytes:
    """Separators are looked for in the encoded bytes: NFC turns U+037E into `;`, and `percent-utf8` or `base64` hide
    one. Raises GatewayError(translation_codes.SEPARATOR)."""
    # Applications split at `;` and trim, with or without blanks around it.
    separators = (join.strip() or join).encode("ascii")
    for value in values:
        if value.endswith(b"\\"):
            # By Shibboleth's convention, `\;` is no separator.
            raise GatewayError(translation_codes.SEPARATOR, "a value ends with `\\`, which would hide the separator")
        if escape is None and any(byte in separators for byte in value):
            raise GatewayError(translation_codes.SEPARATOR, f"a value holds the separator `{join}`")
        if escape == "quotes" and b'"' in value:
            raise GatewayError(translation_codes.SEPARATOR, "a value holds a quotation mark, which would end it")
        if escape == "backslash" and any(b"\\%c" % byte in value for byte in separators):
            # Readers differ on whether `\\;` contains a separator.
            raise GatewayError(translation_codes.SEPARATOR, f"a value holds `\\` before the separator `{join}`")
    if escape == "quotes":
        values = [b'"%b"' % value for value in values]
    elif escape == "backslash":
        values = [b"".join(b"\\%c" % one if one in separators else b"%c" % one for one in value) for value in values]
    return join.encode("ascii").join(values)


def _check_source(spec: Spec) -> None:
    try:
        for transform in spec.transforms:
            check_transform(transform)
    except GatewayError as error:
        raise _bad(spec, error.detail) from None
    match spec.source:
        case FromAttribute() as source:
            _check_attribute(spec, source)
        case Constant():
            _check_fixed(spec, lambda: render_one(spec, _NOBODY))
        case _:
            pass
    if spec.absent is not None:
        _check_fixed(spec, lambda: encode(spec.absent or "", spec.encoding, spec.unencodable))
        if isinstance(spec, CookieSpec) and not _COOKIE_OCTETS.fullmatch(spec.absent.encode()):
            raise _bad(spec, "no cookie can hold what is sent where there is no value")
    if isinstance(spec, HeaderSpec) and spec.nobody is not None:
        _check_fixed(spec, lambda: _nobody(spec))


def _check_attribute(spec: Spec, source: FromAttribute) -> None:
    join = source.join
    if not source.name:
        raise _bad(spec, "`from` names no attribute")
    if join is not None and not _JOIN.fullmatch(join):
        raise _bad(spec, "`join` is 1 to 8 visible ASCII characters or blanks")
    if source.escape is not None and set(join or "") & set('\\"'):
        raise _bad(spec, "`join` and `escape` are two characters")
    if join is not None and isinstance(spec, CookieSpec) and not _COOKIE_OCTETS.fullmatch(join.encode()):
        raise _bad(spec, f"no cookie can hold `{join}`")


def _check_fixed(spec: Spec, rendered: Callable[[], bytes | None]) -> None:
    try:
        value = rendered()
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
    return GatewayError(translation_codes.SPEC, f"{kind} `{spec.name}`: {why}")
