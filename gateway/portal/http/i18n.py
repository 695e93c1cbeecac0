"""French and English: the choice for a browser, and the catalogues."""

import gettext
from pathlib import Path

from gateway.wire.cookies import LANGUAGES

_DEFAULT = "fr"
_LOCALE = Path(__file__).parents[1] / "locale"


def catalogue(language: str) -> gettext.NullTranslations:
    """English needs no catalogue: the message ids are English. Without the French catalogue the installation is
    broken."""
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation("ecluse", _LOCALE, languages=[language])


def choose(accept_language: str) -> str:
    """The language of ours with the highest weight (RFC 9110 12.5.4); the first one named wins a tie."""
    best, weight = _DEFAULT, 0.0
    for item in accept_language[:256].split(",")[:16]:
        tag, _, parameter = item.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES and (found := _weight(parameter)) > weight:
            best, weight = language, found
    return best


def _weight(parameter: str) -> float:
    """0 to 1; an unreadable weight counts as absent."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(float(value), 1.0) if name.strip() == "q" and len(value) <= 5 else 0.0
    except ValueError:
        return 0.0
