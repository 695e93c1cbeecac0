"""What can be counted is there from the start, at 0."""

from gateway.ops.counters import add
from gateway.ops.metrics import METRICS, Gauges, render
from gateway.ops.zeros import MOST_ZEROS, zeros
from tests.ops.test_metrics import GAUGES, samples

ZEROS = zeros(("permis",), ("metropole",), ("region",))
# What no configuration tells: rules of shadows, and the number of living things.
OPEN = {"ecluse_policy_shadow_differences_total"}


def test_every_counter_has_a_series_before_anything_happens() -> None:
    counted = {metric.name for metric in METRICS if metric.kind == "counter"}
    assert {name for name, *_ in ZEROS} == counted - OPEN
    assert set(ZEROS.values()) == {0.0}
    labels = {metric.name: metric.labels for metric in METRICS}
    assert not [key for key in ZEROS if len(key) - 1 != len(labels[key[0]])]


def test_the_series_are_those_that_are_counted_later() -> None:
    for key in (
        ("ecluse_http_requests_total", "permis", "5xx"),
        ("ecluse_http_refusals_total", "wire.target"),
        ("ecluse_http_refusals_total", "store.unreachable"),
        ("ecluse_http_refusals_total", "api.bound"),
        ("ecluse_http_refusals_total", "oidc.id_token.expired"),
        ("ecluse_http_refusals_total", "front.unknown"),
        ("ecluse_http_refusals_total", "account.unreadable"),
        ("ecluse_policy_decisions_total", "permis", "deny", "translation.budget"),
        ("ecluse_policy_decisions_total", "permis", "deny", "account.missing"),
        ("ecluse_policy_decisions_total", "permis", "deny", "account.person"),
        ("ecluse_policy_decisions_total", "permis", "deny", "directory.away"),
        ("ecluse_policy_decisions_total", "permis", "deny", "policy.not_allowed"),
        ("ecluse_policy_decisions_total", "permis", "challenge", "session.required"),
        ("ecluse_text_charset_disagreements_total", "permis"),
        ("ecluse_upstream_errors_total", "permis", "upstream.timeout"),
        ("ecluse_upstream_errors_total", "permis", "limit.connections"),
        ("ecluse_auth_refreshes_total", "metropole", "ended", "oidc.refresh.ended"),
        ("ecluse_auth_refreshes_total", "metropole", "failed", "login.provider_unreachable"),
        ("ecluse_auth_logins_total", "metropole", "refused", "oidc.id_token.nonce"),
        ("ecluse_auth_logins_total", "region", "refused", "saml.signature"),
        ("ecluse_auth_logins_total", "region", "success", ""),
        ("ecluse_worker_deaths_total",),
        # A program's token that is read and not let in, an application that is away, a tunnel, the portal's own pages.
        ("ecluse_http_refusals_total", "login.outside_perimeter"),
        ("ecluse_http_refusals_total", "login.deactivated"),
        ("ecluse_http_refusals_total", "upstream.timeout"),
        ("ecluse_http_requests_total", "permis", "1xx"),
        ("ecluse_http_requests_total", "_portal", "4xx"),
        # What comes back from a provider to no sign-in that is under way.
        ("ecluse_auth_logins_total", "", "refused", "login.transaction_gone"),
        ("ecluse_auth_logins_total", "", "refused", "saml.binding.parameter"),
        # A directory that has a person no more, whatever kind their provider is of; a store that could not say.
        ("ecluse_auth_refreshes_total", "metropole", "ended", "directory.gone"),
        ("ecluse_auth_refreshes_total", "region", "ended", "directory.gone"),
        ("ecluse_auth_refreshes_total", "metropole", "failed", "store.unreachable"),
        ("ecluse_auth_refreshes_total", "region", "failed", "store.unreachable"),
        ("ecluse_form_logins_total", "store.unreachable"),
    ):
        assert key in ZEROS, key
    assert ("ecluse_auth_logins_total", "metropole", "refused", "saml.signature") not in ZEROS


def test_prometheus_reads_them_and_a_count_takes_their_place() -> None:
    counted = {("ecluse_http_requests_total", "permis", "2xx"): 3.0}
    read = samples(render(add(ZEROS, counted), GAUGES))
    assert read["ecluse_http_requests_total", "permis", "2xx"] == 3
    assert read["ecluse_http_requests_total", "permis", "5xx"] == 0


def test_of_many_applications_the_largest_metrics_are_left_out() -> None:
    many = zeros(tuple(f"app-{number}" for number in range(5000)), ("metropole",), ())
    assert len(many) <= MOST_ZEROS + len(METRICS)
    assert ("ecluse_auth_logins_total", "metropole", "success", "") in many
    assert ("ecluse_policy_errors_total", "app-4999") in many
    assert ("ecluse_policy_decisions_total", "app-0", "allow", "policy.allowed") not in many
    assert isinstance(render(many, Gauges("", 1, reload_successful=True, reloaded_at=0.0, kept=0, closed=0)), bytes)
