"""The numbers of one worker, and the supervisor's sum over all workers.

A key is (metric, label value, ...), with the labels in the order of the table in `metrics.py`. A histogram uses such
keys too: (metric_bucket, upper bound) for the count in the bucket alone, and (metric_sum,).
"""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice

Series = tuple[str, ...]
Dump = Mapping[Series, float]

OVERHEAD = "ecluse_overhead_seconds"
OVERHEAD_BOUNDS = (0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0)
# A gauge of each worker, which decides readiness.
STORE_UNREACHABLE: Series = ("ecluse_session_store_unreachable",)
# A gauge: the workers, among the unreachable, that go on with the sessions in memory.
STORE_GRACE: Series = ("ecluse_session_store_grace",)
DROPPED_SERIES: Series = ("ecluse_series_dropped_total",)

# A bound in case of a fault of the gateway: labels are names from configuration and codes, far fewer than this.
_MAX_SERIES = 20_000

_SERIES_IN_A_PART = 500

# Of a metric with this ending, the supervisor takes the workers' highest value, not the sum.
_MAXIMUM = "_max_seconds"

_BUCKET_KEYS: tuple[Series, ...] = tuple(
    (f"{OVERHEAD}_bucket", bound) for bound in (*map(repr, OVERHEAD_BOUNDS), "+Inf")
)
_SUM_KEY: Series = (f"{OVERHEAD}_sum",)


class Counters:
    """One worker's numbers, for use in its event loop alone.

    `values`: every number except the overhead of requests. Only methods of this class write `values`, and record the
    changes for `news`.
    """

    __slots__ = ("_buckets", "_spent", "_told", "_untold", "values")

    def __init__(self) -> None:
        self.values: dict[Series, float] = {}
        self._untold: set[Series] = set()
        self._told: Dump = {}
        self._buckets = [0] * len(_BUCKET_KEYS)
        self._spent = 0.0

    def add(self, *key: str) -> None:
        """Adds one to a counter."""
        self.count(1, *(key if key in self.values or len(self.values) < _MAX_SERIES else DROPPED_SERIES))

    def count(self, number: float, *key: str) -> None:
        """Adds `number` to a counter. The labels are names from configuration, which bounds the number of series."""
        self.values[key] = self.values.get(key, 0) + number
        self._untold.add(key)

    def overhead(self, seconds: float) -> None:
        """Records the gateway's own time for one request."""
        # `le`: a value equal to the bound belongs to the bucket.
        self._buckets[bisect_left(OVERHEAD_BOUNDS, seconds)] += 1
        self._spent += seconds

    def gauge(self, value: float, *key: str) -> None:
        """Sets a current value, in place of the previous value."""
        if self.values.get(key) != value:
            self.values[key] = value
            self._untold.add(key)

    def all(self) -> Dump:
        return {**self._overhead(), **self.values}

    def news(self) -> Iterator[bytes]:
        """Yields the numbers that changed since the last news, encoded for `decode` in the supervisor. Making a
        part takes under a millisecond. A change during the iteration comes with the next news.
        """
        overhead = self._overhead()
        changed = {key: value for key, value in overhead.items() if value != self._told.get(key)}
        self._told = overhead
        untold, self._untold = self._untold, set()
        keys = iter(untold)
        while part := changed | {key: self.values[key] for key in islice(keys, _SERIES_IN_A_PART)}:
            changed = {}
            yield encode(part)

    def _overhead(self) -> dict[Series, float]:
        return {**dict(zip(_BUCKET_KEYS, self._buckets, strict=True)), _SUM_KEY: self._spent}


def empty() -> Dump:
    return {}


def encode(dump: Dump) -> bytes:
    return json.dumps([[*key, value] for key, value in dump.items()], separators=(",", ":")).encode()


def decode(data: bytes) -> Dump:
    return {tuple(key): value for *key, value in json.loads(data)}


def add(one: Dump, other: Dump) -> Dump:
    """Adds two dumps: sums of counts, the higher of two maxima."""
    total = dict(one)
    for key, value in other.items():
        before = total.get(key, 0)
        total[key] = max(before, value) if key[0].endswith(_MAXIMUM) else before + value
    return total
