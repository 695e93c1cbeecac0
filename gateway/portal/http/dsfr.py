"""Our templates with the class names of the State's design system: a page frame of its own (`templates_dsfr`), and its
classes in place of ours. The operator supplies the files of the design system.
"""

import re
from pathlib import Path
from typing import Final

from jinja2.ext import Extension

DSFR_TEMPLATES: Final = Path(__file__).parents[1] / "templates_dsfr"

_TILE: Final = (
    '<li><div class="fr-tile fr-tile--horizontal fr-tile--sm fr-enlarge-link"><div class="fr-tile__body">'
    '<div class="fr-tile__content"><p class="fr-tile__title"><a href='
)
# A line with a link that leads on from a page.
_ACT: Final = re.compile('<p class="act">.*')
# Texts of our templates and their replacements. A longer text precedes a text with which it begins.
MARKUP: Final = (
    ('<p class="act">', '<p class="fr-mt-4w">'),
    ('<p class="soft aside"><a href=', '<p class="fr-mt-3w"><a class="fr-link" href='),
    ('<p class="aside"><a href=', '<p class="fr-mt-3w"><a class="fr-link" href='),
    ('<p class="soft"><a href=', '<p><a class="fr-link" href='),
    ('class="soft aside"', 'class="fr-text--sm fr-mt-3w soft"'),
    ('class="soft"', 'class="fr-text--sm soft"'),
    ('class="ref"', 'class="fr-text--sm ref"'),
    ("<button>", '<button class="fr-btn">'),
    ('<button class="quiet"', '<button class="fr-btn fr-btn--secondary"'),
    (
        '<p role="alert">{{ gettext(refused',
        '<p role="alert" class="fr-alert fr-alert--error fr-alert--sm">{{ gettext(refused',
    ),
    ('<p role="alert">', '<p role="alert" class="fr-alert fr-alert--info fr-alert--sm">'),
    ("<p><label for=", '<p class="fr-input-group"><label class="fr-label" for='),
    ("<input id=", '<input class="fr-input" id='),
    ("<textarea id=", '<textarea class="fr-input" id='),
    ("<li><a href=", _TILE),
    ("</a></li>", "</a></p></div></div></div></li>"),
    ('<ul class="choices', '<ul class="fr-raw-list choices'),
    ('<ul class="list">', '<ul class="fr-raw-list list">'),
    ('class="unseen"', 'class="fr-sr-only"'),
    ('<a href="?q=', '<a class="fr-link fr-mr-2w" href="?q='),
    ("<h2", '<h2 class="fr-h4"'),
)


class DsfrMarkup(Extension):
    """jinja2 calls the function with each template before compiling."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        if filename is not None and Path(filename).parent == DSFR_TEMPLATES:
            return source
        source = _ACT.sub(lambda line: line[0].replace("<a href=", '<a class="fr-btn" href='), source)
        for ours, theirs in MARKUP:
            source = source.replace(ours, theirs)
        return source
