# ruff: noqa: E501 - a case is a line
"""How a provider file says that the gateway proves itself."""

import base64

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from joserfc.jwk import ECKey, RSAKey

from gateway.model.provider import ClientCertificate, ClientKey
from tests.config.samples import METROPOLE, problems, sample_snapshot

WHERE = "policies/providers/metropole.yaml:"
WITHOUT_SECRET = METROPOLE.replace("  client_secret: {file: ../certs/metropole.secret}\n", "")
RSA, EC = RSAKey.generate_key(2048).as_pem(private=True), ECKey.generate_key("P-256").as_pem(private=True)
LEAF = trustme.CA().issue_cert("ecluse.example")
CERTIFICATE, CERTIFICATE_KEY = LEAF.cert_chain_pems[0].bytes(), LEAF.private_key_pem.bytes()
SECRETS = {"file:rsa": RSA, "file:ec": EC, "file:crt": CERTIFICATE, "file:key": CERTIFICATE_KEY}


def file(lines: str, base: str = WITHOUT_SECRET) -> str:
    return base.replace("  client_id: ecluse\n", f"  client_id: ecluse\n{lines}")


def found(lines: str, base: str = WITHOUT_SECRET) -> list[str]:
    return problems({"providers/metropole.yaml": file(lines, base)}, SECRETS)


def test_keys_are_taken_in_their_order() -> None:
    text = file(
        "  client_authentication: private_key_jwt\n"
        "  client_keys:\n    - {key: {file: ec}, algorithm: ES256}\n    - {id: old, key: {file: rsa}}\n"
    )
    provider = sample_snapshot({"providers/metropole.yaml": text}, SECRETS).providers["metropole"]
    assert provider.client_authentication == "private_key_jwt"
    assert provider.client_keys == (ClientKey(None, "ES256", EC.rstrip()), ClientKey("old", "RS256", RSA.rstrip()))
    assert provider.assertion_audience == "issuer"


def test_a_key_that_a_provider_knows_by_its_certificate_says_which() -> None:
    """Entra ID and AD FS look neither for a kid nor at our published keys."""
    key = "{key: {file: key}, algorithm: ES256, certificate: {file: crt}}"
    text = file(f"  client_authentication: private_key_jwt\n  client_keys: [{key}]\n")
    (own,) = sample_snapshot({"providers/metropole.yaml": text}, SECRETS).providers["metropole"].client_keys
    digest = x509.load_pem_x509_certificate(CERTIFICATE).fingerprint(SHA1())
    assert own.x5t == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_a_certificate_is_taken() -> None:
    text = file(
        "  client_authentication: tls_client_auth\n  client_certificate: {certificate: {file: crt}, key: {file: key}}\n"
    )
    provider = sample_snapshot({"providers/metropole.yaml": text}, SECRETS).providers["metropole"]
    assert provider.client_certificate == ClientCertificate(CERTIFICATE.rstrip(), CERTIFICATE_KEY.rstrip())


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("  client_authentication: private_key_jwt\n", "5:3: oidc: private_key_jwt signs with a key (client_keys: [{key: {file: path}}])"),
        ("  client_authentication: tls_client_auth\n", "5:3: oidc: tls_client_auth shows a certificate (client_certificate: {certificate: ..., key: ...})"),
        ("  client_authentication: client_secret_jwt\n", "5:3: oidc: client_secret is missing (or write client_authentication: none for a public client)"),
        ("  client_keys: [{key: {file: ec}}]\n  client_authentication: none\n", "7:23: oidc.client_keys[0].key: RS256 needs an RSA key of 2048 to 8192 bits (for an EC key write algorithm: ES256)"),
        ("  client_keys: [{key: {file: rsa}, algorithm: ES256}]\n  client_authentication: none\n", "7:23: oidc.client_keys[0].key: ES256 needs an EC key on P-256"),
        ("  client_keys: [{key: {file: crt}}]\n  client_authentication: none\n", "7:23: oidc.client_keys[0].key: this is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)"),
        ("  client_keys: [{key: {file: rsa}, algorithm: HS256}]\n  client_authentication: none\n", "7:47: oidc.client_keys[0].algorithm: this must be one of RS256, PS256, ES256 (did you mean RS256?)"),
        ("  client_keys: [{key: {file: ec}, algorithm: ES256, certificate: {file: crt}}]\n  client_authentication: none\n", "7:23: oidc.client_keys[0].key: this key does not belong to the certificate"),
        ("  client_certificate: {certificate: {file: crt}, key: {file: rsa}}\n  client_authentication: none\n", "7:55: oidc.client_certificate.key: this key does not belong to the certificate"),
    ],
)  # fmt: skip
def test_what_cannot_prove_anything_is_a_problem(lines: str, problem: str) -> None:
    assert found(lines) == [WHERE + problem]


