import ast
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

import gateway
from gateway.ops.counters import OVERHEAD, Counters, Dump, add
from gateway.ops.metrics import CONTENT_TYPE, METRICS, Gauges, render
from tests.growth import steps

GAUGES = Gauges(
    revision="abc123",
    workers=2,
    reload_successful=True,
    reloaded_at=1_800_000_000.5,
    kept=2,
    closed=1,
    certificates={("0.0.0.0:443", "portail.example"): 1_900_000_000.0},
)
BY_NAME = {metric.name: metric for metric in METRICS}


def samples(exposition: bytes) -> dict[tuple[str, ...], float]:
    """Every sample as (name, label value, ...) in the table's order, read by Prometheus's own parser."""
    found = {}
    for family in text_string_to_metric_families(exposition.decode()):
        for sample in family.samples:
            labels = BY_NAME[sample.name].labels if sample.name in BY_NAME else tuple(sample.labels)
            found[sample.name, *(sample.labels[label] for label in labels)] = sample.value
    return found


def test_what_workers_counted_is_what_prometheus_reads() -> None:
    one, other = Counters(), Counters()
    for counters in (one, other, other):
        counters.add("ecluse_http_requests_total", "permis", "2xx")
        counters.add("ecluse_auth_logins_total", "metropole", "refused", "oidc.nonce")
        counters.add("ecluse_auth_logouts_total")
    one.gauge(3, "ecluse_http_connections")
    other.gauge(4, "ecluse_http_connections")
    read = samples(render(add(one.all(), other.all()), GAUGES))
    assert read["ecluse_http_requests_total", "permis", "2xx"] == 3
    assert read["ecluse_auth_logins_total", "metropole", "refused", "oidc.nonce"] == 3
    assert read["ecluse_auth_logouts_total",] == 3
    assert read["ecluse_http_connections",] == 7


def test_what_only_the_supervisor_knows_is_there() -> None:
    read = samples(render({}, GAUGES))
    assert read["ecluse_config_info", "abc123"] == 1
    assert read["ecluse_workers",] == 2
    assert read["ecluse_config_last_reload_successful",] == 1
    assert read["ecluse_config_last_reload_success_timestamp_seconds",] == 1_800_000_000.5
    assert read["ecluse_config_files_left_out", "kept"] == 2
    assert read["ecluse_config_files_left_out", "closed"] == 1
    assert read["ecluse_certificate_valid_until_seconds", "portail.example", "0.0.0.0:443"] == 1_900_000_000.0


def test_overhead_is_a_histogram_with_cumulative_buckets() -> None:
    counters = Counters()
    for seconds in (0.00002, 0.00003, 0.5, 7.0):
        counters.overhead(seconds)
    read = samples(render(counters.all(), GAUGES))
    buckets = [value for (name, *_), value in read.items() if name == f"{OVERHEAD}_bucket"]
    assert buckets == sorted(buckets)
    assert read[f"{OVERHEAD}_bucket", "2.5e-05"] == 1
    assert read[f"{OVERHEAD}_bucket", "1.0"] == 3
    assert read[f"{OVERHEAD}_bucket", "+Inf"] == read[f"{OVERHEAD}_count",] == 4
    assert abs(read[f"{OVERHEAD}_sum",] - 7.50005) < 1e-9


def test_label_values_are_escaped() -> None:
    counters = Counters()
    counters.add("ecluse_http_requests_total", 'a"b\\c\nd', "2xx")
    assert samples(render(counters.all(), GAUGES))["ecluse_http_requests_total", 'a"b\\c\nd', "2xx"] == 1


def test_a_key_that_fits_no_metric_is_left_out() -> None:
    dump = {("ecluse_unheard_of_total",): 1.0, ("ecluse_http_requests_total", "too few"): 1.0, ("",): 1.0}
    assert render(dump, GAUGES) == render({}, GAUGES)


def test_every_metric_is_described_and_named_as_prometheus_wants() -> None:
    exposition = render({}, GAUGES).decode()
    for metric in METRICS:
        assert re.fullmatch(r"ecluse_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.name.endswith("_max_seconds") == (metric.kind == "maximum")
        assert metric.help.endswith(".")
        assert f"# HELP {metric.name} {metric.help}" in exposition
    assert len(BY_NAME) == len(METRICS)
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_every_metric_that_is_counted_anywhere_is_in_the_table_with_its_labels() -> None:
    wrong = []
    for path in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Call(func=ast.Attribute(attr="add"), args=[ast.Constant(value=str(name)), *labels]) if (
                    name.startswith("ecluse_")
                ):
                    counted = (name, len(labels))
                case ast.Tuple(elts=[ast.Constant(value=str(name)), *labels]) if name.startswith("ecluse_"):
                    counted = (name, len(labels))
                case _:
                    continue
            if counted[0] not in BY_NAME or counted[1] != len(BY_NAME[counted[0]].labels):
                wrong.append(f"{path.name}:{node.lineno}: {counted}")
    assert not wrong


def test_ten_times_the_apps_are_ten_times_the_work() -> None:
    assert steps(lambda: render(counted_by(500), GAUGES)) < 11 * steps(lambda: render(counted_by(50), GAUGES))


def counted_by(apps: int) -> Dump:
    counters = Counters()
    for app in range(apps):
        for code_class in ("1xx", "2xx", "3xx", "4xx", "5xx"):
            counters.add("ecluse_http_requests_total", f"app-{app}", code_class)
        for decision in ("allow", "deny", "challenge"):
            counters.add("ecluse_policy_decisions_total", f"app-{app}", decision, "policy.allowed")
    return counters.values
