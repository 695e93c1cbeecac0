"""Which bodies are texts that can be changed, by what their heads say of them."""

import re
from typing import Final

from gateway.model.codes import UPSTREAM_RESPONSE
from gateway.model.errors import GatewayError
from gateway.proxy.filters.replacing import Replacements
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

# Charsets in which an ASCII byte is that character and nothing else. In UTF-16 or EBCDIC it is not, and in Shift JIS,
# GBK or Big5 it may be half of another one.
_CHARSET: Final = re.compile(rb";[ \t]*charset[ \t]*=[ \t]*\"?([A-Za-z0-9_:.+-]+)", re.IGNORECASE)
_PLAIN: Final = re.compile(r"utf-?8|us-ascii|ascii|latin-?1|iso-?8859-?[0-9]{1,2}|windows-125[0-8]|cp125[0-8]")

_UTF_8: Final = "utf-8"
_REMEMBERED: Final = 256


class BodyFilters:
    """What is changed in the bodies of one application, kept ready for each of its hosts and charsets."""

    __slots__ = ("_application", "_edits", "_ready")

    def __init__(self, edits: ResponseEdits, application: ApplicationEdits) -> None:
        self._edits = edits
        self._application = application
        self._ready: dict[tuple[str, str], Replacements] = {}

    def replacements(
        self, public: str, status: int, content_type: bytes | None, encoding: bytes | None
    ) -> Replacements | None:
        """What is sought in a body of this type and content coding; None for one that goes on as it comes.

        `public`: the origin that browsers use. Raises GatewayError for a part of a text, of which none was asked.
        """
        charset = charset_of(content_type)
        if charset is None or (encoding or b"").strip(b" \t").lower() not in (b"", b"identity"):
            return None
        if status == 206:
            raise GatewayError(UPSTREAM_RESPONSE, "a part of a text that is rewritten, unasked")
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
                # A page in this charset cannot hold it, or could not hold what takes its place.
                continue
        return Replacements(self._application.of(public).addresses, tuple(texts))


def charset_of(content_type: bytes | None) -> str | None:
    """The charset of a text that can be changed, by Python's name for it; None for anything else."""
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
