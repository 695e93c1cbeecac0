"""`theme:`: what a file may say of how our pages look."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config.check.theme import check_logo
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.theme import ThemeSection, contrast
from gateway.model.theme import DARK_SURFACES, LIGHT_SURFACES, Colours
from gateway.portal.http import look

PNG = b"\x89PNG\r\n\x1a\n"


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#abcdef", "#abcdef") == 1


def test_our_own_colours_are_readable_wherever_they_stand() -> None:
    own = Colours()
    assert min(contrast(own.light, surface) for surface in LIGHT_SURFACES) >= 4.5
    assert min(contrast(own.dark, surface) for surface in DARK_SURFACES) >= 4.5


def test_the_surfaces_are_those_of_the_style_sheet() -> None:
    style = (Path(look.__file__).parents[1] / "templates" / "style.css").read_text("utf-8")
    found = re.findall(r"--page:(#\w+);--card:(#\w+)", style)
    assert [set(pair) for pair in found] == [set(LIGHT_SURFACES), set(DARK_SURFACES)]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"colours": {"light": "#84d3de"}}, "contrast of 1.6"),
        ({"colours": {"light": "#767676"}}, "contrast of 4.1"),
        ({"colours": {"dark": "#0b5c6b"}}, "contrast of 2."),
        ({"colours": {"light": "teal"}}, "not a colour"),
        ({"colours": {"light": "#0b5c6b;}*{display:none"}}, "not a colour"),
        ({"links": {"legal": "javascript:alert(1)"}}, "not an address"),
        ({"links": {"legal": {"fr": "https://a.example/", "en": "//a.example"}}}, "not an address"),
        ({"accessibility": {"state": "full", "statement": "/statement"}}, "not an address"),
        ({"time_zone": "Europe/Lutetia"}, "not a time zone"),
        ({"time_zone": "../../etc/passwd"}, "not a time zone"),
        ({"name": {"fr": ""}}, "1 to 200"),
        ({"dsfr": {"folder": "x"}, "colours": {"light": "#5b2a86"}}, "has colours of its own"),
        ({"dsfr": {"folder": ""}}, "at least 1 character"),
        ({"dsfr": None}, "nothing is written here"),
        ({"dsfr": {"folder": "x", "mark": ""}}, "1 to 5 lines of 1 to 60"),
        ({"dsfr": {"folder": "x", "mark": "a\n"}}, "1 to 5 lines of 1 to 60"),
        ({"dsfr": {"folder": "x", "mark": "a\n" * 5 + "a"}}, "1 to 5 lines of 1 to 60"),
        ({"dsfr": {"folder": "x", "mark": "a" * 61}}, "1 to 5 lines of 1 to 60"),
        ({"dsfr": {"folder": "x", "mark": "a\tb"}}, "is text"),
    ],
)
def test_what_a_page_cannot_show_is_refused(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ThemeSection.model_validate(written)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "logo", [PNG + bytes(100), b"<svg/>", b'<?xml version="1.0"?>\n<svg/>', b"\xef\xbb\xbf <svg/>"]
)
def test_a_logo_is_a_png_or_an_svg(logo: bytes) -> None:
    check_logo(logo)


@pytest.mark.parametrize(
    "logo", [b"\xff\xd8\xff\xe0JFIF", b"<html><svg>", b"GIF89a", PNG + bytes(8192), b"<?xml?><html/>"]
)
def test_what_is_none_is_refused(logo: bytes) -> None:
    with pytest.raises(Wrong):
        check_logo(logo)
