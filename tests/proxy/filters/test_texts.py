"""Which bodies are changed, by what their heads say."""

import time

import pytest

from gateway.proxy.filters.texts import (
    COMPARED,
    BodyFilters,
    Disagreement,
    charset_of,
    charset_within,
    is_part_of_a_text,
)
from gateway.wire.response_edits import ApplicationEdits, ResponseEdits

EDITS = ResponseEdits(
    addresses=True, internal=("http://intranet",), bodies=True, texts=(("Évreux", "Élancourt"), ("œuf", "x"))
)
PUBLIC = "https://app.example"


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        (b"text/html", "utf-8"),
        (b"TEXT/HTML; Charset=UTF-8", "utf-8"),
        (b'text/css;charset="iso-8859-1"', "iso-8859-1"),
        (b"application/xhtml+xml", "utf-8"),
        (b"image/svg+xml", "utf-8"),
        (b"application/problem+json;x=y", "utf-8"),
        (b"application/json", "utf-8"),
        (b"text/javascript; charset=windows-1252", "windows-1252"),
        (b"text/html; charset=utf-8; charset=utf-8", "utf-8"),
        (None, None),
        (b"", None),
        (b"text/plain", None),
        (b"image/png", None),
        (b"application/octet-stream", None),
        (b"application/pdf", None),
        (b"text/event-stream", None),
        (b"multipart/mixed", None),
        (b"text/htmlx", None),
        (b"text/html; charset=utf-16", None),
        (b"text/html; charset=shift_jis", None),
        (b"text/html; charset=utf-7", None),
        (b"text/html; charset=nothing", None),
        (b"text/html; charset=utf-8; charset=utf-16", None),
    ],
)  # fmt: skip
def test_a_text_is_one_by_its_type_and_charset(content_type: bytes | None, charset: str | None) -> None:
    assert charset_of(content_type) == charset


def filters() -> BodyFilters:
    return BodyFilters(EDITS, ApplicationEdits(EDITS))


def nobody(found: Disagreement) -> None:
    """Is told."""


def changed(content_type: bytes, body: bytes, step: int = 1 << 20) -> bytes:
    replacing = filters().replacing(PUBLIC, content_type, None, nobody)
    assert replacing is not None
    pieces = [one for at in range(0, len(body), step) for one in replacing.feed(body[at : at + step])]
    return b"".join(pieces) + replacing.end()


def test_texts_are_sought_in_the_charset_of_the_body() -> None:
    assert changed(b"text/html", "à Évreux".encode()) == "à Élancourt".encode()
    latin = "à Évreux http://intranet/".encode("latin-1")
    assert changed(b"text/html; charset=iso-8859-1", latin) == "à Élancourt https://app.example/".encode("latin-1")
    # The head lies: nothing is found, nothing is broken.
    assert changed(b"text/html; charset=utf-8", latin) == latin.replace(b"http://intranet", b"https://app.example")
    # What the charset lacks is sought in no body of it.
    assert changed(b"text/html; charset=us-ascii", b"Evreux") == b"Evreux"


BOTH = "à Évreux http://intranet/"
DONE = "à Élancourt https://app.example/"
KEPT = "à Évreux https://app.example/"


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("content_type", "before", "charset", "after"),
    [
        ("text/html", '<meta charset="iso-8859-1">', "latin-1", DONE),
        ("text/html", '<META http-equiv=Content-Type content="text/html; charset=windows-1252">', "cp1252", DONE),
        ("text/html", " " * 900 + "<meta charset=iso-8859-1>", "latin-1", DONE),
        ("text/html", " " * 1020 + "<meta charset=iso-8859-1>", "latin-1", KEPT),
        ("text/html", "<meta charset=utf-16>", "utf-8", DONE),
        ("text/html", "<meta charset=utf-8>", "latin-1", KEPT),
        ("text/html", "<meta charset=shift_jis>", "utf-8", KEPT),
        ("text/html", "<meta charset=nothing-known>", "utf-8", KEPT),
        ("application/xml", '<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1", DONE),
        ("text/css", '@charset "iso-8859-15";', "iso8859-15", DONE),
        ("text/css", ' @charset "iso-8859-15";', "iso8859-15", KEPT),
        # A mark of UTF-8 counts before what the head says, and what the head says before what the text does.
        ("text/html; charset=iso-8859-1", "\ufeff", "utf-8", DONE),
        ("text/html; charset=utf-8", "<meta charset=iso-8859-1>", "utf-8", DONE),
        ("application/json", '{"x": "<meta charset=iso-8859-1>"}', "utf-8", DONE),
        ("text/html; charset=utf-8", "", "latin-1", KEPT),
    ],
)
def test_the_charset_of_a_text_is_the_one_that_browsers_take(
    step: int, content_type: str, before: str, charset: str, after: str
) -> None:
    """`charset`: the one that the bytes are in. Whatever a text says of itself, no byte of it is broken."""
    body = (before + BOTH).encode(charset)
    assert changed(content_type.encode(), body, step) == (before + after).encode(charset)


