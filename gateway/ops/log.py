"""Structured logs: one JSON object per line, written by a thread; the event loop never waits for a write."""

import json
import os
import select
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from queue import SimpleQueue
from typing import Final

from gateway.model.events import EVENTS, Event

# Linux PIPE_BUF: a write of at most this size to a pipe never mixes with another process's (pipe(7)).
_ATOMIC = 4096
# Writes to a regular file never mix, however long (the kernel locks the inode).
_ATOMIC_IN_FILE = 64 * 1024
_GATHER = 0.05

# A line that is too long is tried again with its values cut to this many characters.
_CUTS = (1500, 400, 100)
_LONGEST_NAME = 40
_MOST_NAMES = 50

# From each group of similar letters and digits (2 Z, 5 S, 8 B, U V) the alphabet has a single one, from 0 O and 1 I L
# none. Without A, E, I, O and U, a reference never spells a word.
_ALPHABET: Final = "2345679CDFGHJKMNPQRTVWXY8"
_LENGTH: Final = 8


class Log:
    """Writes one JSON line per event, in batches, by a thread. The file descriptor stays the caller's.

    No method blocks except `close`. Dropped lines are counted.

    `capacity`: number of lines that may wait.
    `strict`: for tests. Raise for an event missing from the table, for a field named as a field of the log's own
    (`time`, `level`, `event`, `pid`), and for a value of a wrong kind. Otherwise the log records the mistake: a fault
    in logging must not end a request.
    `now`: returns Unix seconds.
    """

    def __init__(
        self, fd: int, *, capacity: int = 10_000, strict: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self._fd = fd
        self._pid = os.getpid()
        self._most = _ATOMIC_IN_FILE if stat.S_ISREG(os.fstat(fd).st_mode) else _ATOMIC
        self._capacity = capacity
        self._strict = strict
        self._now = now
        self._lines: deque[bytes] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._asleep = False
        self._closing = threading.Event()
        # Each counter is written by one thread alone: `_refused` by the callers' thread, `_unwritten` and `_told` by
        # the writer.
        self._refused = 0
        self._unwritten = 0
        self._told = 0
        self._writer = threading.Thread(target=self._run, name="log", daemon=True)
        self._writer.start()

    def event(self, event: str, **fields: object) -> None:
        """Logs an event.

        `event`: id in the table of events.
        `fields`: facts for the operator, no secret and no attribute value: strings, numbers, booleans, lists of these.
        `request_id`: a field that names the request, if any; the line then also holds the reference shown to people.
        """
        known = EVENTS.get(event)
        if known is None:
            if self._strict:
                raise ValueError(f"`{event}` is not in the table of events")
            fields["unknown"] = event
            known = EVENTS["log.unknown_event"]
        if isinstance(id := fields.get("request_id"), str):
            fields["reference"] = short_reference(id)
        self._append(self._line(known, fields))

    def access(self, line: bytes) -> None:
        """Writes a complete access log line, newline included."""
        self._append(line if len(line) <= _ATOMIC else line[: _ATOMIC - 1] + b"\n")

    @property
    def dropped(self) -> int:
        """The number of lines lost so far."""
        return self._refused + self._unwritten

    def close(self, within: float = 2.0) -> None:
        """Writes the waiting lines. Gives up after `within` seconds if no reader takes the lines."""
        self._closing.set()
        self._wake.put(None)
        self._writer.join(within)

    def _line(self, event: Event, fields: dict[str, object]) -> bytes:
        ours = {"time": _iso(self._now()), "level": event.level, "event": event.id, "pid": self._pid}
        return _line(ours, fields, self._strict)

    def _append(self, line: bytes) -> None:
        if len(self._lines) >= self._capacity:
            self._refused += 1
            return
        self._lines.append(line)
        # Wake the writer once per sleep. Not an Event: the setter and the waking thread both take its lock, and a
        # writer that loses its core while holding the lock would stop the event loop.
        if self._asleep:
            self._asleep = False
            self._wake.put(None)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._sleep()
            self._drain()
            # Lines gather meanwhile: under load one write carries many lines, and this thread rarely takes the lock.
            self._closing.wait(_GATHER)
        self._drain()

    def _sleep(self) -> None:
        """Sleeps until a line waits. The writer sets `_asleep` before checking for lines, and callers read
        `_asleep` after appending, so that no line is missed.
        """
        self._asleep = True
        if not self._lines:
            self._wake.get()
        self._asleep = False

    def _drain(self) -> None:
        while self._lines:
            chunk, lines = self._chunk()
            if not self._write(chunk):
                self._unwritten += lines
                return
            lost = self.dropped - self._told
            # Bypass the queue, which is full whenever lines are dropped.
            if lost and self._write(self._line(EVENTS["log.dropped"], {"lines": lost})):
                self._told += lost

    def _chunk(self) -> tuple[bytes, int]:
        """Takes as many whole lines as one atomic write carries."""
        taken, size = [], 0
        while self._lines and size + len(self._lines[0]) <= self._most:
            taken.append(self._lines.popleft())
            size += len(taken[-1])
        return b"".join(taken), len(taken)

    def _write(self, chunk: bytes) -> bool:
        """Writes the chunk. False: the write failed or stayed incomplete (reader gone, disk full)."""
        while chunk:
            try:
                chunk = chunk[os.write(self._fd, chunk) :]
            except BlockingIOError:
                # A process that shares the output has made the descriptor non-blocking.
                with suppress(OSError, ValueError):
                    select.select([], [self._fd], [], 1.0)
                if self._closing.is_set():
                    return False
            except OSError:
                return False
        return True


def short_reference(request_id: str) -> str:
    """Returns a request's reference, short enough to read out on the telephone: eight letters and digits, always
    the same for an id. The chance that two ids share a reference is one in 150,000,000,000.
    """
    number = int.from_bytes(blake2b(request_id.encode(errors="replace"), digest_size=8).digest())
    letters = []
    for _ in range(_LENGTH):
        number, at = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[at])
    return "".join(letters)


