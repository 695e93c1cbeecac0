"""Plain numbers of one worker, and what the supervisor does with those of all.

A key is (metric, label value, ...), in the order of the table in `metrics.py`. A histogram is kept as such keys
too: (metric_bucket, upper bound) with what fell into that bucket alone, and (metric_sum,).
"""

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice

Series = tuple[str, ...]
Dump = Mapping[Series, float]

OVERHEAD = "ecluse_overhead_seconds"
OVERHEAD_BOUNDS = (0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0)
# A gauge of each worker; what readiness goes by.
STORE_UNREACHABLE: Series = ("ecluse_session_store_unreachable",)
# The workers of these that go on by what they hold.
STORE_GRACE: Series = ("ecluse_session_store_grace",)
DROPPED_SERIES: Series = ("ecluse_series_dropped_total",)

# The labels are names from configuration and codes, so this is never met in good order; it bounds a fault of ours.
_MAX_SERIES = 20_000

_SERIES_IN_A_PART = 500

# What goes by this ending is the highest of the workers' values, not their sum.
_MAXIMUM = "_max_seconds"

_BUCKET_KEYS: tuple[Series, ...] = tuple(
    (f"{OVERHEAD}_bucket", bound) for bound in (*map(repr, OVERHEAD_BOUNDS), "+Inf")
)
_SUM_KEY: Series = (f"{OVERHEAD}_sum",)


class Counters:
    """One worker's numbers, touched by its loop alone. `values` holds all but what every request adds to; it is written
    here alone, so that it is known what the supervisor has not been told yet."""

    __slots__ = ("_buckets", "_spent", "_told", "_untold", "values")

    def __init__(self) -> None:
        self.values: dict[Series, float] = {}
        self._untold: set[Series] = set()
        self._told: Dump = {}
        self._buckets = [0] * len(_BUCKET_KEYS)
        self._spent = 0.0

    def add(self, *key: str) -> None:
        """One more of this."""
        self.count(1, *(key if key in self.values or len(self.values) < _MAX_SERIES else DROPPED_SERIES))

    def count(self, number: float, *key: str) -> None:
        """So many more of this. The labels are names from configuration, which bounds them."""
        self.values[key] = self.values.get(key, 0) + number
        self._untold.add(key)

    def overhead(self, seconds: float) -> None:
        """Time that we spent ourselves on one request."""
        # `le`: a value on the bound belongs to its bucket.
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
        """What changed since it was last told, as it is now, in parts that each take under a millisecond: to the
        supervisor, where `decode` reads them. What changes meanwhile comes with the next news."""
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
    """Both together: sums, but the higher of two maxima."""
    total = dict(one)
    for key, value in other.items():
        before = total.get(key, 0)
        total[key] = max(before, value) if key[0].endswith(_MAXIMUM) else before + value
    return total
