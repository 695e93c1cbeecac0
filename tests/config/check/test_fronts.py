"""`front` and `forward_auth`: what no server in front could hold is refused when the files are read."""

import pytest

from tests.config.samples import GATEWAY, PERMIS, problems

SETTINGS = "trusted_proxies: [127.0.0.1]\nforward_auth: {secret: {env: FRONT}}\n"
SECRETS = {"env:FRONT": b"0123456789abcdef0123456789abcdef"}


def of(app: str, settings: str = SETTINGS, secret: bytes = SECRETS["env:FRONT"], permis: str = PERMIS) -> list[str]:
    return problems({"gateway.yaml": GATEWAY + settings, "apps/permis.yaml": permis + app}, {"env:FRONT": secret})


def test_an_application_behind_a_front() -> None:
    assert of("front: nginx\n") == []
    assert of("") == []
    assert of("front: nginx\nlimits: {requests: {all: {rate: 20/s}}}\n") == []


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("responses: {banners: false}", "responses"),
        ("rewrite: {headers: true}", "rewrite"),
        ("cookies: {host_only: true}", "cookies"),
        ("limits: {body: 1MB}", "limits"),
        ("limits: {body: 1MB, requests: {all: {rate: 20/s}}}", "limits"),
        ("timeouts: {first_byte: 1s}", "timeouts"),
    ],
)
def test_what_the_gateway_does_with_answers_and_bodies_has_no_effect_there(line: str, key: str) -> None:
    message = "nginx passes requests and answers on itself, so this would have no effect"
    hint = "leave it out, or leave front out"
    assert of(f"front: nginx\n{line}\n") == [f"policies/apps/permis.yaml:14:1: {key}: {message} ({hint})"]


def test_a_front_that_may_not_ask() -> None:
    hint = "forward_auth: {secret: {file: ...}} there, or leave front out"
    message = f"gateway.yaml lets no server in front ask ({hint})"
    assert of("front: nginx\n", settings="") == [f"policies/apps/permis.yaml:13:8: front: {message}"]
    message = "no server in front is listed, so that none is answered (list it in trusted_proxies)"
    settings = "forward_auth: {secret: {env: FRONT}}\n"
    assert of("", settings=settings) == [f"policies/gateway.yaml:10:1: forward_auth: {message}"]


def test_a_front_whose_questions_have_a_host_of_their_own() -> None:
    message = "questions of traefik have another host than the browser's, and gateway.yaml does not say which"
    hint = "forward_auth: {host: 127.0.0.1} there"
    assert of("front: traefik\n") == [f"policies/apps/permis.yaml:13:8: front: {message} ({hint})"]
    with_host = SETTINGS.replace("secret:", "host: 127.0.0.1, secret:")
    assert of("front: traefik\n", settings=with_host) == []
    assert of("front: envoy\n") == []


def test_no_form_is_kept_where_a_front_passes_our_answers_on() -> None:
    settings = SETTINGS + "posts: {}\n"
    message = "envoy passes requests and answers on itself, so this would have no effect"
    hint = "leave it out, or leave front out"
    place = "policies/apps/permis.yaml:14:1: keep_posts"
    assert of("front: nginx\nkeep_posts: {largest: 1MB}\n", settings) == []
    assert of("front: envoy\nkeep_posts: {largest: 1MB}\n", settings) == [f"{place}: {message} ({hint})"]


def test_no_body_waits_where_a_front_passes_it_on() -> None:
    permis = PERMIS.replace("{url: http://127.0.0.1:9001}", "{url: 'http://127.0.0.1:9001', buffer: {requests: 1MB}}")
    assert of("", permis=permis) == []
    message = "nginx passes bodies on itself, so this would have no effect (leave it out, or leave front out)"
    (said,) = of("front: nginx\n", permis=permis)
    assert said.startswith("policies/apps/permis.yaml:")
    assert said.endswith(f"upstream.buffer: {message}")


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (b"short", "this secret has at least 32 characters, and this one has 5"),
        (b"a" * 31 + b" ", "this secret is letters, digits and signs on one line"),
        (b"a" * 31 + b"\xc3\xa9", "this secret is letters, digits and signs on one line"),
        (b"a" * 32 + b"\nx", "this secret is letters, digits and signs on one line"),
    ],
)
def test_a_secret_that_no_server_could_send_or_anybody_could_guess(secret: bytes, why: str) -> None:
    assert of("", secret=secret) == [f"policies/gateway.yaml:11:24: forward_auth.secret: {why} (openssl rand -hex 32)"]
