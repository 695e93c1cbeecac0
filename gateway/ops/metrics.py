"""Every metric of the gateway, and the exposition in the Prometheus text format.

Label values are names from configuration (app, provider) and codes of the tables in `model`: never a path, an address
or a text that a client or provider can choose.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from gateway.ops.counters import OVERHEAD, OVERHEAD_BOUNDS, Dump

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

MetricKind = Literal["counter", "gauge", "maximum"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. Across the living workers, a "gauge" is summed, and a "maximum" is the highest value."""

    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    help: str


METRICS = (
    Metric(
        "ecluse_http_requests_total", "counter", ("app", "code_class"), "Responses, by application and status class."
    ),
    Metric("ecluse_http_refusals_total", "counter", ("code",), "Requests refused before policy, by code."),
    Metric("ecluse_http_connections_total", "counter", (), "Client connections accepted."),
    Metric("ecluse_http_connections", "gauge", (), "Client connections open now."),
    Metric("ecluse_tunnels", "gauge", (), "WebSockets open now; they no longer count as connections."),
    Metric("ecluse_tunnels_total", "counter", ("ended",), "WebSockets that have ended, by reason."),
    Metric("ecluse_tls_handshakes", "gauge", (), "TLS handshakes under way now."),
    Metric("ecluse_connections_refused_total", "counter", ("reason",), "Connections closed at accept."),
    Metric("ecluse_requests_limited_total", "counter", ("app", "reason"), "Requests answered 429, beyond a rate."),
    Metric(
        "ecluse_descriptors_exhausted_total",
        "counter",
        ("place",),
        "Times that the process had no free file descriptor.",
    ),
    Metric("ecluse_http_active_requests", "gauge", (), "Requests under way now."),
    Metric(
        "ecluse_headers_stripped_total", "counter", ("app",), "Requests with a header that only the gateway may write."
    ),
    Metric("ecluse_policy_decisions_total", "counter", ("app", "decision", "reason"), "Policy decisions, by reason."),
    Metric(
        "ecluse_policy_shadow_differences_total",
        "counter",
        ("app", "live", "live_rule", "shadow", "shadow_rule"),
        "Requests that a shadow rule or file would have decided differently.",
    ),
    Metric("ecluse_policy_errors_total", "counter", ("app",), "Expressions whose result was neither true nor false."),
    Metric("ecluse_upstream_out_total", "counter", ("app",), "Times that an address was paused after failures."),
    Metric(
        "ecluse_text_charset_disagreements_total",
        "counter",
        ("app",),
        "Rewritten texts that were not in their declared charset.",
    ),
    Metric("ecluse_upstream_errors_total", "counter", ("app", "reason"), "Requests that failed at the application."),
    Metric("ecluse_auth_logins_total", "counter", ("provider", "result", "reason"), "Sign-ins, by provider and code."),
    Metric("ecluse_auth_transactions_total", "counter", ("app",), "Sign-ins begun, by application."),
    Metric("ecluse_auth_logouts_total", "counter", (), "Browsers signed out."),
    Metric(
        "ecluse_auth_sessions_limited_total", "counter", (), "Sessions that `limits.sessions_per_person` has ended."
    ),
    Metric(
        "ecluse_application_sign_outs_total",
        "counter",
        ("app", "result"),
        "Sign-out calls: `told`, `failed` (no answer, or one of 400 and above), `given_up` (not made).",
    ),
    Metric(
        "ecluse_posts_total",
        "counter",
        ("app", "result"),
        "Forms posted after the session ended: kept, refused (no room), sent, or returned (not sent).",
    ),
    Metric(
        "ecluse_form_logins_total", "counter", ("result",), "Sign-ins at applications by their login forms, by outcome."
    ),
    Metric("ecluse_auth_refreshes_total", "counter", ("provider", "result", "reason"), "Refreshed tokens, by outcome."),
    Metric("ecluse_auth_provider_logouts_total", "counter", ("provider",), "Sign-outs that a provider announced."),
    Metric(
        "ecluse_account_requests_total",
        "counter",
        ("app", "result"),
        "Requests of people for their account of an application: sent, or refused.",
    ),
    Metric("ecluse_scim_requests_total", "counter", ("result",), "Requests of directories by SCIM, by result."),
    Metric("ecluse_provider_errors_total", "counter", ("provider", "reason"), "Calls to a provider that failed."),
    Metric(
        "ecluse_provider_looks_total",
        "counter",
        ("provider", "result"),
        "The gateway's own checks of providers: `answered`, `failed`.",
    ),
    Metric(
        "ecluse_provider_away",
        "gauge",
        ("provider",),
        "1 while the gateway's checks say that a provider does not answer, else 0; no value before the first check.",
    ),
    Metric("ecluse_metadata_refreshes_total", "counter", ("provider", "result"), "Fetches of SAML metadata."),
    Metric("ecluse_metadata_valid_until_seconds", "gauge", ("provider",), "Unix time at which SAML metadata expire."),
    Metric(
        "ecluse_saml_second_opinion_total",
        "counter",
        ("by", "verdict"),
        "Accepted SAML responses that the second implementation checked.",
    ),
    Metric("ecluse_sessions_cached", "gauge", (), "Seats held in the memory of the workers now."),
    Metric("ecluse_session_store_errors_total", "counter", (), "Operations of the session store that failed."),
    Metric("ecluse_session_store_grace", "gauge", (), "Workers that use their memory because the store is away."),
    Metric("ecluse_session_store_unreachable", "gauge", (), "Workers that cannot read or write the session store now."),
    Metric(
        "ecluse_event_loop_stop_max_seconds", "maximum", (), "The longest recent standstill of a worker's event loop."
    ),
    Metric("ecluse_log_dropped_total", "counter", (), "Log lines lost."),
    Metric("ecluse_series_dropped_total", "counter", (), "Counts lost because of too many series."),
    Metric("ecluse_worker_deaths_total", "counter", (), "Workers that ended unexpectedly."),
)
_BY_NAME = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Gauges:
    """The supervisor's own numbers.

    `reloaded_at`: time of the last successful reload, Unix seconds.
    `kept`: wrong app files whose previous version stays in force.
    `closed`: wrong app files whose hosts answer 503.
    `certificates`: end of a certificate in Unix seconds, by listener and first name.
    """

    revision: str
    workers: int
    reload_successful: bool
    reloaded_at: float
    kept: int
    closed: int
    certificates: Mapping[tuple[str, str], float] = field(default_factory=dict)


