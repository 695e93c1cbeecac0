"""No module of the gateway imports itself in the end.

Unlike the interpreter and the import contract, this counts imports for type checkers alone and those inside functions
too: they hide a circle, and the files of a circle can only be read all at once.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GATEWAY = ROOT / "gateway"

Graph = Mapping[str, frozenset[str]]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, modules: frozenset[str]) -> Iterator[str]:
    """The modules among `modules` that are imported anywhere in `tree`, under TYPE_CHECKING and in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from modules.intersection(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in modules:
                    yield inner
                elif node.module in modules:
                    yield node.module


def import_graph(sources: Mapping[str, bytes]) -> Graph:
    """`sources`: the text of each module, by its dotted name."""
    modules = frozenset(sources)
    return {name: frozenset(imported(ast.parse(text), modules)) - {name} for name, text in sources.items()}


def in_circles(graph: Graph) -> frozenset[str]:
    """The modules from which a way of imports leads back to themselves."""
    found: set[str] = set()
    while True:
        left = {name: wanted - found for name, wanted in graph.items() if name not in found}
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            found |= _whole_circle(graph, error.args[1][0])
        else:
            return frozenset(found)


def _whole_circle(graph: Graph, name: str) -> set[str]:
    """All that `name` leads to and that leads to it."""
    return {other for other in _reached(graph, name) if name in _reached(graph, other)}


def _reached(graph: Graph, name: str) -> set[str]:
    reached: set[str] = set()
    ahead = [name]
    while ahead:
        more = graph[ahead.pop()] - reached
        reached |= more
        ahead += more
    return reached


@pytest.fixture(scope="module")
def circles() -> frozenset[str]:
    return in_circles(import_graph({module_name(path): path.read_bytes() for path in GATEWAY.rglob("*.py")}))


def packages() -> list[str]:
    return sorted(path.parent.name for path in GATEWAY.glob("*/__init__.py"))


@pytest.mark.parametrize("package", packages())
def test_no_module_is_in_a_circle_of_imports(package: str, circles: frozenset[str]) -> None:
    assert not sorted(name for name in circles if name.startswith(f"gateway.{package}."))


def test_nor_is_any_module_beside_the_packages(circles: frozenset[str]) -> None:
    assert not [name for name in circles if name.split(".")[1] not in packages()]


# --- the counting itself ---


@pytest.mark.parametrize(
    "importing",
    [
        "import gateway.a",
        "from gateway.a import A",
        "from gateway import a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from gateway.a import A",
        "def late() -> None:\n    from gateway.a import A",
    ],
)
def test_every_way_to_import_counts(importing: str) -> None:
    sources = {
        "gateway.a": b"from gateway.b import B",
        "gateway.b": importing.encode(),
        "gateway.c": b"import gateway.a",
    }
    assert in_circles(import_graph(sources)) == {"gateway.a", "gateway.b"}


def test_two_circles_are_both_found_and_what_only_leads_to_one_is_not() -> None:
    graph = {"a": "b", "b": "ca", "c": "", "d": "e", "e": "f", "f": "da", "g": "a"}
    assert in_circles({name: frozenset(wanted) for name, wanted in graph.items()}) == set("abdef")
