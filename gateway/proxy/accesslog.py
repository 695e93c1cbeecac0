"""One ready JSON line per request, handed to the log's writer thread."""

import json
import os
from datetime import UTC, datetime
from typing import Final, NamedTuple

from gateway.ops.log import Log, short_reference
from gateway.proxy.request import Request
from gateway.wire.target import for_logs

_LONGEST_PATH: Final = 1024
# From this status on, the response may be a page of ours with a reference.
_FIRST_ERROR: Final = 400


class Seen(NamedTuple):
    """A request whose head was refused: the client's address, and the head as far as it was read."""

    client: str
    host: str
    method: str


class AccessLog:
    """Logs the path without an application's session and without its query, which may hold personal or secret data."""

    __slots__ = ("_begin", "_log", "_second")

    def __init__(self, log: Log) -> None:
        self._log = log
        self._second = 0
        self._begin = b""

    def line(self, request: Request, status: int, now: float, seconds: float, more: bytes = b"") -> None:
        """`now`: Unix seconds; `seconds`: from the head to the end of the answer; `more`: further members."""
        if int(now) != self._second:
            self._second = int(now)
            self._begin = _begin(self._second)
        line = request.line
        decided = request.decided
        end = None if decided is None else decided.log_end
        if end is None:
            end = b"" if decided is None else decided.end_of_log_line()
        if status >= _FIRST_ERROR:
            more += _reference(request.id)
        # The grammar of targets lets no quote, backslash or control byte through.
        self._log.access(
            b'%b%b%b%b","method":"%b","path":"%b","status":%d,"ms":%.3f%b}\n'
            % (
                self._begin,
                request.id,
                request.lane.log_names,
                request.client.encode(),
                line.method,
                for_logs(line.target.path)[:_LONGEST_PATH],
                status,
                seconds * 1000,
                end + more,
            )
        )

    def unread(self, request_id: bytes, seen: Seen, status: int, now: float) -> None:
        """Logs a refused head: the application and the path are unknown."""
        begin = _begin(int(now)).decode("ascii") + request_id.decode("ascii")
        said = json.dumps(seen._asdict(), separators=(",", ":"))[1:-1]
        reference = _reference(request_id).decode("ascii")
        self._log.access(f'{begin}",{said},"status":{status}{reference}}}\n'.encode())


def _reference(request_id: bytes) -> bytes:
    """The reference that a person reads out. Successful requests have no reference, which saves time."""
    return b',"reference":"%b"' % short_reference(request_id.decode("ascii")).encode("ascii")


def _begin(second: int) -> bytes:
    """Of every line of this second, up to the request's id."""
    stamp = datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")
    return f'{{"time":"{stamp}","level":"info","event":"access","pid":{os.getpid()},"request_id":"'.encode()
