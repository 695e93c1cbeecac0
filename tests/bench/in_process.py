"""Two states of the source against each other, row by row: what a request costs in user space alone.

`python -m tests.bench.in_process --against COMMIT` measures this tree and that commit, each in processes of its own
that take turns: both protocols over transports in memory (tests/bench/lane.py of that state), without sockets. Of 30
runs a row the least counts on either side, so that what else the machine does is left out. One JSON object a row.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench.in_process_side import ROWS

_ROOT = Path(__file__).resolve().parents[2]
_CHILD = Path(__file__).with_name("in_process_side.py")
_PROCESSES, _RUNS = 6, 5


class Side:
    """A process that measures a row when it is told to."""

    def __init__(self, tree: Path) -> None:
        # Neither an installed gateway nor the folder of the script comes before the tree.
        environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)],
            cwd=tree,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def least(self, row: str) -> float:
        """Microseconds per request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{row}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def unpacked(commit: str, folder: Path) -> Path:
    """The files of a commit. CalledProcessError where there is no such commit."""
    packed = subprocess.run(["git", "archive", commit], cwd=_ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder


def compared(tree: Path, other: Path, only: str) -> Iterator[dict[str, object]]:
    names = [row.name for row in ROWS if only in row.name]
    least: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in names}
    for number in range(_PROCESSES):
        with ExitStack() as stack:
            # The memory of a process lies as it lies for all its life: further ones even that out.
            sides = [(Side(tree), 0), (Side(other), 1)]
            for side, _ in sides:
                stack.callback(side.end)
            for name in names:
                for run in range(_RUNS):
                    for side, which in sides if (number + run) % 2 else reversed(sides):
                        least[name][which].append(side.least(name))
    for name, (ours, theirs) in least.items():
        yield {
            "row": name,
            "us": round(min(ours), 2),
            "against_us": round(min(theirs), 2),
            "ratio": round(min(ours) / min(theirs), 3),
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="in_process", description=__doc__)
    parser.add_argument("--against", required=True, metavar="COMMIT")
    parser.add_argument("--of", metavar="COMMIT", help="in the place of this tree as it is")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        tree = unpacked(arguments.of, Path(one)) if arguments.of else _ROOT
        for row in compared(tree, unpacked(arguments.against, Path(two)), arguments.only):
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
