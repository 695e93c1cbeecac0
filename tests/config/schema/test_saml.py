"""A provider file of SAML: every key changes what is served, and every mistake is told at its place."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.config.check.pem import public_key_der
from gateway.config.schema.json_schema import schemas
from gateway.config.schema.saml_attributes import COMMON
from gateway.config.yaml.reader import read_document
from gateway.identity.mapping import RESERVED_ATTRIBUTES
from gateway.model.provider import ClientCertificate, MetadataFile, MetadataUrl, SamlProvider
from tests.config.saml_samples import METADATA, SAML_GATEWAY, SECRETS, problems, saml_snapshot
from tests.config.samples import DEPARTEMENT, GATEWAY
from tests.saml.metadata_samples import entity
from tests.saml.parties import pair
from tools.reference import fenced_keys

OTHER_METADATA = entity(id="https://idp.departement.example/metadata").encode()
OTHER = {"env:OTHER": OTHER_METADATA, "file:../certs/federation.crt": SECRETS["file:../certs/saml.crt"]}
FEDERATION_KEY = public_key_der(SECRETS["file:../certs/saml.crt"])
KEYS = [{"file": "../certs/federation.crt"}]
OWN_LEVEL = {
    "can", "levels", "provider", "label", "attributes", "skew", "session", "asserts", "serves", "tenant", "tenants",
}  # fmt: skip
CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"


def written(changed: dict[str, object]) -> str:
    """DEPARTEMENT with some keys of `saml:`, or of the file's own level, written anew."""
    data: Any = read_document("x", DEPARTEMENT.encode())[0].data
    for key, value in changed.items():
        (data if key in OWN_LEVEL else data["saml"])[key] = value
    return json.dumps(data)


def read(**changed: object) -> SamlProvider:
    provider = saml_snapshot({"providers/departement.yaml": written(changed)}, OTHER).providers["departement"]
    assert isinstance(provider, SamlProvider)
    return provider


def test_a_provider_file_of_saml_becomes_a_provider() -> None:
    provider = read()
    assert provider.issuer == "https://idp.departement.example/metadata"
    assert provider.metadata == MetadataFile(METADATA)
    assert (provider.skew, provider.signed, provider.cbc, provider.unsolicited) == (180, "assertion", False, False)
    assert provider.attributes["uid"] == ("NameID", "uid")
    assert provider.attributes["siret"] == ("urn:example:siret",)
    assert "urn:oid:0.9.2342.19200300.100.1.3" in provider.attributes["mail"]
    assert provider.perimeter.siret == {"22590001800014"}
    assert provider.labels == {"fr": "Département", "en": "County"}


