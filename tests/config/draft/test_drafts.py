"""Proposals from documents, and the files that come of them."""

from dataclasses import replace

import pytest

from gateway.config.draft.openid import OpenidProposal, propose_openid
from gateway.config.draft.provider import AssertedBounds, Chosen, ClientOf, MetadataOf, openid_text, saml_text
from gateway.config.draft.saml import propose_saml
from gateway.config.yaml.layout import lay_out
from gateway.config.yaml.reader import read_document
from gateway.oidc.announcement import Announcement
from gateway.saml.metadata_offer import read_offer
from tests.oidc.samples import METADATA
from tests.saml.metadata_samples import AD_FS, SHIBBOLETH

SILENT = Announcement((), (), (), (), (), back_channel=False, front_channel=False)
TALKATIVE = replace(
    SILENT,
    claims=("sub", "email", "preferred_username", "groups", "siret", "phone_number", "acr"),
    scopes=("openid", "email", "profile", "groups"),
    client_authentication=("client_secret_post", "private_key_jwt"),
    algorithms=("ES256", "HS256", "none"),
)
PROCONNECT = replace(METADATA, issuer="https://auth.agentconnect.gouv.fr/api/v2")
BOUNDS = AssertedBounds(("21590350100017",), ("ville.example",))


def data(text: bytes) -> dict[str, object]:
    document, problems = read_document("x.yaml", text)
    assert not problems
    assert lay_out("x.yaml", text) == text
    assert isinstance(document.data, dict)
    return document.data


def proposal(announced: Announcement = SILENT) -> OpenidProposal:
    return propose_openid(METADATA, announced)


def test_a_provider_that_says_nothing_gets_the_usual_settings() -> None:
    found = proposal()
    assert (found.authentication, found.signed_with) == ("client_secret_basic", ("RS256",))
    assert data(openid_text(found, Chosen("ville", BOUNDS), ClientOf("ecluse", "../certs/ville.secret"))) == {
        "version": 1,
        "provider": "ville",
        "oidc": {
            "issuer": METADATA.issuer,
            "client_id": "ecluse",
            "client_secret": {"file": "../certs/ville.secret"},
        },
        "attributes": {
            "uid": "preferred_username",
            "mail": "email",
            "given_name": "given_name",
            "family_name": "family_name",
        },
        "asserts": {"siret": ["21590350100017"], "email_domains": ["ville.example"]},
    }


def test_what_it_announces_is_proposed() -> None:
    found = propose_openid(replace(METADATA, userinfo_endpoint=None), TALKATIVE)
    chosen = Chosen(
        "ville", AssertedBounds(scopes=("ville.example",)), {"fr": "Ville", "en": "Town: A"}, "../certs/ca.pem", True
    )
    text = openid_text(found, chosen, ClientOf("a b#c", keyring="../certs/k"))
    assert b"# Also announced: phone_number\n" in text
    assert data(text) == {
        "version": 1,
        "provider": "ville",
        "label": {"fr": "Ville", "en": "Town: A"},
        "oidc": {
            "issuer": METADATA.issuer,
            "client_id": "a b#c",
            "client_authentication": "client_secret_post",
            "client_keyring": {"file": "../certs/k"},
            "scopes": ["openid", "profile", "email", "groups"],
            "algorithms": ["ES256"],
            "userinfo": False,
            "ca": {"file": "../certs/ca.pem"},
            "private_addresses": True,
        },
        "attributes": {"uid": "preferred_username", "mail": "email", "groups": "groups", "siret": "siret"},
        "tenant": "siret",
        "asserts": {"scopes": ["ville.example"]},
    }


def test_a_preset_says_all_that_it_knows() -> None:
    found = propose_openid(PROCONNECT, SILENT)
    text = openid_text(found, Chosen("agents", AssertedBounds()), ClientOf("id", "../certs/agents.secret"))
    assert data(text) == {
        "version": 1,
        "provider": "agents",
        "preset": "proconnect",
        "oidc": {"client_id": "id", "client_secret": {"file": "../certs/agents.secret"}},
    }
    assert text.endswith(b"\n\n# No perimeter: this provider may assert anything about anybody.\n")


