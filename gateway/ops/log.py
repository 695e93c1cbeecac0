"""Structured logs: one JSON object a line, written by a thread, never waited for by the loop."""

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

# Linux PIPE_BUF: a write of at most this size into a pipe is never mixed with another process's (pipe(7)).
_ATOMIC = 4096
# A regular file's writes are never mixed, however long (its inode is locked).
_ATOMIC_IN_FILE = 64 * 1024
_GATHER = 0.05

# A line that is too long is tried again with its values cut to these many characters.
_CUTS = (1500, 400, 100)
_LONGEST_NAME = 40
_MOST_NAMES = 50

# Of letters and digits that look alike (2 Z, 5 S, 8 B, U V) it has one each, of 0 O and 1 I L none. It has no A, E, I,
# O or U, so that nobody reads out a word.
_ALPHABET: Final = "2345679CDFGHJKMNPQRTVWXY8"
_LENGTH: Final = 8


class Log:
    """One JSON line per event, written by a thread in batches to a file descriptor, which stays the caller's.

    Nothing here blocks; what had to be dropped is counted.

    `now`: Unix seconds. `strict`: an event that is not in the table, or a field that is no plain value, raises
    (for tests); otherwise it is logged as such, for a fault in logging must not end a request.
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
        # Each is written by one thread alone: by the callers', by ours, by ours.
        self._refused = 0
        self._unwritten = 0
        self._told = 0
        self._writer = threading.Thread(target=self._run, name="log", daemon=True)
        self._writer.start()

    def event(self, event: str, **fields: object) -> None:
        """`event` is an id of the table of events; `request_id` names the request, where there is one: then the line
        has the reference too by which people know it.

        Fields are operator facts, no secret and no attribute value: strings, numbers, booleans, lists of these."""
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
        """A ready access log line, newline included."""
        self._append(line if len(line) <= _ATOMIC else line[: _ATOMIC - 1] + b"\n")

    @property
    def dropped(self) -> int:
        """Lines lost so far."""
        return self._refused + self._unwritten

    def close(self, within: float = 2.0) -> None:
        """Writes what is waiting; gives up after `within` seconds when nobody reads."""
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
        # Once for each sleep. Not an Event: its lock is taken by who sets it and by who wakes, and a writer that has no
        # core while it holds that one would hold the loop.
        if self._asleep:
            self._asleep = False
            self._wake.put(None)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._sleep()
            self._drain()
            # Lines gather meanwhile: under load one write carries many, and this thread takes the lock rarely.
            self._closing.wait(_GATHER)
        self._drain()

    def _sleep(self) -> None:
        """Until there is a line. That it sleeps is said before it looks, and asked after appending: none is missed."""
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
            # Not by way of the queue, which is full when this matters.
            if lost and self._write(self._line(EVENTS["log.dropped"], {"lines": lost})):
                self._told += lost

    def _chunk(self) -> tuple[bytes, int]:
        """As many whole lines as one atomic write carries."""
        taken, size = [], 0
        while self._lines and size + len(self._lines[0]) <= self._most:
            taken.append(self._lines.popleft())
            size += len(taken[-1])
        return b"".join(taken), len(taken)

    def _write(self, chunk: bytes) -> bool:
        """False: nothing of it, or not all, could be written (reader gone, disk full)."""
        while chunk:
            try:
                chunk = chunk[os.write(self._fd, chunk) :]
            except BlockingIOError:
                # Somebody who shares our output has made it non-blocking.
                with suppress(OSError, ValueError):
                    select.select([], [self._fd], [], 1.0)
                if self._closing.is_set():
                    return False
            except OSError:
                return False
        return True


def short_reference(request_id: str) -> str:
    """The form of a request's id that a person can read out on the telephone: eight letters and digits, always the same
    for one id. Two ids share one once in 150,000,000,000 times."""
    number = int.from_bytes(blake2b(request_id.encode(errors="replace"), digest_size=8).digest())
    letters = []
    for _ in range(_LENGTH):
        number, at = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[at])
    return "".join(letters)


def _iso(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(ours: dict[str, object], fields: dict[str, object], strict: bool) -> bytes:
    """At most 4096 bytes: long values are cut first; if that is not enough, only the fields' names stay."""
    # Ours come first and win: no field can call itself the time or the event.
    rest = {name: value for name, value in fields.items() if name not in ours}
    line = _encode({**ours, **rest}, strict)
    for longest in _CUTS:
        if len(line) <= _ATOMIC:
            return line
        line = _encode({**ours, **{name: _cut(value, longest) for name, value in rest.items()}}, strict)
    if len(line) <= _ATOMIC:
        return line
    return _encode({**ours, "left_out": [name[:_LONGEST_NAME] for name in rest][:_MOST_NAMES]}, strict)


def _encode(record: dict[str, object], strict: bool) -> bytes:
    # Printable ASCII alone: json escapes every control, line and direction character.
    return (_STRICT if strict else _LENIENT).encode(record).encode() + b"\n"


def _cut(value: object, longest: int) -> object:
    text = value if isinstance(value, str) else json.dumps(value, default=_type_name, skipkeys=True)
    return value if len(text) <= longest else text[:longest] + "..."


def _type_name(value: object) -> str:
    """An object is never written out: it may hold what belongs in no log."""
    return f"<{type(value).__name__}>"


def _not_plain(value: object) -> str:
    raise TypeError(f"{_type_name(value)} is no plain value for a log")


_STRICT = json.JSONEncoder(separators=(",", ":"), default=_not_plain)
_LENIENT = json.JSONEncoder(separators=(",", ":"), default=_type_name, skipkeys=True)
