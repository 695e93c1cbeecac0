"""One ready JSON line per request, handed to the log's writer thread."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.model.ports import Log

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection

_OURS: Final = "_ecluse"
_LONGEST_PATH: Final = 1024


class AccessLog:
    """The path is logged without its query, which may hold what is personal or, on our own pages, a secret."""

    __slots__ = ("_log", "_second", "_stamp")

    def __init__(self, log: Log) -> None:
        self._log = log
        self._second = 0
        self._stamp = b""

    def line(self, client: "ClientConnection", now: float, seconds: float) -> None:
        """`now`: Unix seconds; `seconds`: from the head to the end of the answer."""
        request = client.request
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = datetime.fromtimestamp(self._second, UTC).isoformat().replace("+00:00", "Z").encode("ascii")
        path = request.spot.target.path[:_LONGEST_PATH]
        # The grammar of targets lets no quote, backslash or control byte through.
        self._log.access(
            b'{"time":"%b","event":"access","request_id":"%b","app":"%b","client":"%b","method":"%b","path":"%b",'
            b'"status":%d,"ms":%.3f,"revision":"%b"}\n'
            % (
                self._stamp,
                request.id,
                request.lane.name.encode("ascii"),
                client.memo.chain[0].encode("ascii"),
                request.spot.method,
                path,
                client.status,
                seconds * 1000,
                request.lane.revision.encode("ascii"),
            )
        )
