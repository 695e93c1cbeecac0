"""Which paths are ours, on which host: no application ever sees these."""

from dataclasses import replace

import pytest

from gateway.access.own_paths import OF_FRONTS, OF_PORTAL
from gateway.access.request_line import Purpose, purpose_of, purpose_on_portal
from gateway.wire.fronts import FRONTS
from gateway.wire.target import canonical_target
from tests.config.samples import PERMIS, sample_snapshot

PLAIN = sample_snapshot({"apps/permis.yaml": PERMIS}).apps["permis"]
FRONTED = replace(PLAIN, front="oauth2-proxy")


@pytest.mark.parametrize(
    ("path", "plain", "fronted", "portal"),
    [
        (b"/", "application", "application", "endpoint"),
        (b"/favicon.ico", "application", "application", "endpoint"),
        (b"/favicon.ico/", "application", "application", "reserved"),
        (b"/oauth2/auth", "application", "endpoint", "reserved"),
        (b"/OAuth2/anything", "application", "endpoint", "reserved"),
        (b"/oauth", "application", "application", "reserved"),
        (b"/_ecluse", "endpoint", "endpoint", "endpoint"),
        (b"/_ecluse/login", "endpoint", "endpoint", "endpoint"),
        (b"/_ECLUSE/login", "reserved", "reserved", "reserved"),
        (b"/dossiers", "application", "application", "reserved"),
    ],
)
def test_a_path(path: bytes, plain: Purpose, fronted: Purpose, portal: Purpose) -> None:
    target = canonical_target(path)
    assert (purpose_of(PLAIN, target), purpose_of(FRONTED, target), purpose_on_portal(target)) == (
        plain, fronted, portal,
    )  # fmt: skip


def test_another_front_takes_no_path() -> None:
    target = canonical_target(b"/oauth2/auth")
    for name in FRONTS.keys() - OF_FRONTS.keys():
        assert purpose_of(replace(PLAIN, front=name), target) == "application"


def test_every_path_of_the_portal_is_written_in_one_way() -> None:
    assert all(canonical_target(path).path == path for path in OF_PORTAL)
