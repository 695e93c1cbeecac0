"""What there is to tell of a gateway that runs: whether it is ready, and its metrics."""

from collections.abc import Callable
from typing import Any

from gateway.config.compile.plan import sent_ltpa2
from gateway.ops.counters import STORE_GRACE, STORE_UNREACHABLE, add
from gateway.ops.log import Log
from gateway.ops.metrics import Gauges, render
from gateway.server.fixed import certificate_ends
from gateway.server.fleet import Fleet, ask
from gateway.server.rollout import Rollout
from gateway.server.sources import Sources
from gateway.server.totals import Totals

_COUNTERS_WITHIN = 0.5


class Observation:
    """admin.Observed. `slots`: how many workers there are to be. `ends`: whether the gateway drains."""

    def __init__(
        self,
        fleet: Fleet,
        rollout: Rollout,
        sources: Sources,
        totals: Totals,
        log: Log,
        *,
        slots: int,
        ends: Callable[[], bool],
    ) -> None:
        self._fleet = fleet
        self._rollout = rollout
        self._sources = sources
        self._totals = totals
        self._log = log
        self._slots = slots
        self._ends = ends
        self.last_reload = "ok"

    def tell_what_is_live(self) -> None:
        """Where it is weaker than it could be; and wrong app files that it does without: the rest is served."""
        live = self._rollout.live
        if weaker := sent_ltpa2(live.plan):
            self._log.event("config.deviation", revision=live.revision, apps=list(weaker))
        if live.left_out:
            self.last_reload = f"partly: {live.left_out}"
            kept, closed = list(live.kept), list(live.closed)
            self._log.event("config.partly", revision=live.revision, kept=kept, closed=closed, detail=live.left_out)

    def readiness(self) -> dict[str, Any]:
        """Ready while at least one worker serves and sessions can be kept; a gateway that drains wants no more."""
        serving = len(self._fleet.serving)
        away, in_grace = self._totals.now(STORE_UNREACHABLE), self._totals.now(STORE_GRACE)
        # A front that sent people elsewhere would find the same store there: those who are signed in go on here.
        keeps = away <= in_grace
        return {
            "ready": serving > 0 and keeps and not self._ends(),
            "revision": self._rollout.live.revision,
            "workers": self._slots,
            "workers_serving": serving,
            "last_reload": self.last_reload,
            "sessions": ("grace" if in_grace else "ok") if keeps else "unreachable",
        }

    async def exposition(self) -> bytes:
        # Each says what is new before it answers.
        await ask(self._fleet.workers.values(), "counters", within=_COUNTERS_WITHIN)
        totals, live = self._totals, self._rollout.live
        gauges = Gauges(
            revision=live.revision,
            workers=len(self._fleet.workers),
            reload_successful=totals.reload_successful,
            reloaded_at=totals.reloaded_at,
            kept=len(live.kept),
            closed=len(live.closed),
            certificates=certificate_ends(live.gateway),
        )
        kept = {**self._sources.metadata.counters(), **self._sources.looks.counters()}
        own = {("ecluse_log_dropped_total",): self._log.dropped, **kept}
        return render(add({**live.zeros, **totals.all()}, own), gauges)
