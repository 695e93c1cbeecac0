"""The documented installation, on this machine: into a folder of its own, from the lock files alone."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.service, pytest.mark.slow]


def run(*command: str | Path, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=5 * PATIENCE)


def container_context(to: Path) -> Path:
    """What .containerignore lets into a build: everything is left out, then a few names are taken."""
    left_out, *lines = [
        line for line in (ROOT / ".containerignore").read_text().splitlines() if line[:1] not in ("", "#")
    ]
    assert left_out == "*"
    assert [line for line in lines if line[0] != "!"] == ["**/__pycache__", "**/*.mo"]
    for name in (line[1:] for line in lines if line[0] == "!"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        else:
            shutil.copy(ROOT / name, to / name)
    return to


def test_the_program_and_its_extra_are_installed_and_run(tmp_path: Path) -> None:
    """From the files that a container build gets, which hold no key, no state and no environment."""
    folder = tmp_path / "ecluse"
    (tmp_path / "context").mkdir()
    context = container_context(tmp_path / "context")
    assert sorted(path.name for path in context.iterdir()) == [
        "LICENSE", "README.md", "gateway", "pyproject.toml", "requirements", "tools",
    ]  # fmt: skip
    installed = run("tools/install.sh", folder, "cel", at=context)
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout.splitlines()[-1].startswith("ecluse ")
    assert run(folder / "bin/python", "-c", "import cel_expr_python").returncode == 0
    # What builds it is not among what runs.
    assert run(folder / "bin/python", "-c", "import hatchling").returncode == 1
    # Pages are French where they have to be: the wheel has its catalogues.
    assert list(folder.rglob("fr/LC_MESSAGES/ecluse.mo"))
    assert run(folder / "bin/ecluse", "check", "policies").returncode in (0, 1)


def test_a_name_that_is_no_extra_installs_nothing(tmp_path: Path) -> None:
    refused = run("tools/install.sh", tmp_path / "ecluse", "sel")
    assert (refused.returncode, refused.stderr) == (
        1,
        "tools/install.sh: no extra is named sel; there are: cel, ldap, logos, postgresql, python3-saml, redis\n",
    )
    assert not (tmp_path / "ecluse").exists()
