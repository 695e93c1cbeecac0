import struct
import sys
import zlib
from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from gateway.federation.logo_images import can_decode, written_anew
from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from tests.federation.pictures import picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="80" height="60"><script>alert(1)</script></svg>'


def bomb() -> bytes:
    """A PNG of 30,000 by 30,000 pixels, in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("size", [(16, 16), (80, 60), (400, 40), (30, 900), (1999, 1999)])
def test_each_kind_becomes_a_small_png(kind: str, size: tuple[int, int]) -> None:
    assert can_decode()
    with Image.open(BytesIO(written_anew(picture(kind, size)))) as made:
        assert (made.format, made.height, made.width <= 160) == ("PNG", 64, True)


def test_it_stands_on_white() -> None:
    with Image.open(BytesIO(written_anew(picture("PNG", (160, 32), (255, 0, 0, 0))))) as made:
        assert (made.mode, made.getpixel((80, 32)), made.getpixel((0, 0))) == ("RGB", (255,) * 3, (255,) * 3)


def test_nothing_that_was_beside_the_picture_is_left() -> None:
    words, out = PngImagePlugin.PngInfo(), BytesIO()
    words.add_text("Comment", "<script>alert(1)</script>")
    Image.new("RGB", (64, 64), "navy").save(out, "PNG", pnginfo=words)
    assert b"script" in out.getvalue()
    assert b"script" not in written_anew(out.getvalue() + SVG)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SVG,
        b"<!doctype html><title>Not found</title>",
        picture("PNG", (80, 60))[:60],
        picture("PNG", (80, 60))[:-40].replace(b"IDAT", b"IDAX"),
        picture("JPEG", (80, 60))[:300],
        picture("BMP", (80, 60)),
        picture("TIFF", (80, 60)),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 60\n",
        bomb(),
        picture("GIF", (2001, 2000)),
    ],
)
def test_what_is_no_picture_or_too_large_a_one_is_none(content: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        written_anew(content)
    assert refused.value.code == saml_codes.LOGO


def test_a_broken_parser_is_told_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = picture("PNG", (16, 16))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(GatewayError) as refused:
        written_anew(drawn)
    assert refused.value.code is saml_codes.LOGO
    assert refused.value.detail.startswith("Pillow cannot be loaded: ")
