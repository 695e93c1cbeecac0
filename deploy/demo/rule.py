"""One rule of the demo, changed and put back: what `ecluse diff` and `ecluse reload` say of it."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

_FILE: Final = "apps/ecologie/avis.yaml"
_CLOSED: Final = "allow: {any: [{shared: executif}, {group: instructeurs}]}"
_OPEN: Final = 'allow: {any: [{shared: executif}, {group: instructeurs}, {tenant: {siren: "255900128"}}]}'
_LONGEST: Final = 40


class Rule:
    """`folder` holds policies/, which a running gateway serves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "policies" / _FILE

    def is_open(self) -> bool:
        return _OPEN in self._file.read_text()

    def put_back(self) -> None:
        text = self._file.read_text()
        if _OPEN in text:
            self._file.write_text(text.replace(_OPEN, _CLOSED))

    async def turned(self) -> str:
        """Opens the rule, or closes it again; what the two commands print."""
        before = self._folder / "var/before"
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(self._folder / "policies", before / "policies")
        # Files of the folder name keys beside it.
        (before / "certs").symlink_to(self._folder / "certs")
        old, new = (_OPEN, _CLOSED) if self.is_open() else (_CLOSED, _OPEN)
        self._file.write_text(self._file.read_text().replace(old, new))
        compared = await self._says("diff", "var/before/policies", "policies")
        shutil.rmtree(before, ignore_errors=True)
        live = await self._says("reload", "policies")
        lines = compared.splitlines()
        more = [] if len(lines) <= _LONGEST else ["..."]
        return "\n".join([
            "$ ecluse diff before policies", *lines[:_LONGEST], *more, "", "$ ecluse reload policies", live.rstrip()
        ])  # fmt: skip

    async def _says(self, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", *command, cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed, _ = await process.communicate()
        return printed.decode(errors="replace")
