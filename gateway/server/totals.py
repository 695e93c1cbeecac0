"""The counters of every worker, living and dead: a total never goes back when a worker ends."""

from collections.abc import Iterable
from time import time

from gateway.ops.counters import Dump, Series, add, decode, empty

# Counters of a dead worker stay in the totals; gauges do not.
_LASTING = ("_total", "_bucket", "_sum")
_DEATHS = ("ecluse_worker_deaths_total",)


class Totals:
    def __init__(self) -> None:
        self._of_the_dead: Dump = empty()
        self._living: dict[int, dict[Series, float]] = {}
        self.reload_successful = True
        self.reloaded_at = time()

    def keep(self, pid: int, news: bytes) -> None:
        """Updates the counters of a worker. Counters that are missing in `news` keep their values."""
        self._living.setdefault(pid, {}).update(decode(news))

    def retire(self, pid: int, *, died: bool) -> None:
        """Moves the lasting counters of an ended worker to the totals. `died`: the worker was not told to leave."""
        left = self._living.pop(pid, {})
        lasting = {key: value for key, value in left.items() if key[0].endswith(_LASTING)}
        self._of_the_dead = add(add(self._of_the_dead, lasting), {_DEATHS: 1} if died else empty())

    def reloaded(self, successful: bool) -> None:
        self.reload_successful = successful
        if successful:
            self.reloaded_at = time()

    def now(self, key: Series) -> float:
        """The sum of a gauge over the living workers."""
        return sum(dump.get(key, 0) for dump in self._living.values())

    def copied(self) -> list[Dump]:
        """A copy of the present counters, for a thread that adds them up (`total`)."""
        return [self._of_the_dead, *map(dict, self._living.values())]


def total(dumps: Iterable[Dump]) -> Dump:
    found = empty()
    for dump in dumps:
        found = add(found, dump)
    return found
