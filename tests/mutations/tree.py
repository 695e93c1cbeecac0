"""A copy of the tree in which defences are switched off, one at a time; the tree itself is never touched."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.mutations.defence import ROOT, Defence

_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "node_modules", "build", "dist", "__pycache__", ".*_cache", ".hypothesis"
)
_WITHIN = 600.0
_FAILED = re.compile(r"^FAILED (?:tests/)?(.*?)(?: - .*)?$", re.MULTILINE)
# Status of pytest and of the corpus where a case fails. Another one is of a tree that does not even run.
_A_CASE_FAILS = 1


class Tree:
    def __init__(self, folder: Path) -> None:
        self._root = folder / "tree"
        shutil.copytree(ROOT, self._root, ignore=_LEFT_OUT, symlinks=True)
        for name in (".venv", "tests/node_modules"):
            if (ROOT / name).exists():
                (self._root / name).symlink_to(ROOT / name)
        self._sound: dict[str, str] = {}
        self._seconds = int((ROOT / "pyproject.toml").stat().st_mtime)

    def sound(self, defence: Defence) -> str:
        """Empty where what is to fail passes with every defence in its place; else what does not."""
        if defence.proof not in self._sound:
            status, said = self._run(defence.command(sys.executable))
            self._sound[defence.proof] = "" if status == 0 else said[-2000:]
        return self._sound[defence.proof]

    def failing(self, defence: Defence) -> str:
        """The first case that fails without this defence; empty where none does. Raises RuntimeError where nothing can
        be said, because what is left does not run."""
        file = self._root / "gateway" / defence.file
        text = file.read_text()
        self._write(file, defence.switched_off(text))
        try:
            status, said = self._run(defence.command(sys.executable))
        finally:
            self._write(file, text)
        if status == 0:
            return ""
        found = _FAILED.search(said)
        if status != _A_CASE_FAILS or found is None:
            raise RuntimeError(f"{defence.name}: status {status}\n{said[-2000:]}")
        return found[1]

    def _write(self, file: Path, text: str) -> None:
        """With a time of its own: what Python has compiled of a file is told by its size and its second."""
        file.write_text(text)
        self._seconds += 1
        os.utime(file, (self._seconds, self._seconds))

    def _run(self, command: list[str]) -> tuple[int, str]:
        told = {**os.environ, "PYTHONPATH": str(self._root)}
        done = subprocess.run(
            command, cwd=self._root, env=told, capture_output=True, text=True, timeout=_WITHIN, check=False
        )
        return done.returncode, done.stdout + done.stderr
