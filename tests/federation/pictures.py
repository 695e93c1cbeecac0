"""Pictures to be read."""

from io import BytesIO

from PIL import Image


def picture(kind: str, size: tuple[int, int], colour: tuple[int, ...] = (0, 0, 145, 255)) -> bytes:
    made, out = Image.new("RGBA", size, colour), BytesIO()
    (made if kind in ("PNG", "WEBP") else made.convert("RGB")).save(out, kind)
    return out.getvalue()
