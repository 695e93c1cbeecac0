"""Names of headers, cookies and parameters as the most lenient server reads them."""

import re
from typing import Final

_LOWER = bytes(range(256)).lower()
_NOT_ALPHANUMERIC = bytes(byte for byte in range(256) if not bytes((byte,)).isalnum())


def fold(name: bytes) -> bytes:
    """Lower case, only letters and digits: equal for names that some server reads as the same."""
    return name.translate(_LOWER, _NOT_ALPHANUMERIC)


# Readers skip these before a name: PHP blanks, Rack 2 and qs (Express) brackets, Spring `!` (a value for its absence).
_SKIPPED: Final = " \t\n\v\f\r[]!"
# PHP writes `_` for a blank, a dot and the first bracket that is not closed. Rack 2 takes several brackets for one.
_SEPARATORS: Final = re.compile(r"[\s.\[\]_:(]+")
# Ends that some reader drops: one separator, and the place of a click on an image (Spring, Zope).
_DROPPED: Final = frozenset({"", "_", ".", ".x", ".y"})


class LenientName:
    """The name of a parameter, compared with names that a query or a form has.

    Of a name with brackets, the text before the first one counts: PHP reads `a[b]x[c]` as `a[b]`. It is held in lower
    case, with each run of separators as `_`.
    """

    __slots__ = ("_root",)

    def __init__(self, written: str) -> None:
        self._root = _flat(_marked(written).partition("[")[0])

    def may_be(self, other: str) -> bool:
        """Whether some server reads a parameter called `other` as this one, as a part of this one, or as a whole that
        contains this one. True for the name itself, and for every name if this one consists of brackets and blanks.

        Source: php_register_variable_ex of PHP 8.4, normalize_params of Rack 2, parseKeys of qs, WebUtils of Spring.
        """
        marked = _marked(other)
        root = self._root
        return not root or (_flat(marked).startswith(root) and _ends_behind(marked, root))


def _ends_behind(marked: str, root: str) -> bool:
    """Whether some reader ends the name there: Zope reads `id:int` as `id`, Rails `id(1i)`. The bracket of `x_[a]`
    is of one run with the end of `x_`."""
    last = marked[len(root) - 1]
    rest = marked[len(root) :]
    return last in "[:" or rest in _DROPPED or rest[0] in "[:"


def _marked(name: str) -> str:
    """Lower case, with each run of separators as one character: `[` with a bracket, `:` with `:` or `(`, `.` with a
    dot, `_` for other separators.
    """
    return _SEPARATORS.sub(_mark, name.casefold().lstrip(_SKIPPED))


def _mark(run: re.Match[str]) -> str:
    text = run[0].replace("]", "[").replace("(", ":")
    return next((mark for mark in "[:." if mark in text), "_")


def _flat(marked: str) -> str:
    return marked.replace("[", "_").replace(":", "_").replace(".", "_")