def _iso(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(ours: dict[str, object], fields: dict[str, object], strict: bool) -> bytes:
    """Writes a line of at most 4096 bytes: cuts long values first; if the line is still too long, keeps only the
    names of the fields.
    """
    # The log's own fields come first and win: no other field can replace the time or the event.
    rest = {name: value for name, value in fields.items() if name not in ours}
    if strict and len(rest) < len(fields):
        raise ValueError(f"the log itself writes {', '.join(sorted(fields.keys() & ours.keys()))}")
    line = _encode({**ours, **rest}, strict)
    for longest in _CUTS:
        if len(line) <= _ATOMIC:
            return line
        line = _encode({**ours, **{name: _cut(value, longest) for name, value in rest.items()}}, strict)
    if len(line) <= _ATOMIC:
        return line
    return _encode({**ours, "left_out": [name[:_LONGEST_NAME] for name in rest][:_MOST_NAMES]}, strict)


def _encode(record: dict[str, object], strict: bool) -> bytes:
    # Printable ASCII only: json escapes every control, line and direction character.
    return (_STRICT if strict else _LENIENT).encode(record).encode() + b"\n"


def _cut(value: object, longest: int) -> object:
    text = value if isinstance(value, str) else json.dumps(value, default=_type_name, skipkeys=True)
    return value if len(text) <= longest else text[:longest] + "..."


def _type_name(value: object) -> str:
    """Writes an object's type only: the object may hold secrets."""
    return f"<{type(value).__name__}>"


def _not_plain(value: object) -> str:
    raise TypeError(f"{_type_name(value)} is no plain value for a log")


_STRICT = json.JSONEncoder(separators=(",", ":"), default=_not_plain)
_LENIENT = json.JSONEncoder(separators=(",", ":"), default=_type_name, skipkeys=True)
