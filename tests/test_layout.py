"""The habits of this repository that no other tool checks."""

import ast
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.compile_catalogues import stale

ROOT = Path(__file__).resolve().parent.parent
GATEWAY = ROOT / "gateway"
PURE = ("model", "wire", "policy", "translation", "tokens", "formlogin", "identity", "oidc", "saml", "scim")

FUNCTION_LINES = 60
FILE_LINES = 450

# A longer file is a smell. It stands here with the reason why it reads better whole; no file is split for the number.
LONG_FILES = {
    "gateway/proxy/client.py": (
        "All that one client connection does, in the order of a request. What needs no transport is in the parts that "
        "it holds and in functions over the request under way; a part with the rest would call back into it."
    ),
}

# In two parts, for this file is searched too.
HOSTS_AND_MACHINES = tuple(
    "".join(parts) for parts in (("pypi", ".org"), ("registry", ".npmjs"), ("/wo", "rk/"), ("/ro", "ot/"))
)
OPEN_ENDS = re.compile(r"\b(TODO|FIXME|XXX)\b")
MADE = {".git", ".venv", "node_modules", "__pycache__", "build", "dist", "mutants", "var"}


@cache
def tree(path: Path) -> ast.Module:
    """The syntax of a source file, parsed once for all tests."""
    return ast.parse(path.read_bytes())


