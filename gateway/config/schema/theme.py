"""`theme:` of gateway.yaml: the look of our own pages, and the operator's texts on them."""

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.types import Label, LevelName, Maybe, PublicReference, Strict, wrong
from gateway.config.schema.values import TimeZone
from gateway.model.theme import DARK_SURFACES, LIGHT_SURFACES

# WCAG 1.4.3 of text.
_CONTRAST: Final = 4.5
_COLOUR: Final = re.compile("#[0-9a-f]{6}", re.IGNORECASE)
_LONGEST_ADDRESS: Final = 500
_MARK_LINES: Final = 5
_MARK_WIDTH: Final = 60


def _luminance(colour: str) -> float:
    """WCAG 2.1, relative luminance: 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours `#rrggbb` by WCAG 2.1: 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, surfaces: tuple[str, ...], remedy: str) -> str:
    if _COLOUR.fullmatch(colour) is None:
        raise wrong(f"{colour[:40]} is not a colour", 'write "#0b5c6b", in quotes')
    least = min(contrast(colour, surface) for surface in surfaces)
    if least < _CONTRAST:
        raise wrong(f"{colour} has a contrast of {least:.1f} here; people need {_CONTRAST}", remedy)
    return colour.lower()


def _on_light(colour: str) -> str:
    return _readable(colour, LIGHT_SURFACES, "take a darker colour: it stands on white")


def _on_dark(colour: str) -> str:
    return _readable(colour, DARK_SURFACES, "take a lighter colour: it stands on a dark page")


def _addresses(texts: dict[str, str]) -> dict[str, str]:
    for address in texts.values():
        parts = urlsplit(address)
        if parts.scheme not in ("https", "http") or not parts.hostname or not address.isascii() or " " in address:
            raise wrong(f"{address[:80]} is not an address", "write https://...")
        if len(address) > _LONGEST_ADDRESS:
            raise wrong("this address is too long")
    return texts


Addresses = Annotated[Label, AfterValidator(_addresses)]


class ThemeColoursSection(Strict):
    light: Annotated[str, AfterValidator(_on_light)] = "#0b5c6b"
    """The colour of links, buttons and the band at the top, on white: `"#rrggbb"`, with a contrast of at least 4.5."""
    dark: Annotated[str, AfterValidator(_on_dark)] = "#84d3de"
    """The same colour for people whose device shows dark pages."""


class ThemeLinksSection(Strict):
    legal: Addresses = Field(default={})
    """The legal notice."""
    data_protection: Addresses = Field(default={})
    """How people's data are processed."""


class ThemeAccessibilitySection(Strict):
    state: Literal["full", "partial", "none"]
    """How far these pages conform to RGAA, according to your audit."""
    statement: Addresses = Field(default={})
    """The accessibility statement."""


def _mark(text: str) -> str:
    lines = text.split("\n")
    if len(lines) > _MARK_LINES or not all(line.strip() and len(line) <= _MARK_WIDTH for line in lines):
        raise wrong(
            f"a block-mark has 1 to {_MARK_LINES} lines of 1 to {_MARK_WIDTH} characters", '"République\\nfrançaise"'
        )
    if not all(line.isprintable() for line in lines):
        raise wrong("a block-mark is text")
    return text


class ThemeDsfrSection(Strict):
    """The State's design system (DSFR), from your own copy. Its terms of use allow only sites of the State. The design
    system has its own colours, and light pages only."""

    folder: Annotated[str, Field(min_length=1)]
    """The folder of the npm package `@gouvfr/dsfr`, version 1; a relative path starts from the policy folder. The files
    that its `dist/dsfr.min.css` needs are loaded with your other files and served by the gateway."""
    mark: Annotated[str, AfterValidator(_mark)] = "République\nfrançaise"
    """The text of the block-mark, with `\\n` between its lines: `"Ministère\\nde l’Intérieur"`."""


class ThemeSection(Strict):
    """How our own pages look: sign-in, refusals, sign-out. Texts are written once, or by language: `{fr: ..., en:
    ...}`."""

    name: Label = Field(default={})
    """The name of your organisation or service, at the top of every page and in its title."""
    logo: Maybe[PublicReference] = None
    """A PNG or SVG of at most 8 KB, shown at the height of two lines and embedded in each page."""
    colours: ThemeColoursSection = ThemeColoursSection()
    help: Label = Field(default={})
    """One sentence at the foot of every page: how people get help."""
    links: ThemeLinksSection = ThemeLinksSection()
    accessibility: Maybe[ThemeAccessibilitySection] = None
    """The accessibility statement that French law requires on every public page."""
    time_zone: TimeZone = "Europe/Paris"
    """The time zone of times on pages, such as `Europe/Paris`."""
    levels: dict[LevelName, Label] = Field(default={}, max_length=50)
    """The words for each level of sign-in on pages, by its name in `levels`. Default for the usual ladder: the words of
    eIDAS; `eidas2` is "substantial"."""
    dsfr: Maybe[ThemeDsfrSection] = None

    @model_validator(mode="after")
    def _has_one_look(self) -> "ThemeSection":
        if self.dsfr is not None and "colours" in self.model_fields_set:
            raise wrong("the State's design system has colours of its own", "leave out colours, or dsfr")
        return self
