"""Log lines about bodies in a different charset than declared."""

from typing import Final

from gateway.config.snapshot import Snapshot
from gateway.model.codes import upstream_codes
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.proxy.filters.texts import Disagreement
from gateway.proxy.request import Request
from gateway.wire.target import for_logs

_A_LINE_EVERY: Final = 60.0
_LONGEST_PATH: Final = 1024


class CharsetNotices:
    """Of one worker: each is counted, and an application has a line of the log at most once a minute."""

    def __init__(self, counters: Counters, log: Log) -> None:
        self._counters = counters
        self._log = log
        self._again: dict[str, float] = {}

    def follow(self, snapshot: Snapshot) -> None:
        self._again = {app: again for app, again in self._again.items() if app in snapshot.apps}

    def tell(self, request: Request, found: Disagreement, now: float) -> None:
        """Logs the path without its query and without sessions. `now`: monotonic seconds."""
        app = request.lane.name
        self._counters.add("ecluse_text_charset_disagreements_total", app)
        if now < self._again.get(app, 0.0):
            return
        self._again[app] = now + _A_LINE_EVERY
        self._log.event(
            "text.charset",
            app=app,
            code=upstream_codes.REWRITE_CHARSET.id,
            path=for_logs(request.line.target.path)[:_LONGEST_PATH].decode("ascii"),
            said=found.said,
            found=found.found,
            request_id=request.id.decode("ascii"),
        )
