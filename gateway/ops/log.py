"""Structured logs: one JSON object a line, written by a thread, never waited for by the loop."""

import json
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from gateway.model.events import EVENTS

# Linux PIPE_BUF: a write of at most this size into a pipe is never mixed with another process's (pipe(7)).
_ATOMIC = 4096
_LONGEST_VALUE = 200
_LONGEST_NAME = 40
_MOST_NAMES = 50
_GATHER = 0.01


class Log:
    """ports.Log over a file descriptor, which stays the caller's.

    `now`: Unix seconds. `strict`: an event that is not in the table, or a field that is no plain value, raises
    (for tests); otherwise it is logged as such, for a fault in logging must not end a request.
    """

    def __init__(
        self, fd: int, *, capacity: int = 10_000, strict: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self._fd = fd
        self._capacity = capacity
        self._strict = strict
        self._now = now
        self._lines: deque[bytes] = deque()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._untold = 0
        self.dropped = 0
        self._writer = threading.Thread(target=self._run, name="log", daemon=True)
        self._writer.start()

    def event(self, event: str, **fields: object) -> None:
        """`request_id` names the request, where there is one. Values: strings, numbers, booleans, lists of these."""
        known = EVENTS.get(event)
        if known is None:
            if self._strict:
                raise ValueError(f"`{event}` is not in the table of events")
            fields["unknown"] = event
            known = EVENTS["log.unknown_event"]
        ours = {"time": _iso(self._now()), "level": known.level, "event": known.id, "pid": os.getpid()}
        self._append(_line(ours, fields, self._strict))

    def access(self, line: bytes) -> None:
        self._append(line if len(line) <= _ATOMIC else line[: _ATOMIC - 1] + b"\n")

    def close(self, within: float = 2.0) -> None:
        """Writes what is waiting; gives up after `within` seconds when nobody reads."""
        self._closing.set()
        self._wake.set()
        self._writer.join(within)

    def _append(self, line: bytes) -> None:
        if len(self._lines) >= self._capacity:
            self._lost(1)
            return
        self._lines.append(line)
        # Event.set takes a lock: only where the writer may be asleep.
        if not self._wake.is_set():
            self._wake.set()

    def _lost(self, lines: int) -> None:
        self.dropped += lines
        self._untold += lines

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._drain()
            # Lines gather meanwhile: under load one write carries many, and this thread takes the lock rarely.
            self._closing.wait(_GATHER)
        self._drain()

    def _drain(self) -> None:
        while self._lines:
            chunk, lines = self._chunk()
            if not self._write(chunk):
                self._lost(lines)
                return
            if self._untold:
                self._tell()

    def _chunk(self) -> tuple[bytes, int]:
        """As many whole lines as one atomic write carries."""
        taken, size = [], 0
        while self._lines and size + len(self._lines[0]) <= _ATOMIC:
            taken.append(self._lines.popleft())
            size += len(taken[-1])
        return b"".join(taken), len(taken)

    def _tell(self) -> None:
        lines, self._untold = self._untold, 0
        self.event("log.dropped", lines=lines)

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


def _iso(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(ours: dict[str, object], fields: dict[str, object], strict: bool) -> bytes:
    """At most 4096 bytes: long values are cut first; if that is not enough, only the fields' names stay."""
    # Ours come first and win: no field can call itself the time or the event.
    rest = {name: value for name, value in fields.items() if name not in ours}
    line = _encode({**ours, **rest}, strict)
    if len(line) > _ATOMIC:
        line = _encode({**ours, **{name: _cut(value) for name, value in rest.items()}}, strict)
    if len(line) > _ATOMIC:
        line = _encode({**ours, "left_out": [name[:_LONGEST_NAME] for name in rest][:_MOST_NAMES]}, strict)
    return line


def _encode(record: dict[str, object], strict: bool) -> bytes:
    # ASCII alone: every control, line and direction character of other scripts is escaped; json leaves DEL as it is.
    text = json.dumps(record, separators=(",", ":"), default=_refused if strict else _type_name)
    return text.replace("\x7f", "\\u007f").encode() + b"\n"


def _cut(value: object) -> object:
    text = value if isinstance(value, str) else json.dumps(value, default=_type_name)
    if len(text) <= _LONGEST_VALUE:
        return value
    return text[:_LONGEST_VALUE] + "..."


def _type_name(value: object) -> str:
    """An object is never written out: it may hold what belongs in no log."""
    return f"<{type(value).__name__}>"


def _refused(value: object) -> str:
    raise TypeError(f"{_type_name(value)} is no plain value for a log")
