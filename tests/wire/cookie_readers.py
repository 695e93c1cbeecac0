"""How servers find the names in a Cookie line: each habit that is known, recorded from the source that has it.

Only names are found here; each reader gives them as its application gets them.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import unquote_to_bytes

Reader = Callable[[bytes], Iterator[bytes]]

# Werkzeug before 2.2.3 (CVE-2023-23934), `_cookie_parse_impl`: it searches, and so skips what cannot begin a name.
_WERKZEUG: Final = re.compile(rb'(?P<key>[^=;]+)(?:\s*=\s*(?P<val>"(?:[^\\"]|\\.)*"|(?:.*?)))?\s*;')


def werkzeug(header: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(header):
        found = _WERKZEUG.search(header + b";", at)
        if not found:
            return
        at = found.end()
        yield found["key"].strip()


# WebOb 1.8, `_rx_cookie`, and Cookie.py of Python before 2.7.9 and 3.4.3, `_CookiePattern`: searched likewise. A value
# ends at the first byte that they know of none, and behind it another cookie begins.
_WEBOB: Final = rb"[\w~!@#$%^&*()_+=\-`.?|:/(){}<>']"
_PYTHON: Final = rb"[\w!#%&'~_`><@,:/$*+\-.^|)(?}{=]"
_SEARCHED: Final = tuple(
    re.compile(rb'(%b+?)\s*=\s*("(?:\\"|[^"])*?"|\w{3},\s[\w-]{9,11}\s[\d:]{8}\sGMT|(?:%b%b)*)' % (legal, legal, more))
    for legal, more in ((_WEBOB, rb"|\\(?:[0-3][0-7][0-7]|.)"), (_PYTHON, b""))
)


def searching(header: bytes) -> Iterator[bytes]:
    for pattern in _SEARCHED:
        yield from (found[1] for found in pattern.finditer(header))


def python_text(header: bytes) -> Iterator[bytes]:
    """The same on text, as Python 3 has it: a letter with an accent is one, a no-break space is a blank."""
    pattern = re.compile(_SEARCHED[1].pattern.decode("latin-1"))
    yield from (found[1].encode("latin-1") for found in pattern.finditer(header.decode("latin-1")))


def python_now(header: bytes) -> Iterator[bytes]:
    found = SimpleCookie()
    with suppress(CookieError):
        found.load(header.decode("latin-1"))
    yield from (name.encode("latin-1") for name in found)


def split(header: bytes) -> Iterator[bytes]:
    """Django, Node's cookie, Go, Flask of today; with `,` Rack, Perl's CGI, Katana, connect, RFC 2965. Names are
    trimmed, and decoded by some; a part without `=` is a name to some."""
    for separators in (rb";", rb"[;,]"):
        for part in re.split(separators, header):
            name = part.partition(b"=")[0].strip()
            yield from (name, unquote_to_bytes(name), perl(name))


def perl(name: bytes) -> bytes:
    """CGI::Util::unescape, and unescape of classic ASP: `%u0061` as well."""
    return re.sub(
        rb"%(?:([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))",
        lambda found: chr(int(found[1] or found[2], 16)).encode("utf-8"),
        name.replace(b"+", b" "),
    ).strip()


def php(header: bytes) -> Iterator[bytes]:
    """php_default_treat_data and php_register_variable_ex; names were decoded before 7.4.11."""
    for part in header.partition(b"\0")[0].split(b";"):
        name = part.lstrip(b" \t\n\v\f\r").partition(b"=")[0]
        for read in (name, unquote_to_bytes(name.replace(b"+", b" "))):
            plain = read.partition(b"\0")[0].lstrip(b" ")
            array, bracket, _ = plain.partition(b"[")
            yield (array if bracket and b"]" in plain else plain).translate(bytes.maketrans(b" .[", b"___"))


_TOMCAT_SKIPS: Final = b'\t "(),/:;<=>?@[\\]{}'


def tomcat(header: bytes) -> Iterator[bytes]:
    """Cookies.processCookieHeader of Tomcat 5 to 7: separators before a name are skipped; `;` and `,` part cookies, but
    not within quotes."""
    at = 0
    while at < len(header):
        while at < len(header) and header[at] in _TOMCAT_SKIPS:
            at += 1
        begin = at
        while at < len(header) and header[at] not in _TOMCAT_SKIPS:
            at += 1
        yield header[begin:at].lstrip(b"$")
        rest = re.compile(rb'[ \t]*(?:=[ \t]*"(?:[^"\\]|\\.)*")?[^;,]*[;,]?').match(header, at)
        at = max(at + 1, rest.end() if rest else at)


def quoting(header: bytes) -> Iterator[bytes]:
    """RFC 2109 and 2965, Jetty, Undertow: a quoted value hides `;` and `,`; what follows it may begin a cookie."""
    for separator in (rb";", rb"[;,]", rb"[;,\s]", rb'[;,\s"]'):
        rest = re.compile(
            rb'\s*(?P<key>[^=;,"]*)(?:=\s*(?:"(?:[^"\\]|\\.)*"?|(?:(?!%b).)*))?(?:%b)?' % ((separator,) * 2)
        )
        at = 0
        while at < len(header):
            found = rest.match(header, at)
            at = max(at + 1, found.end() if found else at)
            if found:
                yield found["key"].strip().lstrip(b"$")


READERS: Final[tuple[Reader, ...]] = (
    werkzeug, searching, python_text, python_now, split, php, tomcat, quoting,
)  # fmt: skip


# What some server trims or skips around a name.
_AROUND: Final = bytes(byte for byte in range(256) if not bytes((byte,)).isalnum())


def every_name(header: bytes) -> set[bytes]:
    """What any of them finds, trimmed and in lower case."""
    return {name.lower().strip(_AROUND) for reader in READERS for name in reader(header)} - {b""}