class _Exposition(Collector):
    def __init__(self, dump: Dump, gauges: Gauges) -> None:
        self._dump = dump
        self._gauges = gauges

    def collect(self) -> Iterable[Family]:
        yield from _own(self._gauges)
        yield _overhead(self._dump)
        yield from _counted(self._dump)


def render(dump: Dump, gauges: Gauges) -> bytes:
    """Returns the exposition of the workers' numbers, added up, and of the supervisor's own."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Exposition(dump, gauges))
    return generate_latest(registry)


def _own(gauges: Gauges) -> Iterator[Family]:
    info = GaugeMetricFamily("ecluse_config_info", "The live configuration.", labels=["revision"])
    info.add_metric([gauges.revision], 1)
    yield info
    yield GaugeMetricFamily("ecluse_workers", "Workers running now.", value=gauges.workers)
    yield GaugeMetricFamily(
        "ecluse_config_last_reload_successful",
        "1 if the last configuration read was taken, 0 if it was refused.",
        value=float(gauges.reload_successful),
    )
    yield GaugeMetricFamily(
        "ecluse_config_last_reload_success_timestamp_seconds",
        "Unix time of the last configuration taken.",
        value=gauges.reloaded_at,
    )
    left_out = GaugeMetricFamily(
        "ecluse_config_files_left_out",
        "Wrong app files: previous version kept, or hosts closed. 0 if all are valid.",
        labels=["state"],
    )
    left_out.add_metric(["kept"], gauges.kept)
    left_out.add_metric(["closed"], gauges.closed)
    yield left_out
    ends = GaugeMetricFamily(
        "ecluse_certificate_valid_until_seconds",
        "Unix time at which a listener's certificate, or a certificate of its chain, expires.",
        labels=["listener", "certificate"],
    )
    for labels, until in gauges.certificates.items():
        ends.add_metric(labels, until)
    yield ends


def _overhead(dump: Dump) -> Family:
    buckets, below = [], 0.0
    for bound in (*map(repr, OVERHEAD_BOUNDS), "+Inf"):
        below += dump.get((f"{OVERHEAD}_bucket", bound), 0)
        buckets.append((bound, below))
    family = HistogramMetricFamily(OVERHEAD, "Time spent by the gateway itself on one request.")
    family.add_metric([], buckets, sum_value=dump.get((f"{OVERHEAD}_sum",), 0))
    return family


def _counted(dump: Dump) -> Iterator[Family]:
    families = {metric.name: _family(metric) for metric in METRICS}
    for (name, *labels), value in dump.items():
        metric = _BY_NAME.get(name)
        if metric is not None and len(labels) == len(metric.labels):
            families[name].add_metric(labels, value)
    yield from families.values()


def _family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return kind(metric.name, metric.help, labels=metric.labels)
