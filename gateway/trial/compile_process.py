"""`python -m gateway.trial.compile_process`: files on standard input, a plan or the problems on standard output.

It is a process of its own, because a compilation in a thread would hold back every other thread of the caller. The
messages are those of config.compile.process. Exit status 0: a message was written, a plan or problems; 2: the input was
no such message.
"""

import gc
import os
import sys
import time

from gateway.config.compile.compiler import Compiled
from gateway.config.compile.process import decode_files, encode_outcome
from gateway.config.problems import ProblemsFound
from gateway.trial.proving import prove_partly

# Requests have precedence: on a core that they fill, compiling still gets a tenth of the time.
_NICER = 10


def main() -> int:
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
        outcome = prove_partly(files, time.time())
    except ProblemsFound as found:
        outcome = found
    sys.stdout.buffer.write(encode_outcome(outcome))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