EFFECTS: list[tuple[str, object, Callable[[SamlProvider], object], object]] = [
    ("entity_id", "urn:autre", lambda p: p.issuer, "urn:autre"),
    ("metadata", {"env": "OTHER"}, lambda p: p.metadata, MetadataFile(OTHER_METADATA)),
    ("signed", "both", lambda p: p.signed, "both"),
    ("encrypted", True, lambda p: p.encrypted, True),
    ("aes_cbc_inside_a_signed_response", True, lambda p: (p.cbc, p.cbc_in_unsigned_response), (True, False)),
    ("request_binding", "post", lambda p: p.request_binding, "post"),
    ("response_binding", "artifact", lambda p: p.response_binding, "artifact"),
    ("name_id_format", EMAIL, lambda p: p.name_id_format, EMAIL),
    ("subject_without_name_id", "mail", lambda p: p.subject_without_name_id, "mail"),
    ("authn_context", [CLASS], lambda p: p.authn_context, (CLASS,)),
    ("force_authn", True, lambda p: p.force_authn, True),
    ("passive_first", True, lambda p: p.passive_first, True),
    ("unsolicited", True, lambda p: p.unsolicited, True),
    ("ids_begin_with_a_digit", True, lambda p: p.digit_ids, True),
    ("friendly_names", True, lambda p: p.friendly_names, True),
    ("common", ["eppn"], lambda p: p.attributes.get("eppn"), COMMON["eppn"]),
    ("ca", {"file": "../certs/federation.crt"}, lambda p: p.ca, SECRETS["file:../certs/saml.crt"]),
    (
        "client_certificate",
        {"certificate": {"file": "../certs/saml.crt"}, "key": {"file": "../certs/saml.key"}},
        lambda p: p.client_certificate,
        ClientCertificate(SECRETS["file:../certs/saml.crt"], SECRETS["file:../certs/saml.key"]),
    ),
    ("private_addresses", True, lambda p: p.private_addresses, True),
    ("provider", "departement", lambda p: p.name, "departement"),
    ("label", "Autre", lambda p: (p.label, p.labels), ("Autre", {})),
    ("attributes", {"siret": ["a", "b"], "uid": "uid"}, lambda p: p.attributes["siret"], ("a", "b")),
    ("skew", "1m", lambda p: p.skew, 60),
    ("session", {"idle": "1m", "absolute": "1h"}, lambda p: (p.session_idle, p.session_absolute), (60, 3600)),
    ("asserts", {"siret": []}, lambda p: p.perimeter.siret, frozenset()),
    ("tenant", "uid", lambda p: p.tenant_attribute, "uid"),
    ("tenants", "choose", lambda p: p.chooses_tenant, True),
    ("serves", {"others": True}, lambda p: p.serves.others, True),
    ("can", ["acr"], lambda p: p.levels.can, {"acr"}),
    ("levels", {"acr": {CLASS: "eidas1"}}, lambda p: p.levels.acr, {CLASS: "eidas1"}),
]


@pytest.mark.parametrize(("key", "value", "see", "after"), EFFECTS, ids=[effect[0] for effect in EFFECTS])
def test_each_key_does_what_it_says(
    key: str, value: object, see: Callable[[SamlProvider], object], after: object
) -> None:
    before = read()
    after_it = read(**({"asserts": {}, **({"can": ["acr"]} if key == "levels" else {})} | {key: value}))
    assert see(after_it) == after
    assert key == "provider" or see(before) != after


def test_the_keys_that_need_another_beside_them() -> None:
    both = read(aes_cbc_inside_a_signed_response=True, aes_cbc_although_the_response_is_not_signed=True)
    assert (both.cbc, both.cbc_in_unsigned_response) == (True, True)
    compared = read(authn_context=[CLASS], authn_context_comparison="minimum")
    assert compared.authn_context_comparison == "minimum"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"url": "https://idp.example/m", "keys": KEYS}, ("https://idp.example/m", "entity", True)),
        ({"aggregate": "https://fed.example/m", "keys": KEYS}, ("https://fed.example/m", "aggregate", True)),
        ({"mdq": "https://mdq.example", "keys": KEYS}, ("https://mdq.example", "mdq", True)),
        (
            {"mdq": "https://mdq.example", "mdq_identifier": "sha1", "keys": KEYS},
            ("https://mdq.example", "mdq_sha1", True),
        ),
        (
            {"url": "https://idp.example/m", "unsigned_metadata_believed_from_tls_alone": True},
            ("https://idp.example/m", "entity", False),
        ),
    ],
)
def test_metadata_are_fetched_from_one_place_and_believed_by_a_pinned_key(
    source: object, expected: tuple[str, str, bool]
) -> None:
    url, kind, pinned = expected
    assert read(metadata=source).metadata == MetadataUrl(url, kind, (FEDERATION_KEY,) if pinned else ())  # type: ignore[arg-type]


def test_no_key_is_without_its_effect() -> None:
    schema = json.loads(schemas()["saml-provider.schema.json"])
    known = {key.removeprefix("saml.").partition("[")[0].partition(".")[0] for key, _ in fenced_keys(schema)}
    seen = {effect[0] for effect in EFFECTS}
    assert known - {"version"} == seen | {"authn_context_comparison", "aes_cbc_although_the_response_is_not_signed"}


