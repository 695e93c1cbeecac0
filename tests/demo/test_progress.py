"""Nobody waits before a silent screen: `make env` and `make demo` say what they do before it takes long."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo import __main__ as command
from deploy.demo import stack
from deploy.demo.guide import guide
from deploy.demo.place import ROOT, copy_policies, free_ports
from deploy.demo.processes import Child
from deploy.demo.stack import DemoFailed
from tests.patience import PATIENCE

# Stands for an interpreter: makes a folder with itself, and says when it installs something.
PYTHON = """\
#!/bin/sh
case "$*" in
--version) echo Python 3.13.5 ;;
"-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*--require-hashes*) echo packages ;;
*--editable*) echo command ;;
esac
"""


def test_make_env_says_each_step_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    for name in ("make_env.sh", "apt.sh"):
        shutil.copy(ROOT / "tools" / name, tmp_path / "tools" / name)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    done = subprocess.run(
        ["bash", "tools/make_env.sh"], cwd=tmp_path, env={**os.environ, "PYTHON": str(python)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "making .venv with Python 3.13.5 (1 of 3)",
        "installing the locked packages: some 50, a minute where they have to be fetched (2 of 3)",
        "packages",
        "installing the command ecluse (3 of 3)",
        "command",
    ]


def test_the_demo_says_what_it_starts_before_it_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []

    class Demo:
        def __init__(self, folder: Path, ports: object, **_: object) -> None:
            said.append(capsys.readouterr().out)

        async def __aenter__(self) -> None:
            raise DemoFailed("the test has no demo")

        async def __aexit__(self, *_: object) -> None:
            raise AssertionError

    monkeypatch.setattr(command, "Demo", Demo)
    monkeypatch.setattr(sys, "argv", ["deploy.demo"])
    assert command.main() == 1
    assert said == ["Starting identity providers, applications and the gateway. This takes a few seconds.\n"]


async def test_whoever_waits_is_told_for_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy takes minutes: each turn of the wait is as long here as one needs to be told."""
    monkeypatch.setattr(stack, "_SAY_AFTER", 0.0)
    monkeypatch.setattr(stack, "_PAUSE", 0.0)
    child = await Child.start("permis", ["sleep", "600"], folder=tmp_path, log=tmp_path / "log")
    turns, said = iter([False, False, True]), list[str]()

    async def answers() -> bool:
        return next(turns)

    try:
        await stack._until(child, PATIENCE, answers, said.append)
    finally:
        await child.stop(PATIENCE)
    assert len(said) == 2
    assert all(line.startswith("permis is starting, for ") for line in said)


@pytest.mark.service
async def test_the_demo_says_which_hosts_are_closed_and_why(tmp_path: Path) -> None:
    ports = free_ports()
    copy_policies(tmp_path, ports)
    wrong = tmp_path / "policies/apps/permis.yaml"
    wrong.write_text(wrong.read_text() + "no_such_key: 1\n")
    async with stack.Demo(tmp_path, ports, ldap=False) as demo:
        told = guide(demo).splitlines()
    assert told[0] == "WARNING: files of applications are wrong, and no application answers on these hosts:"
    assert told[1] == "  closed: permis.localhost"
    assert told[2].startswith("  policies/apps/permis.yaml:")
    assert "no_such_key: unknown key" in told[2]
    assert any(line.startswith("Écluse runs.") for line in told)
