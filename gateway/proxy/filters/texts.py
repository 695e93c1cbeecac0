"""Decides from a response's head whether the body is text that can be changed, and in which charset."""

import codecs
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.proxy.filters.codings import coding_of
from gateway.proxy.filters.replacing import Piece, Replacements, Replacing
from gateway.wire.response_edits import ApplicationEdits, ResponseEdits

_TYPES: Final = frozenset(
    {
        b"text/html",
        b"text/css",
        b"text/javascript",
        b"text/xml",
        b"application/javascript",
        b"application/x-javascript",
        b"application/ecmascript",
        b"application/json",
        b"application/xml",
    }
)
# RFC 6839 3.1, RFC 7303 4.2: `application/xhtml+xml`, `image/svg+xml`, `application/ld+json`.
_SUFFIXES: Final = (b"+xml", b"+json")

# Charsets in which an ASCII byte is always the ASCII character. In UTF-16 or EBCDIC it is not, and in Shift JIS, GBK or
# Big5 it may be half of a character.
_CHARSET: Final = re.compile(rb";[ \t]*charset[ \t]*=[ \t]*\"?([A-Za-z0-9_:.+-]+)", re.IGNORECASE)
_PLAIN: Final = re.compile(r"utf-?8|us-ascii|ascii|latin-?1|iso-?8859-?[0-9]{1,2}|windows-125[0-8]|cp125[0-8]")

# HTML 4.2.5, CSS Syntax 3.2, XML 2.8: where a text itself says it.
_IN_META: Final = re.compile(rb"charset\s*+=\s*+[\"']?\s*+([a-z0-9_:.+-]++)")
_IN_XML: Final = re.compile(rb"encoding\s*+=\s*+[\"']([a-z0-9_:.+-]++)")
_IN_CSS: Final = re.compile(rb"@charset \"([a-z0-9_:.+-]++)\";")
# Encoding 6.1: for browsers, a byte order mark precedes the charset of the head.
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le"))
_MARK_BYTES: Final = 3
# HTML 13.2.3.3: as far as browsers look for it.
_LOOKED_AT: Final = 1024

_UTF_8: Final = "utf-8"
# For a text that turns out to be in a different charset: its letters are unknown, so only addresses are replaced.
_UNKNOWN: Final = ""
_REMEMBERED: Final = 256

# Bytes of a text that are checked against its declared charset.
COMPARED: Final = 16 * 1024
# Encoding 4.2: under the first name browsers read the second charset.
_READ_AS: Final = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254"}
_LONGEST_NAME: Final = 40


class Disagreement(NamedTuple):
    """A charset that disagrees: `said` in the head, and `found` in the text. `found` is the declaration in the text, or
    the real encoding of its bytes; "unknown" where the bytes only contradict `said`.
    """

    said: str
    found: str


class BodyFilters:
    """The replacements for the bodies of one application, prepared per host and charset."""

    __slots__ = ("_application", "_ascii", "_edits", "_ready")

    def __init__(self, edits: ResponseEdits, application: ApplicationEdits) -> None:
        self._edits = edits
        self._application = application
        # ASCII texts have the same bytes in every charset in which bodies are changed.
        self._ascii = all(text.isascii() for pair in edits.texts for text in pair)
        self._ready: dict[tuple[str, str], Replacements] = {}

    def replacing(
        self,
        public: str,
        content_type: bytes | None,
        encoding: bytes | None,
        disagrees: Callable[[Disagreement], None],
    ) -> "Replacing | ReplacingOnceKnown | None":
        """The replacements for a body of this type and content coding; None: unchanged.

        `public`: the origin for browsers.
        `disagrees`: called once if the body is not in its declared charset; some texts may then be missed.
        """
        charset = charset_of(content_type)
        if charset is None or coding_of(encoding):
            return None
        if self._ascii:
            return Replacing(self.replacements(public, charset))
        kind = (content_type or b"").lower()
        # JSON is in UTF-8, even if another charset is declared (RFC 8259 8.1).
        is_said = _CHARSET.search(kind) is not None or b"json" in kind
        # A text in a script that looks like a `<meta>` tag is a string of the script.
        says_it = b"json" not in kind and b"script" not in kind
        return ReplacingOnceKnown(self, public, charset, disagrees, is_said=is_said, says_it=says_it)

    def replacements(self, public: str, charset: str) -> Replacements:
        """The replacements for a text in this charset, prepared."""
        ready = self._ready.get((public, charset))
        if ready is None:
            if len(self._ready) >= _REMEMBERED:
                self._ready.clear()
            ready = self._ready[public, charset] = self._make(public, charset)
        return ready

    def _make(self, public: str, charset: str) -> Replacements:
        texts = []
        for sought, instead in self._edits.texts:
            try:
                texts.append((sought.encode(charset), instead.encode(charset)))
            except (LookupError, UnicodeEncodeError):
                # A page in the charset cannot contain the text, or not its replacement.
                continue
        return Replacements(self._application.of(public).addresses, tuple(texts))


