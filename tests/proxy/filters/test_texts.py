"""Which bodies are changed, by what their heads say."""

import pytest

from gateway.model.errors import GatewayError
from gateway.proxy.filters.replacing import Replacing
from gateway.proxy.filters.texts import BodyFilters, charset_of
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


def changed(content_type: bytes, body: bytes, encoding: bytes | None = None) -> bytes:
    replacements = filters().replacements(PUBLIC, 200, content_type, encoding)
    assert replacements is not None
    replacing = Replacing(replacements)
    return b"".join(replacing.feed(body)) + replacing.end()


def test_texts_are_sought_in_the_charset_of_the_body() -> None:
    assert changed(b"text/html", "à Évreux".encode()) == "à Élancourt".encode()
    latin = "à Évreux http://intranet/".encode("latin-1")
    assert changed(b"text/html; charset=iso-8859-1", latin) == "à Élancourt https://app.example/".encode("latin-1")
    # The head lies: nothing is found, nothing is broken.
    assert changed(b"text/html; charset=utf-8", latin) == latin.replace(b"http://intranet", b"https://app.example")
    # What the charset lacks is sought in no body of it.
    assert changed(b"text/html; charset=us-ascii", b"Evreux") == b"Evreux"


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"deflate", b"zstd", b"x-unknown", b"identity, gzip"])
def test_what_is_compressed_goes_on_as_it_comes(encoding: bytes) -> None:
    assert filters().replacements(PUBLIC, 200, b"text/html", encoding) is None
    assert filters().replacements(PUBLIC, 200, b"text/html", b" Identity ") is not None


def test_a_part_of_a_text_is_no_text() -> None:
    with pytest.raises(GatewayError, match="unasked"):
        filters().replacements(PUBLIC, 206, b"text/html", None)
    assert filters().replacements(PUBLIC, 206, b"video/mp4", None) is None


def test_each_host_and_charset_is_made_ready_once() -> None:
    here = filters()
    assert here.replacements(PUBLIC, 200, b"text/html", None) is here.replacements(PUBLIC, 404, b"text/css", None)
    for number in range(600):
        here.replacements(f"https://h{number}.example", 200, b"text/html", None)
    assert len(here._ready) <= 256
