"""A provider's logo, decoded and written anew: what a stranger drew never reaches a browser as it came.

Done in the process that fetches, which the kernel holds to its limits; the parser is Pillow (the extra `logos`).
"""

from importlib.util import find_spec
from io import BytesIO

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError

# Bytes that are fetched, and pixels that are decoded, at most: a small file may unfold into gigabytes.
LARGEST_LOGO = 1 << 18
_MOST_PIXELS = 4_000_000
# Twice as large as pages show it, so that it is sharp on a telephone: pages give the height, the width follows.
_HEIGHT = 64
_WIDEST = 160
# Not SVG, which is a document with scripts and addresses.
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def can_decode() -> bool:
    """Whether the extra `logos` is installed."""
    return find_spec("PIL") is not None


def written_anew(content: bytes) -> bytes:
    """A PNG of this height, and at most this width, on white, on which logos are made to stand; nothing that was beside
    the picture is in it. GatewayError: saml_codes.LOGO."""
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
        detail = f"no picture that is understood ({', '.join(_FORMATS)}): {type(error).__name__}"
        raise GatewayError(saml_codes.LOGO, detail) from error
    drawn.thumbnail((_WIDEST, _HEIGHT))
    ground = Image.new("RGBA", (drawn.width, _HEIGHT), "white")
    ground.alpha_composite(drawn, (0, (_HEIGHT - drawn.height) // 2))
    out = BytesIO()
    ground.convert("RGB").save(out, "PNG", optimize=True)
    return out.getvalue()
