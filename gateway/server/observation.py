"""The observable state of a running gateway: readiness and metrics."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from gateway.config.compile.plan import closed_in, sent_ltpa2
from gateway.ops.counters import STORE_GRACE, STORE_UNREACHABLE, Dump
from gateway.ops.log import Log
from gateway.ops.metrics import Gauges, render
from gateway.server.compiling import Live
from gateway.server.fixed import certificate_ends
from gateway.server.fleet import Fleet, ask
from gateway.server.rollout import Rollout
from gateway.server.sources import Sources
from gateway.server.totals import Totals, total

_COUNTERS_WITHIN = 0.5


class Observation:
    """The admin listener shows it.

    `slots`: the number of workers that the gateway runs.
    `ends`: whether the gateway drains.
    `say`: shows a text to the person at the terminal, if any."""

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
        say: Callable[[str], None],
    ) -> None:
        self._fleet = fleet
        self._rollout = rollout
        self._sources = sources
        self._totals = totals
        self._log = log
        self._slots = slots
        self._ends = ends
        self._say = say
        self.last_reload = "ok"

    def tell_what_is_live(self) -> None:
        """Logs where the live plan is weaker than necessary, and the wrong app files that it leaves out; the remaining
        files are served."""
        live = self._rollout.live
        if weaker := sent_ltpa2(live.plan):
            self._log.event("config.deviation", revision=live.revision, apps=list(weaker))
        if live.left_out:
            self.last_reload = f"partly: {live.left_out}"
            kept, closed, hosts = list(live.kept), list(live.closed), sorted(closed_in(live.plan).files)
            self._log.event(
                "config.partly", revision=live.revision, kept=kept, closed=closed, hosts=hosts, detail=live.left_out
            )
            self._say(_left_out(live))

    def readiness(self) -> dict[str, Any]:
        """The readiness: at least one worker serves, sessions can be kept, and the gateway does not drain."""
        serving = len(self._fleet.serving)
        away, in_grace = self._totals.now(STORE_UNREACHABLE), self._totals.now(STORE_GRACE)
        # In grace the gateway is ready: signed-in people continue here, and another gateway would have the same store.
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
        # A worker sends its new counters before the answer.
        await ask(self._fleet.workers.values(), "counters", within=_COUNTERS_WITHIN)
        totals, live, log = self._totals, self._rollout.live, self._log
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
        own = {("ecluse_log_dropped_total",): log.dropped, **kept}
        # Rendering takes 0.1 s with some hundred applications.
        return await asyncio.to_thread(_rendered, live.zeros, [*totals.copied(), own], gauges)


def _rendered(zeros: Dump, dumps: Sequence[Dump], gauges: Gauges) -> bytes:
    return render({**zeros, **total(dumps)}, gauges)


def _left_out(live: Live) -> str:
    """The text for the person at the terminal: the closed hosts, the files that stay in their last form, and the
    reasons."""
    found = closed_in(live.plan)
    lines = ["Some app files are wrong; the rest is served."]
    for file in dict.fromkeys((*found.files.values(), *found.unread)):
        hosts = sorted(host for host, of in found.files.items() if of == file)
        unread = "; its further hosts are unknown" if file in found.unread else ""
        lines.append(f"  closed: {', '.join(hosts) or 'no known host'} ({file}{unread})")
    lines += [f"  as it was: {path}" for path in live.kept]
    return "\n".join((*lines, "", live.left_out))