@pytest.mark.parametrize("method", ["none", "private_key_jwt", "tls_client_auth"])
def test_a_secret_that_is_never_sent_is_a_problem(method: str) -> None:
    lines = f"  client_authentication: {method}\n  client_keys: [{{key: {{file: rsa}}}}]\n"
    assert found(lines, METROPOLE) == [
        WHERE + f"5:3: oidc: a client_secret is never sent with client_authentication: {method} (leave one of them out)"
    ]


@pytest.mark.parametrize(
    "lines", ["client_authentication: client_secret_jwt", "algorithms: [HS256]", "userinfo_algorithms: [HS256]"]
)
def test_a_secret_that_signs_is_long(lines: str) -> None:
    """K169."""
    text = file(f"  {lines}\n", METROPOLE)
    short = {"file:../certs/metropole.secret": b"s" * 31 + b"\n"}
    assert problems({"providers/metropole.yaml": text}, short) == [
        WHERE + "8:18: oidc.client_secret: a client secret that signs has at least 32 characters, and this one has 31"
    ]
    assert problems({"providers/metropole.yaml": text}) == []


def test_an_rsa_key_of_1024_bits_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    weak = generate_private_key(65537, 1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    text = file("  client_keys: [{key: {file: rsa}}]\n  client_authentication: none\n")
    (problem,) = problems({"providers/metropole.yaml": text}, {**SECRETS, "file:rsa": weak})
    assert "2048 to 8192 bits" in problem


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("  request: {signed: true}\n", "oidc: a signed request is signed with a key (client_keys: [{key: {file: path}}])"),
        ("  request: {parameters: {state: x}}\n", "oidc.request.parameters.state: state is not written here (the gateway sets it, or has a key of that name)"),
        ("  request: {pass_on: [redirect_uri]}\n", "oidc.request.pass_on[0]: redirect_uri is not written here (the gateway sets it, or has a key of that name)"),
        ("  request: {claims: {}}\n", "oidc.request.claims: nothing is asked for here (id_token: {acr: {essential: true, values: [...]}})"),
        ("  request: {claims: {id_token: {acr: {value: a, values: [b]}}}}\n", "oidc.request.claims.id_token.acr: only one of value and values may be written (write all of them in values)"),
        ("  request: {prompt: [none]}\n", "oidc.request.prompt[0]: this must be one of login, consent, select_account"),
        ("  algorithms: [HS256]\n", "oidc: client_secret is missing: HS256 is made with it"),
        (
            "  refresh_userinfo: true\n",
            "oidc: refresh_userinfo needs refresh and userinfo (refresh: true, userinfo: true)",
        ),
        ("  userinfo: false\n  userinfo_algorithms: [RS256]\n", "oidc: userinfo is not asked for at all (userinfo: true)"),
        ("  encryption: {keys: [{key: {file: rsa}}], userinfo: true}\n", "oidc: userinfo that is encrypted is signed first (name its algorithms in userinfo_algorithms)"),
        ("  encryption: {keys: [{key: {file: rsa}}], id_token: false}\n", "oidc.encryption: nothing is encrypted (write id_token: true or userinfo: true, or leave encryption out)"),
        ("  encryption: {keys: [{key: {file: ec}}]}\n", "oidc.encryption.keys[0].key: RSA-OAEP-256 needs an RSA key of 2048 to 8192 bits (for an EC key write algorithm: ECDH-ES)"),
        ("  encryption: {keys: [{key: {file: rsa}, algorithm: ECDH-ES}]}\n", "oidc.encryption.keys[0].key: ECDH-ES needs an EC key on P-256"),
        ("  encryption: {keys: [{key: {file: rsa}, algorithm: RSA1_5}]}\n", "oidc.encryption.keys[0].algorithm: this must be one of RSA-OAEP-256, ECDH-ES"),
    ],
)  # fmt: skip
def test_what_could_never_be_checked_is_a_problem(lines: str, problem: str) -> None:
    (only,) = found(f"  client_authentication: none\n{lines}")
    assert only.partition(": ")[2] == problem