PLACE = "policies/providers/departement.yaml"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("saml:", "oidc: {}\nsaml:", ":4:1: oidc: a provider speaks one protocol, and this file has saml and oidc"),
        ("entity_id: https:", "entity_id: 'x y", ":5:14"),
        ("{file: ../certs/departement.xml}", "{url: https://idp.example/m}", ":6:13: saml.metadata: keys are missing"),
        ("{file: ../certs/departement.xml}", "{}", ":6:13: saml.metadata: metadata have one source"),
        (
            "{file: ../certs/departement.xml}",
            "{file: ../certs/absent.xml}",
            ":6:13: saml.metadata: ../certs/absent.xml",
        ),
        (
            "{file: ../certs/departement.xml}",
            "{aggregate: https://idp.example/m, unsigned_metadata_believed_from_tls_alone: true}",
            ":6:13: saml.metadata: unsigned_metadata_believed_from_tls_alone is for a url without keys",
        ),
        (
            "{file: ../certs/departement.xml}",
            "{url: https://idp.example/m, mdq_identifier: sha1, unsigned_metadata_believed_from_tls_alone: true}",
            ":6:13: saml.metadata: mdq_identifier is for mdq",
        ),
        ("common: [mail", "common: [maill", ":7:12: saml.common[0]: no such name in the table"),
        ("common: [mail, ", "common: [mail, siret, ", ":7:18: saml.common[1]: attributes maps this name already"),
        ("common:", "signd: both\n  common:", ":7:3: saml.signd: unknown key (did you mean signed?)"),
        (
            "common:",
            "aes_cbc_although_the_response_is_not_signed: true\n  common:",
            ":5:3: saml: this has no effect by itself",
        ),
        ("common:", "force_authn: true\n  passive_first: true\n  common:", ":5:3: saml: force_authn asks for a page"),
        ("common:", "authn_context_comparison: minimum\n  common:", ":5:3: saml: authn_context_comparison compares"),
        ("uid: [NameID, uid]", "subject: NameID", ":9:3: attributes.subject: subject is the gateway's own name"),
        ("uid: [NameID, uid]", "uid: []", ":9:8: attributes.uid: an attribute's name is a text"),
        (
            "common:",
            "subject_without_name_id: siren\n  common:",
            ":7:28: saml.subject_without_name_id: no attribute has this name (did you mean siret?)",
        ),
        ("tenant: siret", "tenant: siren", ":11:9: tenant: no attribute has this name (did you mean siret?)"),
    ],
)
def test_a_mistake_is_told_at_its_place(old: str, new: str, problem: str) -> None:
    (found,) = problems(DEPARTEMENT.replace(old, new, 1))
    assert found.startswith(PLACE + problem), found


@pytest.mark.parametrize(
    ("attributes", "format", "asserts"),
    [
        ({"courriel": "urn:oid:0.9.2342.19200300.100.1.3"}, None, {"email_domains": ["a.example"]}),
        ({"identifiant": "NameID"}, EMAIL, {"email_domains": ["a.example"]}),
        ({"identifiant": "NameID"}, None, {"email_domains": ["a.example"]}),
        ({"identifiant": "upn"}, None, {"email_domains": ["a.example"]}),
        ({"identifiant": "eduPersonPrincipalName"}, None, {"scopes": ["a.example"]}),
        ({"organisme": "SIRET"}, None, {"siret": []}),
        ({"organisme": "ENTREPRISE.SIREN"}, None, {"siret": []}),
    ],
)
def test_a_bound_is_known_by_whatever_it_bounds(
    attributes: dict[str, str], format: str | None, asserts: dict[str, list[str]]
) -> None:
    changed: dict[str, object] = {"attributes": attributes, "common": [], "asserts": asserts, "tenant": None}
    data: Any = json.loads(written(changed | ({} if format is None else {"name_id_format": format})))
    del data["tenant"]
    assert problems(json.dumps(data)) == []
    # Whether or not it is asked for as an address, a NameID may be one, and is bounded as such.
    data["attributes"] = {"identifiant": "matricule"}
    data["saml"].pop("name_id_format", None)
    (found,) = problems(json.dumps(data))
    assert "this bounds nothing" in found


