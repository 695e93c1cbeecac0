"""How readable docstrings are: the share of pronouns and their like among the words of each package.

Codebases that are read with ease have 3 to 6 % (aiohttp 4.8, pydantic 4.5, jinja2 5.3, redis-py 3.8). A package may get
better and not worse: lower its number here when it does. Rewrite a docstring that hides who does what; write no odd
sentence for the number.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

GATEWAY = Path(__file__).resolve().parent.parent / "gateway"
PRONOUNS = frozenset(
    re.findall(
        r"\w+",
        """it its this that these those they them their theirs what which who whom whose whatever whoever whichever one
    ones
    none nobody somebody anybody everybody nothing something anything everything such so there here both either neither
    each all any some other others another else""",
    )
)
# Per cent of the words, and how many docstrings of eight words or more may be over 30 %.
CEILINGS = {
    "access": (7.8, 0),
    "accounts": (7.1, 0),
    "cli": (7.2, 0),
    "config": (8.3, 0),
    "directories": (5.0, 0),
    "federation": (5.9, 0),
    "formlogin": (5.4, 0),
    "identity": (6.1, 0),
    "lint": (7.3, 0),
    "model": (6.2, 0),
    "oidc": (6.4, 0),
    "ops": (4.6, 0),
    "organisations": (3.9, 0),
    "policy": (8.0, 0),
    "portal": (7.5, 0),
    "proxy": (7.3, 0),
    "saml": (7.7, 0),
    "scim": (3.7, 0),
    "server": (6.9, 0),
    "stores": (8.0, 0),
    "tokens": (7.4, 0),
    "translation": (4.8, 0),
    "trial": (8.0, 0),
    "wire": (6.0, 0),
}


def docstrings(folder: Path) -> Iterator[tuple[str, str]]:
    """(file:line, text)."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            if documented and (text := ast.get_docstring(node)):
                yield f"{path.relative_to(GATEWAY)}:{getattr(node, 'lineno', 1)}", text


def count(text: str) -> tuple[int, int]:
    """Pronouns and words; what stands in backticks is one word."""
    words = re.findall(r"[A-Za-z']+", re.sub(r"`[^`]*`", "x", text))
    return sum(word.lower() in PRONOUNS for word in words), len(words)


@cache
def measured(package: str) -> tuple[float, tuple[str, ...]]:
    """The share in per cent, and the docstrings over 30 %."""
    counted = [(place, *count(text)) for place, text in docstrings(GATEWAY / package)]
    share = 100 * sum(hits for _, hits, _ in counted) / sum(words for _, _, words in counted)
    return share, tuple(place for place, hits, words in counted if words >= 8 and hits > 0.3 * words)


def test_every_package_is_measured() -> None:
    assert sorted(CEILINGS) == sorted(path.name for path in GATEWAY.iterdir() if (path / "__init__.py").is_file())


@pytest.mark.parametrize("package", CEILINGS)
def test_docstrings_name_the_thing_and_say_who_does_what(package: str) -> None:
    share, riddles = measured(package)
    most, most_riddles = CEILINGS[package]
    assert share <= most
    assert len(riddles) <= most_riddles, riddles
