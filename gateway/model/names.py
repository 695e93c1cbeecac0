"""Names of headers, cookies and parameters as the most lenient server reads them."""

import re
from typing import Final

_LOWER = bytes(range(256)).lower()
_NOT_ALPHANUMERIC = bytes(byte for byte in range(256) if not bytes((byte,)).isalnum())


def fold(name: bytes) -> bytes:
    """Lower case, only letters and digits: equal for names that a server may read as the same name."""
    return name.translate(_LOWER, _NOT_ALPHANUMERIC)


# Readers skip these before a name: PHP blanks, Rack 2 and qs (Express) brackets, Spring `!` (a value for its absence).
_SKIPPED: Final = " \t\n\v\f\r[]!"
# PHP writes `_` for a blank, a dot and the first bracket that is not closed. Rack 2 takes several brackets for one.
_SEPARATORS: Final = re.compile(r"[\s.\[\]_:(]+")
# Ends that a reader may drop: a separator, and the place of a click on an image (Spring, Zope).
_DROPPED: Final = frozenset({"", "_", ".", ".x", ".y"})


class LenientName:
    """The name of a parameter, for comparison with the names in a query or a form.

    In a name with brackets, only the text before the first bracket counts: PHP reads `a[b]x[c]` as `a[b]`. The text is
    in lower case, with `_` for a run of separators.
    """

    __slots__ = ("_root", "most_marks")

    def __init__(self, written: str) -> None:
        self._root = _flat(_marked(written).partition("[")[0])
        # Of a longer name, only as much counts as the root has letters, and two more for its end.
        self.most_marks = len(self._root) + 3

    def may_be(self, other: str) -> bool:
        """Whether a server may read the parameter `other` as the named parameter, as a part of it, or as a whole that
        contains it. True for the name itself. True for every `other` if the name consists of brackets and blanks.

        Source: php_register_variable_ex of PHP 8.4, normalize_params of Rack 2, parseKeys of qs, WebUtils of Spring.
        """
        marked = _marked(other, self.most_marks)
        root = self._root
        return not root or (_flat(marked).startswith(root) and _ends_behind(marked, root))


def _ends_behind(marked: str, root: str) -> bool:
    """Whether a reader may end the name after `root`: Zope reads `id:int` as `id`, as Rails does with `id(1i)`. The
    bracket of `x_[a]` belongs to the same run as the `_`."""
    last = marked[len(root) - 1]
    rest = marked[len(root) :]
    return last in "[:" or rest in _DROPPED or rest[0] in "[:"


def _marked(name: str, most: int = 0) -> str:
    """Lower case, with a character for each run of separators: `[` for a run with a bracket, `:` with `:` or `(`, `.`
    with a dot, `_` for other separators. `most`: the number of runs that count; 0: every run.
    """
    return _SEPARATORS.sub(_mark, name.casefold().lstrip(_SKIPPED), most)


def _mark(run: re.Match[str]) -> str:
    text = run[0].replace("]", "[").replace("(", ":")
    return next((mark for mark in "[:." if mark in text), "_")


def _flat(marked: str) -> str:
    return marked.replace("[", "_").replace(":", "_").replace(".", "_")
