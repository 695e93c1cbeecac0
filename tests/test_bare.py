"""`make quick` finds no part of tools/install_test_parts.sh, wherever it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bare import without_parts
from tests.patience import PATIENCE

ASKS = """
import shutil

def test_php():
    assert shutil.which("php"), "php is not installed"

def test_ldap():
    import ldap

def test_sh():
    assert shutil.which("sh")
"""


@pytest.mark.parametrize("name", ["nginx", "/usr/sbin/slapd", "valkey-server"])
def test_a_part_is_not_found(name: str) -> None:
    assert without_parts(name, path="/usr/bin:/usr/sbin:/bin") is None


@pytest.mark.slow
def test_a_test_that_needs_a_part_and_does_not_say_so_fails(tmp_path: Path) -> None:
    (tmp_path / "test_asks.py").write_text(ASKS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.bare", "-p", "no:cacheprovider", "-n", "1"]
    told = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=Path(__file__).parents[1],
    )
    assert "2 failed, 1 passed" in told.stdout, told.stdout
    assert "php is not installed" in told.stdout
    assert "No module named 'ldap'" in told.stdout or "import of ldap halted" in told.stdout