def told_of(content_type: bytes, body: bytes, step: int = 1 << 20) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    replacing = filters().replacing(PUBLIC, content_type, None, told.append)
    assert replacing is not None
    pieces = [one for at in range(0, len(body), step) for one in replacing.feed(body[at : at + step])]
    # A filter may ask for the end more than once.
    assert b"".join(pieces) + replacing.end() + replacing.end() == changed(content_type, body)
    return told


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("content_type", "text", "charset", "told"),
    [
        ("text/html; charset=utf-8", "Évreux", "utf-8", []),
        ("text/html; charset=iso-8859-1", "Évreux", "latin-1", []),
        # The bytes are none of the charset that the head, or the text itself, names.
        ("text/html; charset=utf-8", "Évreux", "latin-1", [("utf-8", "unknown")]),
        ("text/html; charset=us-ascii", "Évreux", "utf-8", [("us-ascii", "utf-8")]),
        ("text/html; charset=windows-1252", "Á", "utf-8", [("windows-1252", "utf-8")]),
        ("text/html", "<meta charset=utf-8>Évreux", "latin-1", [("utf-8", "unknown")]),
        ("application/json", '"Évreux"', "latin-1", [("utf-8", "unknown")]),
        # The head and the text name two.
        ("text/html; charset=iso-8859-1", "\ufeffÉvreux", "utf-8", [("iso-8859-1", "utf-8")]),
        ("text/html; charset=utf-8", "\ufeffÉvreux", "utf-16-be", [("utf-8", "utf-16-be")]),
        ("text/html; charset=iso-8859-1", "<meta charset=utf-8>Évreux", "utf-8", [("iso-8859-1", "utf-8")]),
        ("text/html; charset=utf-8", "<meta charset=Shift_JIS>Évreux", "utf-8", [("utf-8", "shift_jis")]),
        ("text/html; charset=utf-8", f"<meta charset={'x' * 80}>É", "utf-8", [("utf-8", "x" * 40)]),
        ("text/xml; charset=utf-8", '<?xml version="1.0" encoding="latin1"?><a>É</a>', "utf-8", [("utf-8", "latin1")]),
        # Browsers read these alike.
        ("text/html; charset=iso-8859-1", "<meta charset=windows-1252>É", "latin-1", []),
        ("text/html; charset=us-ascii", "<meta charset=latin1>a", "ascii", []),
        ("text/html; charset=utf8", "<meta charset=UTF-8>É", "utf-8", []),
        # In ASCII it makes no difference, and where nothing is said there is no lie.
        ("text/html; charset=utf-8", "<meta charset=iso-8859-1>Evreux", "ascii", []),
        ("text/html", "Évreux", "latin-1", []),
        ("text/html", "\ufeffÉvreux", "utf-16-le", []),
        ("text/html", "<meta charset=nothing-known>Évreux", "latin-1", []),
        ("text/html; charset=iso-8859-12", "Évreux", "latin-1", []),
        # What looks like a tag in these is a string of theirs.
        ("application/json", '{"x": "<meta charset=iso-8859-1>É"}', "utf-8", []),
        ("text/javascript; charset=utf-8", "x='<meta charset=iso-8859-1>É'", "utf-8", []),
        ("text/html; charset=utf-8", "", "utf-8", []),
    ],
)
def test_who_lies_of_its_charset_is_told_of(
    step: int, content_type: str, text: str, charset: str, told: list[tuple[str, str]]
) -> None:
    """Once, however it comes, and no byte of the body is another one for it."""
    assert told_of(content_type.encode(), text.encode(charset, "surrogatepass"), step) == told


@pytest.mark.parametrize("step", [1000, 1 << 20])
def test_the_beginning_of_a_text_is_looked_at_and_its_last_character_may_be_cut(step: int) -> None:
    begun = b"a" * (COMPARED - 1)
    assert told_of(b"text/html; charset=utf-8", begun + "É".encode(), step) == []
    assert told_of(b"text/html; charset=utf-8", begun + b"\xc9a", step) == []
    assert told_of(b"text/html; charset=utf-8", begun[1:] + b"\xc9a", step) == [("utf-8", "unknown")]
    # All of a text is here: its last character is cut by the application.
    assert told_of(b"text/html; charset=utf-8", b"\xc3", step) == [("utf-8", "unknown")]


def test_no_beginning_of_a_text_takes_long() -> None:
    """Invariant 14: 1,024 bytes of whatever the expressions may stumble over."""
    parts = [b"<meta", b"<meta ", b"charset", b"charset ", b"charset=", b"<?xml ", b"encoding ", b" ", b"<", b'"', b">"]
    began = time.process_time()
    for first in parts:
        for then in parts:
            for _ in range(8):
                charset_within((first + then * 1024)[:1024], "utf-8")
    assert time.process_time() - began < 0.001 * 8 * len(parts) ** 2


def test_a_text_in_utf_16_goes_on_byte_for_byte() -> None:
    for mark, charset in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        body = mark + BOTH.encode(charset)
        for content_type in (b"text/html", b"text/html; charset=utf-8"):
            assert changed(content_type, body) == body


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"deflate", b"zstd", b"x-unknown", b"identity, gzip"])
def test_what_is_compressed_goes_on_as_it_comes(encoding: bytes) -> None:
    assert filters().replacing(PUBLIC, b"text/html", encoding, nobody) is None
    assert filters().replacing(PUBLIC, b"text/html", b" Identity ", nobody) is not None


@pytest.mark.parametrize(
    ("content_type", "is_part"),
    [
        (b"text/html", True), (b"application/json", True), (b"Multipart/ByteRanges; boundary=a", True),
        (b"video/mp4", False), (b"application/pdf", False), (None, False), (b"text/html; charset=utf-16", False),
    ],
)  # fmt: skip
def test_what_may_be_a_part_of_a_text(content_type: bytes | None, is_part: bool) -> None:
    assert is_part_of_a_text(content_type) is is_part


def test_each_host_and_charset_is_made_ready_once() -> None:
    here = filters()
    assert here.replacements(PUBLIC, "utf-8") is here.replacements(PUBLIC, "utf-8")
    for number in range(600):
        here.replacements(f"https://h{number}.example", "utf-8")
    assert len(here._ready) <= 256
