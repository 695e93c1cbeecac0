from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.config.api import Api, OpaqueTokens
from gateway.config.host_applications import HostApplications
from gateway.policy.routes import PathSet
from tests.config.samples import sample_snapshot


def test_an_origin_has_a_port_where_the_scheme_does_not_say_it() -> None:
    app = sample_snapshot().apps["permis"]
    assert app.origin("permis.localhost") == "http://permis.localhost:8080"
    assert replace(app, scheme="https", port=None).origin("permis.localhost") == "https://permis.localhost"


def test_a_wildcard_is_one_label_after_an_exact_host_and_never_the_portal() -> None:
    snapshot = sample_snapshot()
    permis = snapshot.apps["permis"]
    wild = replace(permis, name="wild")
    snapshot = replace(snapshot, wildcards={"localhost": HostApplications(wild)})
    assert snapshot.find_app("permis.localhost") is permis
    assert snapshot.find_app("autre.localhost") is wild
    for host in ("a.b.localhost", "localhost", "", snapshot.gateway.portal_host):
        assert snapshot.find_app(host) is None


def test_what_is_closed_below_a_wildcard_is_closed_on_no_host_that_a_file_names() -> None:
    snapshot = replace(sample_snapshot(), closed={"*.localhost/wiki": "apps/wild.yaml"})
    assert snapshot.closed_below("autre.localhost") == {"/wiki": "apps/wild.yaml"}
    assert snapshot.closed_below("permis.localhost") == {}


# --- whose a token is that is no JWT ----------------------------------------------------------------------------------


def paths(*patterns: str) -> PathSet:
    return PathSet(patterns)


def headers(**values: str) -> Callable[[bytes], set[bytes]]:
    return lambda name: {value.encode() for key, value in values.items() if key.encode() == name}


@pytest.mark.parametrize(
    ("token", "path", "org", "owner"),
    [
        (b"x", "a/1", "", "alpha"),
        (b"x", "c/1", "", ""),
        (b"x", "c/1", "g", "gamma"),
        (b"x", "c/1", "h", ""),
        (b"x", "a/1", "g", ""),
        (b"b_x", "c/1", "", "beta"),
        (b"b_x", "a/1", "", "beta"),
        (b"b_x", "c/1", "g", "beta"),
        (b"d_x", "c/1", "", ""),
        (b"d_x", "a/1", "", ""),
        (b"d_x", "d/1", "", "delta"),
    ],
)
def test_a_token_is_shown_to_the_one_provider_that_it_can_only_be_of(
    token: bytes, path: str, org: str, owner: str
) -> None:
    opaque = (
        OpaqueTokens("alpha", paths=paths("/a/**")),
        OpaqueTokens("beta", prefix=b"b_"),
        OpaqueTokens("gamma", header=(b"org", b"g")),
        OpaqueTokens("delta", prefix=b"d_", paths=paths("/d/**")),
    )
    api = Api(("alpha", "beta", "gamma", "delta"), paths("/**"), opaque=opaque)
    at = api.opaque_at(tuple(path.split("/")))
    assert at is not None
    assert api.introspected_by(token, at, headers(org=org) if org else headers()) == owner


def test_a_header_that_says_two_things_says_nothing() -> None:
    api = Api(("gamma",), paths("/**"), opaque=(OpaqueTokens("gamma", header=(b"org", b"g")),))
    assert api.introspected_by(b"x", api.opaque, lambda name: {b"g", b"h"}) == ""
    assert api.introspected_by(b"x", api.opaque, lambda name: {b"g"}) == "gamma"
