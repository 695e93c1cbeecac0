"""Names for templates, and texts that stay on one line."""

import re
from typing import Final

from markupsafe import Markup, escape

from gateway.model.theme import ShownText
from gateway.portal.http.choices import Choice
from gateway.portal.http.lines import SessionLine

_HYPHENATED: Final = re.compile(r"(?=.{3,16}$)[^-]+-.+")
_WHOLE: Final = Markup('<span class="whole">{}</span>')


def called(one: Choice | SessionLine, language: str) -> ShownText:
    if text := one.labels.get(language):
        return ShownText(text)
    written_in = [other for other, text in one.labels.items() if text == one.label]
    return ShownText(one.label, *written_in[:1])


def whole(text: str) -> Markup:
    return _WHOLE.format(text)


def whole_words(title: str) -> Markup:
    """Words such as "sign-in" break at no hyphen; longer ones may, where a page is narrow."""
    words = escape(title).split(" ")
    return Markup(" ").join(whole(word) if _HYPHENATED.fullmatch(word) else word for word in words)


def whole_day(moment: str) -> Markup:
    """`moments.moment`: a day stays with its year, and a line may end before the hour."""
    day, space, hour = moment.rpartition(" ")
    return (whole(day) if day else Markup("")) + space + hour
