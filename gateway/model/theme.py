"""The look of our pages, and the operator's texts on them, by language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

ByLanguage = Mapping[str, str]
"""Texts by language. The empty language marks a text for every language."""

Words = str | tuple[tuple[str, str], ...]
"""A text for every language, or pairs of language and text: a hashable form for decisions."""

Conformity = Literal["full", "partial", "none"]

# The backgrounds of the operator's colour in the style sheet.
LIGHT_SURFACES: Final = ("#ffffff", "#f2f5f6")
DARK_SURFACES: Final = ("#18252b", "#0f191d")


@dataclass(frozen=True, slots=True)
class Colours:
    """The colour of links, buttons and the band at the top: `#rrggbb`."""

    light: str = "#0b5c6b"
    dark: str = "#84d3de"


@dataclass(frozen=True, slots=True)
class Accessibility:
    """`state`: in French law, how far the pages conform to RGAA. `statement`: an address."""

    state: Conformity = "none"
    statement: ByLanguage = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FooterLinks:
    """Addresses of a link; without texts, no link."""

    legal: ByLanguage = field(default_factory=dict)
    data_protection: ByLanguage = field(default_factory=dict)


# The media types of files by the end of their name.
DESIGN_KINDS: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class DesignFile:
    """A file of the State's design system, from the operator's copy.

    `name`: the path below the folder of the style sheet.
    `packed`: gzip."""

    name: str
    kind: str
    content: bytes
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Dsfr:
    """The State's design system instead of our own.

    `digest`: the hash of the files, in hex, which is a part of their addresses.
    `mark`: the lines of the block-mark."""

    digest: str
    mark: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Theme:
    """`name`: of the organisation or of its service.
    `logo`: a PNG or an SVG; None: no logo.
    `help`: one sentence at the foot of every page.
    `time_zone`: of displayed times, as in `zoneinfo`.
    `levels`: the display names of levels, by their names on the ladder.
    `dsfr`: None: pages have our own look.
    """

    name: ByLanguage = field(default_factory=dict)
    logo: bytes | None = None
    colours: Colours = field(default_factory=Colours)
    help: ByLanguage = field(default_factory=dict)
    links: FooterLinks = field(default_factory=FooterLinks)
    accessibility: Accessibility | None = None
    time_zone: str = "Europe/Paris"
    levels: Mapping[str, ByLanguage] = field(default_factory=dict)
    dsfr: Dsfr | None = None


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text, and its language if it differs, or may differ, from the page's language."""

    text: str
    language: str = ""


def said_in(texts: ByLanguage, language: str) -> ShownText:
    """The text in `language`, else the text for every language, else the first text, with its language. Empty without
    texts."""
    text = texts.get(language) or texts.get("")
    if text is not None:
        return ShownText(text)
    for other, text in texts.items():
        return ShownText(text, other)
    return ShownText("")


def by_language(words: Words) -> ByLanguage:
    if isinstance(words, str):
        return {"": words} if words else {}
    return dict(words)


def logo_kind(content: bytes) -> str:
    """The media type, by how the file begins; empty for what no page shows."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    text = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    is_svg = text.startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in text
    return "image/svg+xml" if is_svg else ""
