"""Decodes a provider's logo and encodes the pixels again: no browser ever receives a stranger's file unchanged.

Runs in the process that fetches, under limits that the kernel enforces. The decoder is Pillow (the extra `logos`).
"""

from importlib.util import find_spec
from io import BytesIO

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError

# Limits of bytes fetched and pixels decoded: a small file may unpack to gigabytes.
LARGEST_LOGO = 1 << 18
_MOST_PIXELS = 4_000_000
# Twice the size on a page, so that a logo is sharp on a telephone. Pages set the height; the width follows.
_HEIGHT = 64
_WIDEST = 160
# No SVG: an SVG document may hold scripts and addresses.
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def can_decode() -> bool:
    """Whether the extra `logos` is installed."""
    return find_spec("PIL") is not None


def written_anew(content: bytes) -> bytes:
    """Returns the picture as a PNG on a white ground, `_HEIGHT` pixels high and at most `_WIDEST` wide. Drops
    metadata and every other part of the file. GatewayError: saml_codes.LOGO.
    """
    try:
        from PIL import Image  # an extra
    except ImportError as error:
        raise GatewayError(
            saml_codes.LOGO, f"Pillow cannot be loaded: {error}; install the extra logos anew"
        ) from error
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as found:
            width, height = found.size
            if width * height > _MOST_PIXELS:
                raise GatewayError(
                    saml_codes.LOGO, f"{width} x {height} pixels, where {_MOST_PIXELS} are decoded at most"
                )
            drawn = found.convert("RGBA")
    except (OSError, ValueError, SyntaxError, TypeError, LookupError, EOFError, Image.DecompressionBombError) as error:
        detail = f"not a readable picture ({', '.join(_FORMATS)}): {type(error).__name__}"
        raise GatewayError(saml_codes.LOGO, detail) from error
    drawn.thumbnail((_WIDEST, _HEIGHT))
    ground = Image.new("RGBA", (drawn.width, _HEIGHT), "white")
    ground.alpha_composite(drawn, (0, (_HEIGHT - drawn.height) // 2))
    out = BytesIO()
    ground.convert("RGB").save(out, "PNG", optimize=True)
    return out.getvalue()
