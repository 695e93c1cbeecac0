"""Replaces internal addresses and exact texts in a body, with the same result however the body is cut into pieces.

Searching for the names of internal hosts as bytes costs least. The text around a name then decides whether the name is
part of an address: `http://intranet:8080/a`, the same with the slashes of JSON, `https%3A%2F%2Fintranet`,
`"//intranet/a"`. Only an unfinished match is held back, some hundred bytes at most.
"""

import re
from collections.abc import Iterator
from typing import Final

from gateway.wire.internal_addresses import DEFAULT_PORTS, InternalAddresses, host_of

# Spellings of `//` and the `:` before it: plain, in JSON, in JSON within a text, in an address within an address, in
# HTML, in scripts. The usual spellings come first.
_FORMS: Final[tuple[tuple[bytes, tuple[bytes, ...]], ...]] = (
    (b"//", (b":",)),
    (b"\\/\\/", (b":",)),
    (b"%2f%2f", (b"%3a", b":")),
    (b"%252f%252f", (b"%253a",)),
    (b"\\\\/\\\\/", (b":",)),
    (b"&#x2f;&#x2f;", (b":", b"&#x3a;")),
    (b"&#47;&#47;", (b":", b"&#58;")),
    (b"\\u002f\\u002f", (b":", b"\\u003a")),
    (b"\\x2f\\x2f", (b":", b"\\x3a")),
)
_COLON: Final = rb":|%3a|%253a|&#x3a;|&#58;|\\u003a|\\x3a"
# The last bytes of what stands before a name.
_SLASH_ENDS: Final = frozenset(b"/fF;")
# An address without a scheme begins a value: elsewhere two slashes are a comment, or the middle of another address.
_BEGIN_VALUES: Final = (b'"', b"'", b"(", b"=")
_SCHEMES: Final = (b"https", b"http")
_LONGEST_BEFORE: Final = 5 + 6 + 12 + 1

# The end of an authority, plain or escaped. If the name, port or password continues, the origin is a different one.
_BEHIND: Final = re.compile(
    rb"(?:(%b)([0-9]{1,5}))?"
    rb"(?![a-z0-9_~@\x80-\xff-]|[;&+]@|%b)"
    rb"(?!\.[a-z0-9_\x80-\xff%%\\&@:-])"
    rb"(?!%%(?!2[02367fc9]|3[bcef]|0[9ad]|[57]d|25[23]))"
    rb"(?!%%40|\\(?![/\\\"'nrt]|u00[23]|x[23])|\\u002[de]|\\x2[de]|\\u0040|\\x40)"
    rb"(?!&(?:#(?!x?2f|47|x2[267]|3[489]|x3[cef]|6[023]|x20|32|x?0?[ad];|1[03])|period|colon|commat|lowbar|hyphen|dash))"
    % (_COLON, _COLON),
    re.IGNORECASE,
)
_LONGEST_BEHIND: Final = 11 + 8

# Bytes that end an address.
_BREAKS: Final = bytes(range(0x21)) + b"\"'<>(){}[],|^`=?!*$\x7f"
_TO_BREAK: Final = bytes(0 if byte in _BREAKS else byte for byte in range(256))

# Usual ends of addresses: no address continues after these characters.
_PLAIN_ENDS: Final = frozenset(b"/\"'<> ?#\r\n\t")

Found = tuple[int, int, bytes]
"""The beginning and end of a match, and its replacement."""

Piece = bytes | memoryview
"""A part of a body: a view of the received bytes, so that large parts are not copied, or a replacement."""


