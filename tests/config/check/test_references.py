# ruff: noqa: E501 - a case is a line
import errno
import os
from dataclasses import replace

import pytest
import trustme

from gateway.config.compile.compiler import compile_files
from gateway.config.problems import ProblemsFound
from tests.config.samples import GATEWAY, METROPOLE, PERMIS, problems, sample_files, sample_snapshot

PUBLIC = GATEWAY.replace("development: true\n", "").replace(
    "http://portail.localhost:8080", "https://portail.example.org"
)
TLS = PUBLIC.replace(
    "{address: 127.0.0.1:8080}",
    "{address: 0.0.0.0:443, tls: {certificate: {file: tls.crt}, key: {file: tls.key}}}",
)
HTTPS_PROVIDER = METROPOLE.replace("http://127.0.0.1:9400", "https://op.example.org")

AUTHORITY = trustme.CA()


def issued() -> tuple[bytes, bytes]:
    leaf = AUTHORITY.issue_cert("portail.example.org")
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    return chain, leaf.private_key_pem.bytes()


def test_a_file_that_is_missing_refuses_the_load() -> None:
    """K032: never open because a key, a certificate or a secret went away."""
    for reference, changes in {
        "store.keys[0].secret": {"gateway.yaml": GATEWAY.replace("../certs/store.key", "gone")},
        "oidc.client_secret": {"providers/metropole.yaml": METROPOLE.replace("../certs/metropole.secret", "gone")},
        "oidc.ca": {
            "providers/metropole.yaml": METROPOLE.replace("client_id: ecluse", "client_id: a\n  ca: {file: gone}")
        },
        "upstream.tls.pins[0]": {
            "apps/permis.yaml": PERMIS.replace(
                "http://127.0.0.1:9001", "https://u.example, tls: {pins: [{file: gone}]}"
            )
        },
        "upstream.ca": {
            "apps/permis.yaml": PERMIS.replace("http://127.0.0.1:9001", "https://u.example, ca: {file: gone}")
        },
    }.items():
        (found,) = problems(changes)
        assert f": {reference}: gone: this was not read" in found


def test_a_gateway_file_that_is_wrong_is_not_blamed_on_the_files_of_teams() -> None:
    """Whose fence an app stands in is not known then: what it names was looked up under another name, and is there."""
    team = (
        "teams:\n  urba: {hosts: [permis.localhost], providers: [metropole], upstreams: [127.0.0.1], secrets: [../s]}\n"
    )
    app = PERMIS.replace("X-Remote-User: {from: uid}", "X-Remote-User: {value: {file: ../s/a}}")
    assert app != PERMIS
    for gateway in (GATEWAY + team + "admin: 8081\n", ": : [", None):
        changes: dict[str, str | None] = {
            "gateway.yaml": gateway,
            "apps/permis.yaml": None,
            "apps/urba/permis.yaml": app,
        }
        found = problems(changes)
        assert found
        assert all(problem.startswith("policies/gateway.yaml") for problem in found), found


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOENT, " (a path starts from policies/)"),
        (errno.EISDIR, ""),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_look_at(number: int, hint: str) -> None:
    why = f"this file cannot be read: {os.strerror(number)}"
    files = replace(sample_files(), secrets={}, unreadable={"file:../certs/metropole.secret": why})
    with pytest.raises(ProblemsFound) as found:
        compile_files(files)
    (line,) = (line for line in str(found.value).splitlines() if "oidc.client_secret" in line)
    assert line.endswith(f"oidc.client_secret: ../certs/metropole.secret: {why}{hint}")


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"k" * 32, b"k" * 32),
        (b"k" * 48 + b"\n", b"k" * 48),
        (b"k" * 48 + b"\r\n\n", b"k" * 48),
        (b"\x00\xff" * 16, b"\x00\xff" * 16),
    ],
)
def test_a_store_key_is_taken_without_the_line_end_of_its_file(content: bytes, key: bytes) -> None:
    snapshot = sample_snapshot(secrets={"file:../certs/store.key": content})
    assert snapshot.gateway.store_keys == (("k1", key),)


def test_a_store_key_that_is_short_or_empty_is_refused() -> None:
    start = "policies/gateway.yaml:7:47: store.keys[0].secret: "
    assert problems({}, {"file:../certs/store.key": b"k" * 31 + b"\n"}) == [
        start + "a store key has at least 32 bytes, and this one has 31 (openssl rand -base64 48)"
    ]
    assert problems({}, {"file:../certs/store.key": b"\n"}) == [start + "../certs/store.key: this is empty"]


def test_a_client_secret_is_one_line_of_visible_ascii() -> None:
    start = "policies/providers/metropole.yaml:7:18: oidc.client_secret: "
    for content in (b"two\nlines", b"caf\xc3\xa9", b"a\0b"):
        assert problems({}, {"file:../certs/metropole.secret": content}) == [
            start + "a client secret is visible ASCII, on one line"
        ]
    snapshot = sample_snapshot(secrets={"file:../certs/metropole.secret": b"s3 cret:%\n"})
    assert snapshot.providers["metropole"].client_secret == "s3 cret:%"