def test_a_provider_needs_keys_of_ours() -> None:
    (found,) = problems(DEPARTEMENT, GATEWAY)
    assert found.startswith(f"{PLACE}:4:1: saml: gateway.yaml has no saml: keys"), found


def test_metadata_are_fetched_by_https() -> None:
    gateway = SAML_GATEWAY.replace("http://portail.localhost:8080", "https://portail.example").replace(
        "development: true", "trusted_proxies: [10.0.0.0/8]"
    )
    fetched = DEPARTEMENT.replace("{file: ../certs/departement.xml}", "{mdq: 'http://a.example', keys: [{env: K}]}")
    found = problems(fetched, gateway, {"env:K": SECRETS["file:../certs/saml.crt"]})
    assert any(f"{PLACE}:6:19: saml.metadata.mdq: metadata are fetched by https" in each for each in found), found


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (b"no key", "this is not a private key"),
        (SECRETS["file:../certs/saml.crt"], "this is not a private key"),
    ],
)
def test_a_key_of_ours_has_to_be_one(key: bytes, problem: str) -> None:
    (found,) = problems(DEPARTEMENT, secrets={"file:../certs/saml.key": key})
    assert f"saml.keys[0].key: {problem}" in found


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (pair(kind="rsa-1024").certificate, "this key is not for SAML (RSA of 2048 to 8192 bits, or EC"),
        (
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "this is neither a certificate nor a public key",
        ),
    ],
)
def test_a_key_that_could_have_signed_no_metadata_is_told_at_once(key: bytes, problem: str) -> None:
    fetched = DEPARTEMENT.replace("{file: ../certs/departement.xml}", "{mdq: 'https://a.example', keys: [{env: K}]}")
    (found,) = problems(fetched, secrets={"env:K": key})
    assert f"saml.metadata.keys[0]: {problem}" in found


def test_a_key_and_a_certificate_of_ours_belong_together() -> None:
    from tests.config.test_effects import PEM

    (found,) = problems(DEPARTEMENT, secrets={"file:../certs/saml.key": PEM["file:other.key"]})
    assert "saml.keys[0].key: this key does not belong to the certificate" in found


def test_a_key_that_is_shown_in_tls_belongs_to_its_certificate() -> None:
    from tests.config.test_effects import PEM

    shown = "client_certificate: {certificate: {file: ../certs/saml.crt}, key: {env: K}}\n  common:"
    (found,) = problems(DEPARTEMENT.replace("common:", shown, 1), secrets={"env:K": PEM["file:other.key"]})
    assert "saml.client_certificate.key: this key does not belong to the certificate" in found
    (found,) = problems(DEPARTEMENT.replace("common:", shown, 1), secrets={"env:K": b"no key"})
    assert "saml.client_certificate.key: this is not a private key" in found


def test_the_common_names_are_ours_to_give() -> None:
    assert not RESERVED_ATTRIBUTES & set(COMMON)
    for name, names in COMMON.items():
        assert len(set(names)) == len(names) > 0, name


def test_no_name_means_two_things() -> None:
    every = [name for names in COMMON.values() for name in names]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("nonne", "this must be a list of names, or none (write [nonne])"),
        ("3", "this must be a list of names, or none"),
        ("['']", "an attribute's name is a text of 1 to 500 characters"),
    ],
)
def test_what_our_metadata_ask_for_is_told_by_its_own_key(written: str, said: str) -> None:
    """Of two forms that a value may have, neither is named by the type that reads it."""
    (found,) = problems(DEPARTEMENT, SAML_GATEWAY.replace("saml: {", f"saml: {{requested: {written}, "))
    assert f"saml.requested: {said}" in found