def test_a_preset_of_the_operator_counts_and_what_the_provider_denies_does_not() -> None:
    found = propose_openid(METADATA, replace(SILENT, client_authentication=("client_secret_basic",)), "lemonldap")
    assert (found.preset, found.authentication, found.has_issuer) == ("lemonldap", "client_secret_basic", False)
    text = openid_text(found, Chosen("ville", BOUNDS), ClientOf("id", "../s"))
    assert data(text)["oidc"] == {
        "issuer": METADATA.issuer,
        "client_id": "id",
        "client_secret": {"file": "../s"},
        "client_authentication": "client_secret_basic",
    }


def test_the_issuer_of_a_preset_is_never_taken_for_another() -> None:
    text = openid_text(propose_openid(METADATA, SILENT, "proconnect"), Chosen("ville", BOUNDS), ClientOf("id", "../s"))
    oidc = data(text)["oidc"]
    assert isinstance(oidc, dict)
    assert oidc["issuer"] == METADATA.issuer


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ((), ("RS256",)),
        (("PS256", "RS256"), ("RS256",)),
        (("HS256",), ("HS256",)),
        (("HS256", "PS256", "EdDSA"), ("PS256", "EdDSA")),
        (("HS512", "none"), ("RS256",)),
    ],
)
def test_the_signature_is_one_that_both_have(offered: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    assert proposal(replace(SILENT, algorithms=offered)).signed_with == chosen


def test_what_may_hinder_a_sign_in_is_told() -> None:
    found = proposal(replace(SILENT, algorithms=("HS512",), challenges=("plain",)))
    assert [doubt.partition(" (")[0] for doubt in found.doubts] == [
        "it announces no signature that the gateway accepts",
        "it does not announce PKCE with S256, which the gateway always uses",
    ]
    assert not proposal(replace(TALKATIVE, challenges=("plain", "S256"))).doubts


def test_a_saml_provider_by_a_key_and_by_a_copy() -> None:
    found = propose_saml(read_offer(SHIBBOLETH.encode()))
    assert (found.product, found.labels) == (None, {"fr": "Métropole du Nord", "en": "North Metropolis"})
    assert found.scopes == ("metropole.example",)
    chosen = Chosen("univ", AssertedBounds(email_domains=("metropole.example",)), found.labels)
    by_key = data(saml_text(found, chosen, MetadataOf(url="https://idp.example/m?a=1", key="../certs/univ.pem")))
    assert by_key["saml"] == {
        "entity_id": found.entity_id,
        "metadata": {"url": "https://idp.example/m?a=1", "keys": [{"file": "../certs/univ.pem"}]},
        "common": ["uid", "mail", "given_name", "family_name", "groups"],
    }
    assert by_key["asserts"] == {"email_domains": ["metropole.example"]}
    copied = data(saml_text(found, chosen, MetadataOf(file="../certs/univ.xml")))["saml"]
    assert isinstance(copied, dict)
    assert copied["metadata"] == {"file": "../certs/univ.xml"}
    by_tls = data(saml_text(found, chosen, MetadataOf(url="https://idp.example/m")))["saml"]
    assert isinstance(by_tls, dict)
    assert by_tls["metadata"]["unsigned_metadata_believed_from_tls_alone"] is True


def test_ad_fs_gets_what_it_offers_and_what_it_needs() -> None:
    found = propose_saml(read_offer(AD_FS.encode()))
    assert found.product is not None
    text = saml_text(found, Chosen("departement", BOUNDS), MetadataOf(file="../certs/d.xml"))
    assert found.product.label == "AD FS"
    assert data(text)["attributes"] == {"upn": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"}
    assert b"  # AD FS sends a NameID only by a claim rule" in text
    assert found.common == ("mail",)