def test_an_inline_secret_is_for_development_only() -> None:
    inline = METROPOLE.replace("{file: ../certs/metropole.secret}", "s3cret-of-the-provider")
    assert sample_snapshot({"providers/metropole.yaml": inline}).providers["metropole"].client_secret == (
        "s3cret-of-the-provider"
    )
    inline = inline.replace("http://127.0.0.1:9400", "https://op.example.org")
    gateway = PUBLIC.replace("workers: 2", "workers: 2\ntrusted_proxies: [10.0.0.0/8]")
    assert problems({"gateway.yaml": gateway, "providers/metropole.yaml": inline}) == [
        "policies/providers/metropole.yaml:7:18: oidc.client_secret: a secret is not written into this file ({file: path}, {env: NAME} or {credential: name})"
    ]


def test_a_secret_is_not_shown_where_it_is_refused() -> None:
    from gateway.config.compile.compiler import compile_files
    from gateway.config.problems import ProblemsFound
    from tests.config.samples import sample_files

    inline = HTTPS_PROVIDER.replace("{file: ../certs/metropole.secret}", "s3cret-of-the-provider")
    with pytest.raises(ProblemsFound) as found:
        compile_files(sample_files({"gateway.yaml": PUBLIC, "providers/metropole.yaml": inline}))
    assert "oidc.client_secret: a secret is not written into this file" in str(found.value)
    assert "s3cret" not in str(found.value)


def test_a_listener_is_given_its_certificate_and_key() -> None:
    certificate, key = issued()
    snapshot = sample_snapshot(
        {"gateway.yaml": TLS, "providers/metropole.yaml": HTTPS_PROVIDER},
        {"file:tls.crt": certificate, "file:tls.key": key},
    )
    (listener,) = snapshot.gateway.listeners
    (shown,) = listener.certificates
    assert (listener.address, shown.certificate, shown.key) == (
        ("0.0.0.0", 443), certificate.rstrip(b"\n"), key.rstrip(b"\n"),
    )  # fmt: skip


def test_a_key_of_another_certificate_is_refused_with_both_places() -> None:
    (certificate, _), (_, key) = issued(), issued()
    files = {"gateway.yaml": TLS, "providers/metropole.yaml": HTTPS_PROVIDER}
    (found,) = problems(files, {"file:tls.crt": certificate, "file:tls.key": key})
    assert found == "policies/gateway.yaml:4:69: listen[0].tls.key: this key does not belong to the certificate"


def test_what_is_no_certificate_and_what_is_no_key_is_refused() -> None:
    files = {"gateway.yaml": TLS, "providers/metropole.yaml": HTTPS_PROVIDER}
    certificate, key = issued()
    assert problems(files, {"file:tls.crt": key, "file:tls.key": certificate}) == [
        "policies/gateway.yaml:4:47: listen[0].tls.certificate: this is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)",
        "policies/gateway.yaml:4:69: listen[0].tls.key: this is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)",
    ]


def test_a_certificate_is_never_written_inline() -> None:
    changes = {"gateway.yaml": GATEWAY.replace("8080}", "8080, tls: {certificate: x, key: {file: tls.key}}}")}
    assert problems(changes, {"file:tls.key": issued()[1]}) == [
        "policies/gateway.yaml:4:50: listen[0].tls.certificate: this is not written here (write {file: path})"
    ]


def test_what_an_application_is_shown_is_a_pair_and_what_is_pinned_one_certificate() -> None:
    pem, (chain, key), other = AUTHORITY.cert_pem.bytes(), issued(), issued()[1]
    shown = "client_certificate: {certificate: {file: us.pem}, key: {file: us.key}}"
    for tls, secrets, said in (
        (f"{{{shown}}}", {"file:us.pem": chain, "file:us.key": key}, []),
        (f"{{{shown}}}", {"file:us.pem": chain, "file:us.key": other}, ["this key does not belong to the certificate"]),
        ("{pins: [{file: a.pem}]}", {"file:a.pem": pem}, []),
        ("{pins: [{file: a.pem}]}", {"file:a.pem": pem + pem}, ["this is more than one certificate"]),
        ("{pins: [{file: a.pem}]}", {"file:a.pem": key}, ["this is not a certificate in PEM form"]),
    ):
        text = PERMIS.replace("http://127.0.0.1:9001", f"https://u.example, tls: {tls}")
        found = problems({"apps/permis.yaml": text}, secrets)
        assert [one.partition(" (")[0].rpartition(": ")[2] for one in found] == said


def test_the_authorities_of_a_provider_and_of_an_application_are_their_own() -> None:
    pem = AUTHORITY.cert_pem.bytes()
    snapshot = sample_snapshot(
        {
            "providers/metropole.yaml": HTTPS_PROVIDER.replace(
                "client_id: ecluse", "client_id: a\n  ca: {file: a.pem}"
            ),
            "apps/permis.yaml": PERMIS.replace("http://127.0.0.1:9001", "https://u.example, ca: {file: b.pem}"),
        },
        {"file:a.pem": pem, "file:b.pem": pem + pem},
    )
    assert snapshot.providers["metropole"].ca == pem.rstrip(b"\n")
    assert snapshot.apps["permis"].upstream.ca == (pem + pem).rstrip(b"\n")
