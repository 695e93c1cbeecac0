"""Guards standard output: reports output that cannot be written, since a full disk is not a fault of the program."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast


class OutputLost(Exception):
    """The reason, in the system's words."""


class _Guarded:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputLost(error.strerror) from None

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputLost(error.strerror) from None

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def guarded_output() -> Iterator[None]:
    """Writes the output of the block at its end. Raises OutputLost if writing fails, BrokenPipeError if the reader is
    gone. Writes nothing if standard output is closed."""
    stream = sys.stdout
    if stream is None:
        yield
        return
    sys.stdout = cast(TextIO, _Guarded(stream))
    try:
        yield
        sys.stdout.flush()
    finally:
        sys.stdout = stream
