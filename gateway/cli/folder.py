"""Compiles the folder as the supervisor does; for `--watch`, notices changes of the folder."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.compile.plan import Compiled
from gateway.config.compile.process import fingerprint
from gateway.config.folder.files import Files
from gateway.config.folder.read import read_folder
from gateway.config.snapshot import Snapshot

_LOOKED_EVERY = 0.5


@contextmanager
def uncollected() -> Iterator[None]:
    """Switches the garbage collector off: 500 files make many objects and no cycles, and the search for some takes half
    a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def compiled(folder: Path) -> tuple[Files, Compiled, Snapshot]:
    """Raises ProblemsFound."""
    with uncollected():
        files = read_folder(folder)
        found = compile_files(files)
        return files, found, build(found.plan)


def changes(folder: Path) -> Iterator[None]:
    """Yields once for each change of the files from now on, and does not end."""
    return _changes(folder, fingerprint(folder))


def _changes(folder: Path, seen: bytes) -> Iterator[None]:
    while True:
        time.sleep(_LOOKED_EVERY)
        if (now := fingerprint(folder)) != seen:
            seen = now
            yield