class Replacements:
    """The replacements for the bodies of one application, for one public host and one charset. Immutable.

    `texts`: pairs of a text to find and its replacement, as bytes; no text is empty.
    `reach`: the number of bytes, from the beginning of a text, that decide whether the text matches.
    """

    __slots__ = ("_beginnings", "_hosts", "_longest", "_longest_text", "_plain", "_public", "_texts", "reach")

    def __init__(self, addresses: InternalAddresses | None, texts: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self._public = {} if addresses is None else dict(_public_of(addresses))
        self._hosts = tuple(sorted({host for _, host, _ in self._public}))
        self._plain = {host: self._plain_of(host) for host in self._hosts}
        self._texts = texts
        self._longest = _LONGEST_BEFORE + max(map(len, self._hosts), default=0) + _LONGEST_BEHIND
        self._longest_text = max((len(text) for text, _ in texts), default=0)
        self.reach = max(self._longest, self._longest_text)
        self._beginnings = frozenset(text[:length] for text, _ in texts for length in range(1, len(text)))

    def found(self, text: bytes, start: int) -> list[Found]:
        """Every match in `text` that begins at `start` or later, by where it begins, the longest first."""
        found = [*self._addresses_in(text, start), *self._texts_in(text, start)]
        if len(found) > 1:
            found.sort(key=lambda one: (one[0], -one[1]))
        return found

    def undecided(self, text: bytes, start: int) -> int:
        """The position in `text` where an incomplete match may begin; the length of `text` if no match can begin."""
        end = size = len(text)
        if self._hosts:
            tail = text[max(start, size - self._longest) :]
            end = size - len(tail.translate(_TO_BREAK).rpartition(b"\0")[2])
        for length in range(min(self._longest_text - 1, size - start), size - end, -1):
            if text[size - length :] in self._beginnings:
                return size - length
        return end

    def _addresses_in(self, text: bytes, start: int) -> Iterator[Found]:
        for host in self._hosts:
            at = text.find(host, start)
            while at >= 0:
                end = at + len(host)
                if at > start and text[at - 1] in _SLASH_ENDS:
                    found = self._plain_address(text, at, end, host) or self._address(text, start, at, host)
                    if found is not None and found[0] >= start:
                        yield found
                at = text.find(host, end)

    def _plain_of(self, host: bytes) -> dict[bytes, tuple[tuple[bytes, bytes], ...]]:
        """By scheme: what may stand behind the host, the longest first, and the public address."""
        return {
            scheme: tuple(
                (b":" + port if port else b"", b"://".join(public))
                for (each, one, port), public in sorted(self._public.items(), key=lambda item: -len(item[0][2]))
                if (each, one) == (scheme, host)
            )
            for scheme in _SCHEMES
        }

    def _plain_address(self, text: bytes, at: int, end: int, host: bytes) -> Found | None:
        """Tries the usual case: an address as written in the file, with a clear end. None: undecided."""
        if text.endswith(b"http://", 0, at):
            begin, rows = at - 7, self._plain[host][b"http"]
        elif text.endswith(b"https://", 0, at):
            begin, rows = at - 8, self._plain[host][b"https"]
        else:
            return None
        for port, public in rows:
            behind = end + len(port)
            if behind < len(text) and text[behind] in _PLAIN_ENDS and text.startswith(port, end):
                return begin, behind, public
        return None

    def _address(self, text: bytes, start: int, at: int, host: bytes) -> Found | None:
        """The internal address whose host begins at `at`, if any."""
        before = text[max(0, at - _LONGEST_BEFORE) : at].lower()
        form = next((form for form in _FORMS if before.endswith(form[0])), None)
        if form is None:
            return None
        slashes, colons = form
        behind = _BEHIND.match(text, at + len(host))
        scheme, colon = _scheme(before[: -len(slashes)], colons)
        begin = at - len(slashes) - len(colon) - len(scheme)
        if behind is None or begin < start or (not scheme and text[begin - 1 : begin] not in _BEGIN_VALUES):
            return None
        public = self._public.get((scheme, host, behind[2] or b""))
        if public is None:
            return None
        # The spelling in the text, not the folded spelling for comparison.
        colon, slashes = text[begin + len(scheme) : at - len(slashes)], text[at - len(slashes) : at]
        own, authority = public
        if b":" in authority and slashes[:1] == b"%":
            authority = authority.replace(b":", b"%3A" if len(slashes) == 6 else b"%253A")
        return begin, behind.end(), (own + colon if scheme else b"") + slashes + authority

    def _texts_in(self, text: bytes, start: int) -> Iterator[Found]:
        for sought, instead in self._texts:
            at = text.find(sought, start)
            while at >= 0:
                yield at, at + len(sought), instead
                at = text.find(sought, at + 1)


def _scheme(before: bytes, colons: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """The scheme at the end of `before`, and the colon after the scheme; both empty where no scheme is found."""
    for colon in colons:
        if before.endswith(colon):
            for scheme in _SCHEMES:
                if before.endswith(scheme, 0, len(before) - len(colon)):
                    return scheme, colon
    return b"", b""


def _public_of(addresses: InternalAddresses) -> Iterator[tuple[tuple[bytes, bytes, bytes], tuple[bytes, bytes]]]:
    """Spellings of scheme, host and port of each internal address; scheme and authority of the public address."""
    own, _, authority = addresses.public.partition(b"://")
    for origin in addresses.origins:
        scheme, _, inside = origin.partition(b"://")
        host = host_of(origin)
        port = inside[len(host) + 1 :]
        for written in {port, port or DEFAULT_PORTS[scheme]}:
            yield (scheme, host, written), (own, authority)
            yield (b"", host, written), (own, authority)


class Replacing:
    """Replaces texts in one body."""

    __slots__ = ("_held", "_replacements", "_seen")

    def __init__(self, replacements: Replacements) -> None:
        self._replacements = replacements
        # The bytes held back, after the one byte before them, if any.
        self._held = b""
        self._seen = 0

    def feed(self, data: bytes) -> list[Piece]:
        """Adds bytes, and returns the bytes that can be sent now."""
        replacements, held = self._replacements, self._held
        pieces: list[Piece] = []
        start = 0
        if held:
            # A match may begin in the held bytes, or with the first new byte. Only these bytes are joined.
            seam = held + data[: replacements.reach + 1]
            if len(data) <= replacements.reach:
                return self._go_on(seam, self._seen, pieces)
            first = len(held) + 1
            start = self._replaced(seam, self._seen, first, pieces) - len(held)
        return self._go_on(data, start, pieces)

    def end(self) -> bytes:
        """Returns the bytes held back, once, at the end of the body."""
        pieces: list[Piece] = []
        held, self._held = self._held, b""
        self._replaced(held, self._seen, len(held), pieces)
        return b"".join(pieces)

    def _go_on(self, text: bytes, start: int, pieces: list[Piece]) -> list[Piece]:
        """Adds what of `text` can go on to `pieces`, and holds the rest back."""
        at = self._replaced(text, start, -1, pieces)
        self._seen = min(at, 1)
        self._held = text[at - self._seen :]
        return pieces

    def _replaced(self, text: bytes, start: int, until: int, pieces: list[Piece]) -> int:
        """Replaces the matches that begin before `until`; -1 stands for where what is undecided begins. Returns where
        the rest begins."""
        replacements, view, at, ends = self._replacements, memoryview(text), start, until < 0
        if ends:
            until = replacements.undecided(text, at)
        for begin, end, instead in replacements.found(text, start):
            if begin < at:
                continue
            if begin >= until:
                break
            pieces += (view[at:begin], instead)
            at = end
            if ends and at > until:
                until = replacements.undecided(text, at)
        if at < until:
            pieces.append(view[at:until])
        return max(at, until)
