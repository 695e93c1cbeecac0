"""python -m tests.mutations [WORD ...]: each defence is switched off in turn, and a case has to fail.

A line per defence, with the first case that fails, and `N caught, N not` last; exit status 1 if one is not caught.
With words, only defences whose name, file or proof has one of them.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutations import data_plane, directories, form_logins, memory, operators, requests, sign_ins
from tests.mutations.defence import Defence
from tests.mutations.tree import Tree

DEFENCES: tuple[Defence, ...] = (
    *requests.DEFENCES,
    *data_plane.DEFENCES,
    *sign_ins.DEFENCES,
    *directories.DEFENCES,
    *form_logins.DEFENCES,
    *memory.DEFENCES,
    *operators.DEFENCES,
)


def main(words: Sequence[str]) -> int:
    chosen = [
        each for each in DEFENCES if not words or any(word in f"{each.name} {each.file} {each.proof}" for word in words)
    ]
    with tempfile.TemporaryDirectory(prefix="ecluse-mutations-") as folder:
        tree = Tree(Path(folder))
        missed = sum(not _tried(tree, defence) for defence in chosen)
    print(f"{len(chosen) - missed} caught, {missed} not")
    return 1 if missed or not chosen else 0


def _tried(tree: Tree, defence: Defence) -> bool:
    began = time.monotonic()
    try:
        if said := tree.sound(defence):
            raise RuntimeError(f"{defence.proof} fails with every defence in its place:\n{said}")
        failing = tree.failing(defence)
    except (RuntimeError, ValueError) as error:
        failing, why = "", str(error)
    else:
        why = f"nothing fails in {defence.proof}"
    shown = failing or f"NOT CAUGHT: {why}"
    print(f"{defence.name:<62} {shown} ({time.monotonic() - began:.1f} s)", flush=True)
    return bool(failing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