@cache
def gateway_files() -> list[Path]:
    return sorted(GATEWAY.rglob("*.py"))


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a module imports by absolute name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def project_files() -> list[Path]:
    """Every file that is committed or about to be; in a tree without git, every file that is not made."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        found = (path for path in ROOT.rglob("*") if not MADE & set(path.relative_to(ROOT).parts))
    else:
        found = (ROOT / entry for entry in listed.split("\0") if entry)
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def locked(path: Path) -> dict[str, Requirement]:
    """The pinned packages of a lock file, each with at least one hash."""
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n?", "", path.read_text()).strip())
    found = {}
    for entry in entries:
        assert "--hash=sha256:" in entry, f"{path.name}: no hash: {entry}"
        requirement = Requirement(entry.partition("\\")[0].strip())
        found[canonicalize_name(requirement.name)] = requirement
    return found


def pinned(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version


# --- layout -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", PURE)
def test_each_module_of_a_pure_core_has_its_test_file_and_each_test_file_its_module(package: str) -> None:
    source, tests = GATEWAY / package, ROOT / "tests" / package
    # The tables of codes are tested together, in test_table.
    written = [path for path in modules(source) if not path.stem.endswith("_codes")]
    expected = {path.relative_to(source).with_name(f"test_{path.name}") for path in written}
    present = {path.relative_to(tests) for path in tests.rglob("test_*.py")}
    untested = [f"tests/{package}/{path}" for path in sorted(expected - present)]
    orphaned = [f"tests/{package}/{path}" for path in sorted(present - expected)]
    assert not untested, "missing test files"
    assert not orphaned, "test files without a module of that name"


def test_the_model_imports_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"gateway"}
    offenders = [
        f"{name(path)}: {used}" for path in modules(GATEWAY / "model") for used in sorted(set(imported(path)) - allowed)
    ]
    assert not offenders


# --- lanes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["access", "proxy"])
def test_a_host_without_an_application_is_told_by_its_type(package: str) -> None:
    """PortalAccess and PortalLane: no value stands for an application that is not there."""
    asked = re.compile(r"\bapp is (?:not )?None\b")
    offenders = [
        f"{name(path)}:{number}"
        for path in modules(GATEWAY / package)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if asked.search(line)
    ]
    assert not offenders


# --- inheritance ------------------------------------------------------------------------------------------------------

# Classes with two of our own above them or more. The list only gets shorter.
TALL_CLASSES = {
    "LenientConnection", "LenientMemberConnection", "MemberConnection", "PutTicketOfEnd", "RaiseEndMark",
    "RaiseLastingMark",
}  # fmt: skip


@cache
def own_bases() -> dict[str, tuple[str, ...]]:
    """The names of the bases of each class of ours that are classes of ours too, by its name."""
    found = {
        node.name: tuple(ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases)
        for path in gateway_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
    }
    return {name: tuple(base for base in bases if base in found) for name, bases in found.items()}


def height(name: str) -> int:
    return max((1 + height(base) for base in own_bases()[name] if base != name), default=0)


@pytest.mark.parametrize("package", ["access", "portal", "proxy", "stores"])
def test_a_class_stands_on_one_class_of_ours_at_most(package: str) -> None:
    """Parts hold each other: who reads a class of three floors turns back at each call."""
    classes = {
        node.name
        for path in modules(GATEWAY / package)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
    }
    assert {name for name in classes if height(name) > 1} == classes & TALL_CLASSES


# --- size -------------------------------------------------------------------------------------------------------------


def test_no_function_is_longer_than_its_budget() -> None:
    offenders = []
    for path in gateway_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    offenders.append(f"{name(path)}:{node.lineno}: {node.name} has {lines} lines")
    assert not offenders, f"functions over {FUNCTION_LINES} lines"


def test_a_long_file_says_why_it_reads_better_whole() -> None:
    sizes = {name(path): len(path.read_text().splitlines()) for path in gateway_files()}
    offenders = {path: lines for path, lines in sizes.items() if lines > FILE_LINES and path not in LONG_FILES}
    assert not offenders, f"files over {FILE_LINES} lines, without a reason in LONG_FILES"


# --- content ----------------------------------------------------------------------------------------------------------


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    offenders = [
        f"{name(path)}: {word}"
        for path in project_files()
        for word in HOSTS_AND_MACHINES
        if word.encode() in path.read_bytes()
    ]
    assert not offenders


def test_no_code_is_loaded_from_stored_bytes() -> None:
    loaders = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
    offenders = [f"{name(path)}: {used}" for path in modules(GATEWAY) for used in loaders.intersection(imported(path))]
    assert not offenders


def test_no_open_end_is_left_in_the_sources() -> None:
    offenders = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in gateway_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if OPEN_ENDS.search(line)
    ]
    assert not offenders


def only_narrows(test: ast.expr) -> bool:
    match test:
        case ast.BoolOp(op=ast.And()):
            return all(only_narrows(value) for value in test.values)
        case ast.Call(func=ast.Name(id="isinstance")):
            return True
        case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
    return False


def test_an_assert_narrows_a_type_and_checks_nothing() -> None:
    """`python -O` drops asserts: no check of ours may be one."""
    offenders = [
        f"{name(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in gateway_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assert) and not only_narrows(node.test)
    ]
    assert not offenders


def packages() -> list[Path]:
    return sorted(path.parent for path in GATEWAY.rglob("__init__.py") if path.parent != GATEWAY)


@pytest.mark.parametrize("package", packages(), ids=lambda path: str(path.relative_to(GATEWAY)))
def test_each_package_has_a_map_of_what_lives_there(package: Path) -> None:
    """A newcomer begins with it. What it names in its own package exists."""
    told = ast.get_docstring(tree(package / "__init__.py")) or ""
    if package.name == "presets":
        return  # a module of its own, beside data
    lines = told.splitlines()
    assert 4 <= len(lines) <= 45, f"{len(lines)} lines"
    named = re.findall(r"`([a-z_]+)`", told)
    here = {path.stem for path in package.iterdir()} | {path.name for path in GATEWAY.iterdir()}
    assert not [name for name in named if name not in here | {"ecluse", "run", "now"}]


# Packages whose map does not name each of its modules yet. The list only gets shorter.
PARTIAL_MAPS = frozenset(
    {
        "proxy",
    }
)


@pytest.mark.parametrize(
    "package",
    [package for package in packages() if package.relative_to(GATEWAY).as_posix() not in PARTIAL_MAPS],
    ids=lambda package: package.relative_to(GATEWAY).as_posix(),
)
def test_a_map_names_every_module(package: Path) -> None:
    told = ast.get_docstring(tree(package / "__init__.py")) or ""
    named = set(re.findall(r"`([a-z_0-9]+)`", told))
    modules = {path.stem for path in package.glob("*.py") if path.stem != "__init__"}
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
    assert not (modules | rooms) - named


# --- what is made -----------------------------------------------------------------------------------------------------


def test_the_compiled_catalogues_are_current() -> None:
    assert not [name(path) for path in stale(ROOT)], "run `make catalogues`"


def test_the_lock_files_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run, dev, build, cel = (locked(ROOT / "requirements" / f"{lock}.txt") for lock in ("run", "dev", "build", "cel"))
    groups = project["dependency-groups"]
    assert sorted(groups["build"]) == sorted(project["build-system"]["requires"])
    dependencies = project["project"]["dependencies"]
    for lock, wanted in (
        (run, dependencies),
        (dev, [*groups["build"], *(entry for entry in groups["dev"] if isinstance(entry, str))]),
        (build, groups["build"]),
        (cel, [*dependencies, *project["project"]["optional-dependencies"]["cel"]]),
    ):
        for requirement in map(Requirement, wanted):
            version = pinned(lock[canonicalize_name(requirement.name)])
            assert requirement.specifier.contains(version), f"{requirement}: {version} is locked, run `make lock`"


def test_the_other_locks_add_to_the_lock_of_the_program_and_change_nothing() -> None:
    run, dev, cel, build = (locked(ROOT / "requirements" / f"{lock}.txt") for lock in ("run", "dev", "cel", "build"))
    for smaller, larger in ((run, dev), (run, cel), (build, dev)):
        assert {package: pinned(entry) for package, entry in smaller.items()}.items() <= {
            package: pinned(entry) for package, entry in larger.items()
        }.items()


_INSTALLS = re.compile(
    r"\bpip[0-9.]*\"? (?:install|download|wheel)\b|\bpipx\b|\buvx?\b (?:tool|add|pip|run)|\beasy_install\b"
)
# What comes from a registry by its hash, and what comes from this folder or from the one where it was built.
_BY_HASH_OR_OURS = re.compile(r"--require-hashes|--no-deps .*(?:--no-index|--editable \.)")


def test_nothing_is_installed_but_by_its_hash() -> None:
    """Nor is anybody told to: a name that is not ours in a registry may be anybody's. `make lock` makes the hashes."""
    said = [
        f"{name(path)}: {line.strip()}"
        for path in project_files()
        if path.suffix in {".py", ".md", ".sh", ".po", ""} and path.parts[len(ROOT.parts)] != "tests"
        for line in path.read_text().splitlines()
        if _INSTALLS.search(line) and not _BY_HASH_OR_OURS.search(line)
    ]
    assert [line.partition(":")[0] for line in said] == ["tools/lock.sh"]


