"""Every expression of `re` in gateway/, read from its source: what it matches, and by which methods it is used."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.expressions import Mode

ROOT = Path(__file__).parents[1]
_MODES: Mapping[str, Mode] = {
    **dict.fromkeys(("search", "sub", "subn", "split", "findall", "finditer"), "search"),
    "match": "match",
    "fullmatch": "fullmatch",
}
_ALL: frozenset[Mode] = frozenset(_MODES.values())
_SAYS_NOTHING = frozenset({"pattern", "flags", "groups", "groupindex"})
_NO_PATTERN = frozenset({"escape", "purge"})

# What stands in expressions that are put together at run time: by module and line of source, the names that the
# expression has there, and values as the gateway has them.
Samples = Mapping[str, list[dict[str, object]]]


@dataclass(frozen=True)
class Expression:
    """`where`: module, a colon, and the name that it is kept under, or the function that it stands in."""

    where: str
    pattern: re.Pattern[Any]
    modes: frozenset[Mode]


class Unknown(Exception):
    """An expression that cannot be read from the source, and that no sample is given for."""


def expressions(samples: Samples) -> Iterator[Expression]:
    """Raises Unknown."""
    for path in _sources():
        yield from _Source(path).expressions(samples)


@cache
def _sources() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("gateway/**/*.py"))}


@cache
def _parents(path: Path) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(_sources()[path]) for child in ast.iter_child_nodes(node)}


class _Source:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.module = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")

    def expressions(self, samples: Samples) -> Iterator[Expression]:
        for node in ast.walk(_sources()[self.path]):
            if isinstance(node, ast.ImportFrom) and node.module == "re":
                raise Unknown(f"{self.module}: write `import re`, so that its calls are found")
            if _is_of_re(node) and node.func.attr not in _NO_PATTERN:
                yield from self._of_call(node, samples)

    def _of_call(self, call: Any, samples: Samples) -> Iterator[Expression]:
        where = f"{self.module}:{self._place(call)}"
        for names in samples.get(where, [{}]):
            text, flags = self._evaluated(call.args[0], where, names), 0
            for argument in (*call.args[1:], *(each.value for each in call.keywords if each.arg == "flags")):
                value = self._evaluated(argument, where, names) if "re." in ast.unparse(argument) else 0
                flags |= value if isinstance(value, re.RegexFlag) else 0
            yield Expression(where, re.compile(text, flags), self._modes(call))

    def _evaluated(self, node: ast.expr, where: str, names: dict[str, object]) -> Any:
        try:
            value = eval(compile(ast.Expression(node), where, "eval"), {**_namespace(self.module), **names})
        except NameError as error:
            raise Unknown(f"{where}: {ast.unparse(node)}: {error}") from None
        if not isinstance(value, str | bytes | re.RegexFlag):
            raise Unknown(f"{where}: {ast.unparse(node)} is no text of its own")
        return value

    def _kept(self, node: ast.AST) -> str:
        """The name to which a statement gives this very value; empty where there is none."""
        up = _parents(self.path)[node]
        if isinstance(up, ast.Assign) and isinstance(up.targets[0], ast.Name):
            return up.targets[0].id
        return up.target.id if isinstance(up, ast.AnnAssign) and isinstance(up.target, ast.Name) else ""

    def _place(self, call: ast.AST) -> str:
        """The function that it stands in; outside of any the name that it, or what it is in, is kept under."""
        if function := self._function(call):
            return function.name
        name, node = "", call
        while not isinstance(node, ast.stmt):
            name = name or self._kept(node)
            node = _parents(self.path)[node]
        return name

    def _function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        while not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            node = _parents(self.path)[node]
        return None if isinstance(node, ast.Module) else node

    def _modes(self, call: Any) -> frozenset[Mode]:
        if call.func.attr != "compile":
            return frozenset({_MODES[call.func.attr]})
        name, function = self._kept(call), self._function(call)
        if not name:
            return _ALL
        if function:
            return frozenset(_used(self.path, name, function))
        everywhere = [self.path] if name.startswith("_") else _sources()
        return frozenset(mode for path in everywhere for mode in _used(path, name, _sources()[path]))


def arguments(module: str, function: str) -> list[object]:
    """The first argument of each call of a function in its own module."""
    source = _Source(ROOT / f"{module.replace('.', '/')}.py")
    calls = (node for node in ast.walk(_sources()[source.path]) if isinstance(node, ast.Call))
    of_it = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == function)
    return [source._evaluated(call.args[0], f"{module}:{function}", {}) for call in of_it]


def _is_of_re(node: Any) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
    )


def _used(path: Path, name: str, within: ast.AST) -> set[Mode]:
    """How an expression of this name is used in a part of a file; in every way, where it is handed on."""
    found: set[Mode] = set()
    for node in ast.walk(within):
        is_it = (isinstance(node, ast.Name) and node.id == name) or (
            isinstance(node, ast.Attribute) and node.attr == name
        )
        if not is_it or not isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
            continue
        up = _parents(path)[node]
        while isinstance(up, ast.IfExp):
            up = _parents(path)[up]
        if not isinstance(up, ast.Attribute):
            return set(_ALL)
        if up.attr not in _SAYS_NOTHING:
            found |= {_MODES[up.attr]} if up.attr in _MODES else _ALL
    return found


@cache
def _namespace(module: str) -> dict[str, object]:
    found: ModuleType = importlib.import_module(module)
    within = [vars(kind) for kind in vars(found).values() if isinstance(kind, type) and kind.__module__ == module]
    return {name: value for names in (*within, vars(found)) for name, value in names.items()}
