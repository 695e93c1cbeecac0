from dataclasses import replace

from tests.config.samples import sample_snapshot


def test_an_origin_has_a_port_where_the_scheme_does_not_say_it() -> None:
    app = sample_snapshot().apps["permis"]
    assert app.origin("permis.localhost") == "http://permis.localhost:8080"
    assert replace(app, scheme="https", port=None).origin("permis.localhost") == "https://permis.localhost"


def test_a_wildcard_is_one_label_after_an_exact_host_and_never_the_portal() -> None:
    snapshot = sample_snapshot()
    permis = snapshot.apps["permis"]
    wild = replace(permis, name="wild")
    snapshot = replace(snapshot, wildcards={"localhost": wild})
    assert snapshot.find_app("permis.localhost") is permis
    assert snapshot.find_app("autre.localhost") is wild
    for host in ("a.b.localhost", "localhost", "", snapshot.gateway.portal_host):
        assert snapshot.find_app(host) is None
