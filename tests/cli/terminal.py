"""A command at a terminal, whose questions are answered."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.patience import PATIENCE

ECLUSE = Path(sys.executable).with_name("ecluse")
END = "\x04"
INTERRUPT = "\x03"

# The terminal interrupts the processes of a session that has it.
_TAKES_THE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def at_a_terminal(at: Path, words: Iterable[str], *answers: tuple[str, str]) -> tuple[int, str]:
    """Waits for each text, then types its answer (and Enter, but after END and INTERRUPT). The status, and what the
    terminal showed."""
    terminal, inside = pty.openpty()
    command = [sys.executable, "-c", _TAKES_THE_TERMINAL, str(ECLUSE), *words]
    environment = {**os.environ, "COLUMNS": "200"}
    child = subprocess.Popen(
        command, cwd=at, stdin=inside, stdout=inside, stderr=inside, start_new_session=True, env=environment
    )
    os.close(inside)
    seen, looked_at, until = b"", 0, time.monotonic() + PATIENCE
    try:
        for expected, answer in answers:
            while (place := seen.find(expected.encode(), looked_at)) < 0:
                assert time.monotonic() < until, f"no {expected!r} in {seen.decode()}"
                seen += _read(terminal)
            looked_at = place + len(expected)
            if answer == INTERRUPT:
                _wait_until_it_sleeps(child.pid)
            os.write(terminal, answer.encode() if answer in (END, INTERRUPT) else f"{answer}\n".encode())
        while piece := _read(terminal):
            seen += piece
        return child.wait(PATIENCE), seen.decode().replace("\r\n", "\n")
    finally:
        child.kill()
        child.wait()
        os.close(terminal)


def _wait_until_it_sleeps(pid: int) -> None:
    """Python's input() writes the question, then reads. A signal between the two is only noted, and the read waits for
    an answer all the same: the process must sleep in its read before it is interrupted."""
    until = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < until, "it never waits for an answer"
        time.sleep(0.01)


def _read(terminal: int) -> bytes:
    """Empty at the end."""
    ready, _, _ = select.select([terminal], [], [], PATIENCE)
    assert ready, "nothing more is said"
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: the other side is closed
        return b""
