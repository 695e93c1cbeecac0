"""Problems in the operator's files. Each problem has its place, and a check reports every problem of the folder."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model.codes import config_codes

Path = tuple[str | int, ...]
"""Keys and indexes from the root of a file to a value."""


_WIDTH, _BEFORE = 160, 120

# Problems go to terminals and logs, and beside these keys a secret may be written where a reference belongs. A fixed
# `value:` of an application's file may be a secret if its name says so, if the name is not on its line, or if it has
# the form of one. So may what stands directly beside a name that says so.
_HERE = r"""["']?\s*:\s*(?!\{\s*(?:file|env|credential)\s*:[^,{}]*\})\S"""
_SECRET = re.compile(
    rf"""\b(?:client_secret|secret|key){_HERE}
    |^\s*["']?value{_HERE}
    |(?i:auth|secret|token|key|pass|pwd|mdp|cle|credential|jeton|cookie)[\w.-]*+["']?\s*:.*\bvalue{_HERE}
    |(?i:api-?key|passw|pwd|mdp|jeton)[\w.-]*+["']?{_HERE}
    |(?i:\b(?:basic|bearer)(?:\s|\\[tnrx])+[\w+/=.~-]{{8}})
    |(?i:\w://[^/@\s]*:[^/@\s]*@)
    |(?i:(?:secret|token|api_?key|passw|pwd|jeton)[\w-]*+=[^\s&;"'{{}}])""",
    re.VERBOSE,
)
_NOT_SHOWN = "    (this line may hold a secret: it is not shown)"
# To look for a secret takes the square of a line's length.
_LONGEST = 500
_TOO_LONG = f"    (this line is longer than {_LONGEST} characters: it is not shown)"


def printable(text: str) -> str:
    """The text in a form that is safe for a terminal: every character becomes one visible character."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in text)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file: `line` and `column` count from 1, `source` is the whole line; line 0 is the file itself."""

    file: str
    line: int
    column: int
    source: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def excerpt(self) -> str:
        """The source line, cut if it is long, with a caret below the column. A line that may hold a secret is not
        shown, nor a line that is too long to search for secrets."""
        if len(self.source) > _LONGEST:
            return _TOO_LONG
        if _SECRET.search(self.source):
            return _NOT_SHOWN
        start = max(0, self.column - 1 - _BEFORE)
        shown = printable(self.source[start : start + _WIDTH])
        return f"    {shown}\n    {' ' * (self.column - 1 - start)}^"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem at a place.

    `key`: the path of keys, `access[1].alow`; empty for a whole file.
    `others`: further places that collide with `place`.
    `code`: the kind of problem (model.config_codes, or the code of an error)."""

    place: Place
    key: str
    message: str
    suggestion: str = ""
    others: tuple[tuple[str, Place], ...] = ()
    code: str = config_codes.CONFLICT.id

    def render(self) -> str:
        """`policies/apps/x.yaml:18:5: access[1].alow: unknown key (did you mean allow?)`, the line and a caret."""
        head = ": ".join(part for part in (str(self.place), self.key, self.message) if part)
        hint = f" ({self.suggestion})" if self.suggestion else ""
        lines = [printable(head + hint)]
        if self.place.source:
            lines.append(self.place.excerpt())
        for word, place in self.others:
            lines.append(f"  {word} {place}")
            if place.source:
                lines.append(place.excerpt())
        return "\n".join(lines)


class ProblemsFound(Exception):
    """Nothing was compiled. `problems`: every problem, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=_by_place))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(problem.render() for problem in self.problems)


def key_path(path: Path) -> str:
    """The path as messages write it: `access[1].alow`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _by_place(problem: Problem) -> tuple[str, int, int, str, str]:
    return problem.place.file, problem.place.line, problem.place.column, problem.key, problem.message


def did_you_mean(word: object, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`did you mean NAME?`, or an empty text where no known name is near."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=cutoff)
    return f"did you mean {near[0]}?" if near else ""
