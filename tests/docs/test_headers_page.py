"""What docs/how-to/send-headers-that-an-application-reads.md and its French twin show is what is sent."""

import re
from pathlib import Path
from typing import get_args

import pytest

from gateway.model.errors import GatewayError
from gateway.translation.charset import Encoding, Unencodable, encode
from tests.docs.blocks import blocks

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (DOCS / "how-to/send-headers-that-an-application-reads.md", DOCS / "fr/envoyer-des-en-tetes.md")
NAME = "Hélène Lebœuf"


def _rows(page: Path, heading: str) -> dict[str, str]:
    """First word of a row, and its second cell."""
    table = page.read_text("utf-8").partition(f"| `{heading}:` |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `([a-z0-9-]+)`[^|]*\| ([^|]*) \|", table, re.MULTILINE))


def _shown(encoded: bytes | None) -> str:
    assert encoded is not None
    return f"`{repr(encoded)[2:-1]}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_encoding_is_shown_as_it_is_sent(page: Path) -> None:
    rows = _rows(page, "encoding")
    assert tuple(rows) == get_args(Encoding)
    for encoding in get_args(Encoding):
        try:
            assert rows[encoding] == _shown(encode(NAME, encoding))
        except GatewayError:
            assert rows[encoding].startswith("refus")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_way_with_what_latin1_lacks_is_shown_as_it_is_sent(page: Path) -> None:
    rows = _rows(page, "unencodable")
    assert set(rows) == set(get_args(Unencodable))
    for unencodable in ("transliterate", "percent"):
        assert rows[unencodable] == _shown(encode(NAME, "latin1", unencodable))


def test_both_pages_show_the_same() -> None:
    english, french = ([block.text for block in blocks(page)] for page in PAGES)
    assert english == french
