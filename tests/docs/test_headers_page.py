"""What docs/how-to/send-headers-that-an-application-reads.md and its French twin show is what is sent."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from gateway.config.check.translate import spec_of
from gateway.config.schema.header_presets import HeaderPreset
from gateway.config.schema.translate import TranslateSection
from gateway.config.yaml.reader import read_document
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.translation.charset import Encoding, Unencodable, encode
from gateway.translation.read_back import read_back
from gateway.translation.render import Translation
from gateway.translation.specs import HeaderSpec
from tests.docs.blocks import blocks

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (DOCS / "how-to/send-headers-that-an-application-reads.md", DOCS / "fr/envoyer-des-en-tetes.md")
NAME = "Hélène Lebœuf"


def _rows(page: Path, heading: str) -> dict[str, str]:
    """First word of a row, and its second cell."""
    table = page.read_text("utf-8").partition(f"| `{heading}:` |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `([a-z0-9-]+)`[^|]*\| ([^|]*) \|", table, re.MULTILINE))


def yaml(text: str) -> Any:
    document, problems = read_document("page", text.encode())
    assert not problems
    return document.data


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


HELENE = Identity(
    "metropole",
    "https://op.metropole.example",
    "helene",
    {
        "given_name": ("Hélène",), "family_name": ("Lebœuf",), "mail": ("helene.leboeuf@corp.example",),
        "groups": ("agents", "sport"), "hired": ("2019-09-02",),
    },
)  # fmt: skip


def _translation(text: str) -> Translation:
    section = TranslateSection.model_validate(yaml(text)["translate"])
    headers = [spec_of(HeaderSpec, told, None) for told in section.told]
    return Translation.compile(headers, (), section.budget)


def test_what_a_value_is_made_of_is_what_is_sent() -> None:
    made, sent = (block.text for block in blocks(PAGES[0])[1:3])
    headers, _ = read_back(_translation(made), _translation(made).render(HELENE))
    assert "".join(f"{name}: {value}\n" for name, value in headers.items()) == sent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_way_of_joining_is_shown_as_it_is_sent(page: Path) -> None:
    rows = re.findall(r"^\| `(join: [^`]*)` \| `([^`]*)` \|", page.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == 5
    for written, sent in rows:
        translation = _translation(f"translate: {{headers: {{X-G: {{from: groups, {written}}}}}}}")
        headers = translation.render(replace(HELENE, attributes={"groups": ("a", "b,c")})).headers
        assert headers.decode() == f"\r\nX-G: {sent}"


@pytest.mark.parametrize(
    "pages",
    [
        PAGES,
        (DOCS / "how-to/applications-in-java.md", DOCS / "fr/applications-en-java.md"),
        (DOCS / "how-to/send-a-signed-token.md", DOCS / "fr/envoyer-un-jeton-signe.md"),
    ],
    ids=lambda pages: pages[0].stem,
)
def test_both_pages_show_the_same(pages: tuple[Path, Path]) -> None:
    english, french = ([block.text for block in blocks(page)] for page in pages)
    assert english == french


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_preset_is_in_the_table(page: Path) -> None:
    table = page.read_text("utf-8").partition("| `preset:` |")[2].partition("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert set(named) == set(get_args(HeaderPreset))
