"""A row of the bench fails where our code holds the loop, and not where the machine does."""

from collections.abc import Iterator

import pytest

from tests.bench import __main__ as bench
from tests.bench.stops import FAILED, Measured, without_long_stops


def gateways(stops: list[float]) -> Iterator[Measured]:
    """Each measurement of a row, with a gateway of its own."""
    return ({"bench": "row", "cpu_us": number, "loop_stop_max_ms": stop} for number, stop in enumerate(stops))


@pytest.mark.parametrize(
    ("stops", "measured", "fails"),
    [
        ([1.2], [1.2], False),
        ([5.0], [5.0], False),
        ([30.0, 1.1], [30.0, 1.1], False),
        ([30.0, 7.0, 2.0], [30.0, 7.0, 2.0], False),
        ([30.0, 28.0, 31.0], [30.0, 28.0, 31.0], True),
        ([30.0, 28.0, 5.1, 1.0], [30.0, 28.0, 5.1], True),
    ],
)
def test_what_stands_still_in_each_gateway_fails(stops: list[float], measured: list[float], fails: bool) -> None:
    each = gateways(stops)
    row = without_long_stops(lambda: next(each))
    assert (row["cpu_us"], row["loop_stop_max_ms"]) == (0, min(measured))
    assert row.get("loop_stops_ms", [row["loop_stop_max_ms"]]) == measured
    assert (FAILED in row) == fails


def test_a_row_without_a_loop_is_as_it_was() -> None:
    assert without_long_stops(lambda: {"bench": "policy"}) == {"bench": "policy"}


@pytest.mark.parametrize("stop", [1.0, 30.0])
def test_the_bench_ends_with_1_where_a_row_failed(
    stop: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rows(*_: object) -> Iterator[Measured]:
        yield without_long_stops(lambda: {"bench": "first", "loop_stop_max_ms": stop})
        yield {"bench": "second"}

    monkeypatch.setattr(bench, "rows", rows)
    monkeypatch.setattr(bench, "Bench", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["bench"])
    assert bench.main() == (1 if stop > 5 else 0)
    told = capsys.readouterr()
    assert '"second"' in told.out, "the rows behind it are measured"
    assert ("first: the loop stood still for over 5 ms in each of 3 gateways" in told.err) == (stop > 5)
