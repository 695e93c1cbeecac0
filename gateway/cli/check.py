"""`ecluse check`: the folder read whole, every problem of every file printed at once."""

import gc
import sys
from pathlib import Path

from gateway.config.build import build
from gateway.config.compile import compile_files
from gateway.config.problems import ProblemsFound
from gateway.config.read import read_folder


def check(folder: Path) -> int:
    """Without the collector: 500 files make many objects and no cycles, and looking for some takes half a second."""
    gc.disable()
    try:
        return _check(folder)
    finally:
        gc.enable()


def _check(folder: Path) -> int:
    try:
        compiled = compile_files(read_folder(folder))
    except ProblemsFound as found:
        print(found, file=sys.stderr)
        print(f"\n{len(found.problems)} problem(s)", file=sys.stderr)
        return 1
    snapshot = build(compiled.plan)
    counted = f"{len(snapshot.apps)} app(s), {len(snapshot.providers)} provider(s)"
    print(f"{folder}: {counted}, revision {compiled.revision[:12]}")
    return 0