# --- words ------------------------------------------------------------------------------------------------------------

# A sentence without a subject of its own ("Whoever reads this ..."), and what belongs to no one.
_RIDDLE = re.compile(r"(?:^|[.:;?!]\s+)(?:Whoever|Who|Whom|Whose)\b[^?]*?(?:\.|$)|\b(?:nobody's|whoever's)\b")


def public_names(path: Path) -> Iterator[str]:
    """The classes and type aliases of a module; every other name of it that is written like one."""
    for node in tree(path).body:
        match node:
            case ast.ClassDef(name=found) | ast.TypeAlias(name=ast.Name(id=found)):
                yield found
            case ast.Assign(targets=[ast.Name(id=found)]) | ast.AnnAssign(target=ast.Name(id=found)):
                if re.fullmatch(r"[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*", found):
                    yield found


def test_no_public_class_name_is_used_twice() -> None:
    """One name, one meaning: docs/explanation/vocabulary.md."""
    places: dict[str, list[str]] = {}
    for path in modules(GATEWAY):
        for found in public_names(path):
            if not found.startswith("_"):
                places.setdefault(found, []).append(name(path))
    assert not {found: where for found, where in places.items() if len(where) > 1}


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring, of modules, classes, functions and fields, and of each run of comments."""
    text = path.read_text()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
    run: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(iter(text.splitlines(keepends=True)).__next__):
        if token.type == tokenize.COMMENT:
            if run and run[-1][0] + 1 != token.start[0]:
                yield run[0][0], " ".join(words for _, words in run)
                run = []
            run.append((token.start[0], token.string.lstrip("# ")))
    if run:
        yield run[0][0], " ".join(words for _, words in run)


def test_comments_are_plain_sentences_with_a_subject() -> None:
    assert not [
        f"{name(path)}:{line}: {' '.join(riddle.group().split())}"
        for path in gateway_files()
        for line, text in prose(path)
        for riddle in _RIDDLE.finditer(text)
    ]
