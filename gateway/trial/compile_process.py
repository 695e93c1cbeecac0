"""`python -m gateway.trial.compile_process 2.0 0.1.0`: files on standard input, a plan or problems on standard output.

SIGPROF ends the process when one file has taken this many seconds of CPU time: no library code has to check for a
limit. Standard output then ends with the content in work (config.compile.process.split_answer).

A process, because a compilation in a thread would hold back the caller's other threads. The messages are those of
config.compile.process. Exit status 0: a plan or problems were written; 2: the input was no such message; 3
(OTHER_RELEASE): the caller is of another release, named by the last argument.
"""

import gc
import os
import signal
import sys
import time
from collections import defaultdict
from dataclasses import replace

from gateway import __version__
from gateway.config.compile.plan import Compiled
from gateway.config.compile.process import ANSWER, OTHER_RELEASE, decode_files, encode_outcome
from gateway.config.folder.files import digest_of
from gateway.config.problems import ProblemsFound
from gateway.trial.proving import prove_partly

# Requests have precedence: on a core that they fill, compiling still gets a tenth of the time.
_NICER = 10


class _Clock:
    """The seconds of core time spent on each content, over several passes."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._taken: dict[str, float] = defaultdict(float)
        self._content = ""
        self._since = 0.0

    def begin(self, content: bytes) -> None:
        now = time.process_time()
        self._taken[self._content] += now - self._since
        self._content, self._since = digest_of(content) if content else "", now
        if not self._content:
            signal.setitimer(signal.ITIMER_PROF, 0)
            return
        # Not by way of a buffer, which would be lost.
        os.write(sys.stdout.fileno(), f"\n{self._content}".encode("ascii"))
        # 0 would stop the timer.
        signal.setitimer(signal.ITIMER_PROF, max(self._seconds - self._taken[self._content], 0.001))


def main(seconds: float, release: str) -> int:
    # A gateway reads the plans of its own release alone.
    if release != __version__:
        return OTHER_RELEASE
    # The process lives for a short time, and its many objects form no cycle.
    gc.disable()
    os.nice(_NICER)
    try:
        files = decode_files(sys.stdin.buffer.read())
    except (ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"not a message of files: {error}\n")
        return 2
    outcome: Compiled | ProblemsFound
    try:
        outcome = prove_partly(replace(files, clock=_Clock(seconds).begin), time.time())
    except ProblemsFound as found:
        outcome = found
    sys.stdout.buffer.write(ANSWER + encode_outcome(outcome))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2]))