class ReplacingOnceKnown:
    """A text whose charset decides the replacements: the first bytes may declare another charset than the head.

    `_compared`: the beginning of the text; None once compared with the head.
    """

    __slots__ = (
        "_charset", "_compared", "_disagrees", "_filters", "_first", "_is_said", "_public", "_replacing", "_says_it",
    )  # fmt: skip

    def __init__(
        self,
        filters: BodyFilters,
        public: str,
        charset: str,
        disagrees: Callable[[Disagreement], None],
        *,
        is_said: bool,
        says_it: bool,
    ) -> None:
        """`is_said`: the head names the charset. `says_it`: texts of this type may declare a charset in the text."""
        self._filters = filters
        self._public = public
        self._charset = charset
        self._is_said = is_said
        self._says_it = says_it
        self._disagrees = disagrees
        self._compared: bytearray | None = bytearray()
        self._first = b""
        self._replacing: Replacing | None = None

    def feed(self, data: bytes) -> list[Piece]:
        """As of Replacing."""
        if self._compared is not None:
            self._compared += data[: COMPARED - len(self._compared)]
            if len(self._compared) == COMPARED:
                self._compare(self._compared, is_whole=False)
        if self._replacing is not None:
            return self._replacing.feed(data)
        self._first += data
        if len(self._first) < (_MARK_BYTES if self._is_said else _LOOKED_AT):
            return []
        return self._begin()

    def end(self) -> bytes:
        if self._compared is not None:
            self._compare(self._compared, is_whole=True)
        first = b"" if self._replacing is not None else b"".join(self._begin())
        assert self._replacing is not None
        return first + self._replacing.end()

    def _begin(self) -> list[Piece]:
        first, self._first = self._first, b""
        charset = charset_within(first, None if self._is_said else self._charset) or self._charset
        known = charset if _PLAIN.fullmatch(charset) else _UNKNOWN
        self._replacing = Replacing(self._filters.replacements(self._public, known))
        return self._replacing.feed(first)

    def _compare(self, text: bytearray, *, is_whole: bool) -> None:
        """The response to the browser does not depend on this."""
        self._compared = None
        head = self._charset if self._is_said else None
        found = disagreement(head, bytes(text), says_it=self._says_it, is_whole=is_whole)
        if found is not None:
            self._disagrees(found)


def disagreement(head: str | None, text: bytes, *, says_it: bool, is_whole: bool) -> Disagreement | None:
    """Compares the declared charset with the text. None: no declaration, agreement, or plain ASCII, which all charsets
    share.

    `head`: the charset named by the head, in which texts can be changed.
    `text`: the beginning of the text, or the whole text.
    `says_it`: as in ReplacingOnceKnown.
    """
    own = charset_within(text, _UNKNOWN if says_it else None) or _UNKNOWN
    said = head or own
    if not said or text.isascii():
        return None
    if own and _as_read(own) != _as_read(said):
        return Disagreement(said, own[:_LONGEST_NAME])
    if not _PLAIN.fullmatch(said) or _is_in(said, text, is_whole=is_whole):
        return None
    return Disagreement(said, _UTF_8 if _is_in(_UTF_8, text, is_whole=is_whole) else "unknown")


def _as_read(charset: str) -> str:
    """One name for charsets that browsers treat alike. Looks up only well-formed names, because Python caches each
    name."""
    try:
        name = codecs.lookup(charset).name if _PLAIN.fullmatch(charset) else charset
    except LookupError:
        return charset
    return _READ_AS.get(name, name)


def _is_in(charset: str, text: bytes, *, is_whole: bool) -> bool:
    """Also where `charset` is one that Python does not know. The last character of a beginning may be cut."""
    try:
        codecs.getincrementaldecoder(charset)().decode(text, is_whole)
    except LookupError:
        return True
    except UnicodeDecodeError:
        return False
    return True


def charset_within(first: bytes, otherwise: str | None) -> str | None:
    """The charset declared by the first bytes of a text, in lower case.

    `otherwise`: returned without a declaration. None: the head named a charset, so only a byte order mark counts.
    """
    for mark, charset in _MARKS:
        if first.startswith(mark):
            return charset
    said = None if otherwise is None else _said_within(first[:_LOOKED_AT].lower())
    if said is None:
        return otherwise
    name = said[1].decode("ascii")
    # HTML 4.2.5: a text that could be read up to the `<meta>` tag is not in UTF-16.
    return _UTF_8 if name.startswith("utf-16") else name


def _said_within(text: bytes) -> re.Match[bytes] | None:
    """`text`: in lower case. Each tag is read once, so the cost is linear in the length."""
    if text.startswith(b"<?xml"):
        return _IN_XML.search(text, 0, max(text.find(b"?>"), 0))
    if said := _IN_CSS.match(text):
        return said
    start = text.find(b"<meta")
    while start >= 0:
        end = text.find(b">", start)
        said = _IN_META.search(text, start, len(text) if end < 0 else end)
        if said is not None or end < 0:
            return said
        start = text.find(b"<meta", end)
    return None


def is_part_of_a_text(content_type: bytes | None) -> bool:
    """Whether the body of a 206 is, or holds, a part of a text that is changed. Of several parts (RFC 9110 14.6) only
    the body itself says what each is."""
    kind = (content_type or b"").partition(b";")[0].strip(b" \t").lower()
    return kind == b"multipart/byteranges" or charset_of(content_type) is not None


def charset_of(content_type: bytes | None) -> str | None:
    """Returns Python's name of a charset whose texts can be changed; else None."""
    if content_type is None:
        return None
    kind = content_type.partition(b";")[0].strip(b" \t").lower()
    if kind not in _TYPES and not kind.endswith(_SUFFIXES):
        return None
    said = _CHARSET.findall(content_type)
    if not said:
        return _UTF_8
    names = {name.decode("ascii").lower() for name in said}
    charset = names.pop()
    return charset if not names and _PLAIN.fullmatch(charset) else None
