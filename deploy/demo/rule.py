"""One rule of the demo, changed and put back: what `ecluse diff` and `ecluse reload` say of it."""

import asyncio
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.cli.exits import Exit

_FILE: Final = "apps/ecologie/avis.yaml"
_CLOSED: Final = "allow: {any: [{shared: executif}, {group: instructeurs}]}"
_OPEN: Final = 'allow: {any: [{shared: executif}, {group: instructeurs}, {tenant: {siren: "255900128"}}]}'
_LONGEST: Final = 40


@dataclass(frozen=True, slots=True)
class Turned:
    """`is_live`: whether the gateway serves the rule as it was changed. `told`: what the two commands print."""

    is_live: bool
    told: str


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

    async def turned(self) -> Turned:
        """Opens the rule, or closes it again. Where the gateway does not take the change, the file is put back."""
        before = self._folder / "var/before"
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(self._folder / "policies", before / "policies")
        # Files of the folder name keys beside it.
        (before / "certs").symlink_to(self._folder / "certs")
        old, new = (_OPEN, _CLOSED) if self.is_open() else (_CLOSED, _OPEN)
        written = self._file.read_text()
        self._file.write_text(written.replace(old, new))
        compared, _ = await self._says("diff", "var/before/policies", "policies")
        shutil.rmtree(before, ignore_errors=True)
        told, status = await self._says("reload", "policies")
        # Where files of others are wrong, all but these is live: is this one among them?
        is_live = status == Exit.DONE or (status == Exit.PARTLY and f"  {_FILE}: " not in told)
        if not is_live:
            self._file.write_text(written)
        lines = compared.splitlines()
        more = [] if len(lines) <= _LONGEST else ["..."]
        return Turned(is_live, "\n".join([
            "$ ecluse diff before policies", *lines[:_LONGEST], *more, "", "$ ecluse reload policies", told.rstrip()
        ]))  # fmt: skip

    async def _says(self, *command: str) -> tuple[str, int]:
        """What it prints, and its exit status."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", *command, cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed, _ = await process.communicate()
        assert process.returncode is not None
        return printed.decode(errors="replace"), process.returncode
