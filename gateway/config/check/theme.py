"""The logo of `theme:`, which becomes a part of every page of ours."""

from typing import Final

from gateway.config.schema.scalars import Wrong
from gateway.model.theme import logo_kind

# In base64 it has a third more, and a page with it stays below 20 KB.
_LARGEST: Final = 8 * 1024


def check_logo(content: bytes) -> None:
    """Raises Wrong."""
    if len(content) > _LARGEST:
        raise Wrong(f"this logo has {len(content)} bytes", f"at most {_LARGEST}: an SVG, or a small PNG")
    if not logo_kind(content):
        raise Wrong("this is neither a PNG nor an SVG in UTF-8", "an SVG begins with <svg or <?xml")
