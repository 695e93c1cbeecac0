from dataclasses import replace

import pytest

from gateway.federation.metadata_source import logo_source, source_of, sources_of
from gateway.model.provider import MetadataFile, MetadataUrl, SamlProvider
from gateway.saml.parties import IdpMetadata
from tests.saml.parties import IDP, PROVIDER, pair, spki

KEY = spki(pair("federation"))
ENTITY = replace(PROVIDER, metadata=MetadataUrl("https://idp.metropole.example/metadata", "entity", (KEY,)))
AGGREGATE = replace(PROVIDER, metadata=MetadataUrl("https://federation.example/all.xml", "aggregate", (KEY,)))


def id_of(provider: SamlProvider) -> str:
    source = source_of(provider)
    assert source is not None
    return source.id


def test_a_file_is_fetched_from_nowhere() -> None:
    assert source_of(replace(PROVIDER, metadata=MetadataFile(b"<x/>"))) is None


def test_what_goes_to_a_helper_comes_back_as_it_was() -> None:
    source = source_of(replace(ENTITY, ca=b"PEM"))
    assert source is not None
    assert (source.key_bytes, source.ca_bytes) == ((KEY,), b"PEM")
    without = source_of(ENTITY)
    assert without is not None
    assert without.ca_bytes is None


@pytest.mark.parametrize(
    "other",
    [
        replace(ENTITY, metadata=MetadataUrl("https://other.example/metadata", "entity", (KEY,))),
        replace(ENTITY, metadata=MetadataUrl("https://idp.metropole.example/metadata", "mdq", (KEY,))),
        replace(ENTITY, metadata=MetadataUrl("https://idp.metropole.example/metadata", "entity", (spki(pair()),))),
        replace(ENTITY, metadata=MetadataUrl("https://idp.metropole.example/metadata", "entity", ())),
        replace(ENTITY, issuer="https://other.example"),
        replace(ENTITY, ca=b"PEM"),
        replace(ENTITY, private_addresses=True),
        replace(ENTITY, development=True),
    ],
)
def test_a_copy_is_found_only_by_who_would_believe_it(other: SamlProvider) -> None:
    assert id_of(other) != id_of(ENTITY)


def test_a_provider_of_another_name_or_policy_finds_the_same_copy() -> None:
    assert id_of(replace(ENTITY, name="other", signed="response", skew=1)) == id_of(ENTITY)


def test_the_providers_of_a_federation_share_its_document() -> None:
    other = replace(AGGREGATE, name="other", issuer="https://other.example")
    users = sources_of([AGGREGATE, ENTITY, other, replace(PROVIDER, metadata=MetadataFile(b""))])
    assert sorted(users.values()) == [("metropole",), ("metropole", "other")]


def test_what_is_asked() -> None:
    source = source_of(ENTITY)
    assert source is not None
    assert source.call().url == "https://idp.metropole.example/metadata"
    for base in ("https://mdq.example/fer", "https://mdq.example/fer/"):
        query = source_of(replace(PROVIDER, metadata=MetadataUrl(base, "mdq", (KEY,))))
        assert query is not None
        assert query.call().url == "https://mdq.example/fer/entities/https%3A%2F%2Fidp.metropole.example%2Fmetadata"
        assert query.entity_id == IDP


def test_a_service_of_files_is_asked_by_the_hash_of_the_name() -> None:
    """SAML Profile for the Metadata Query Protocol 2.2, with the example that it gives."""
    named = replace(
        PROVIDER, issuer="http://example.org/service", metadata=MetadataUrl("https://mdq.example", "mdq_sha1", (KEY,))
    )
    query = source_of(named)
    assert query is not None
    path = "%7Bsha1%7D11d72e8cf351eb6c75c721e838f469677ab41bdb"
    assert query.call().url == f"https://mdq.example/entities/{path}"
    assert query.entity_id == "http://example.org/service"
    assert query.id != id_of(replace(named, metadata=MetadataUrl("https://mdq.example", "mdq", (KEY,))))


@pytest.mark.parametrize("at", [ENTITY, AGGREGATE])
def test_a_logo_may_be_at_a_private_address_only_where_its_metadata_are_had_from(at: SamlProvider) -> None:
    """SS01: whoever writes metadata names any server of the private network in them."""
    provider = replace(at, private_addresses=True)
    assert isinstance(provider.metadata, MetadataUrl)
    host = provider.metadata.url.split("/")[2]

    def allowed(address: str, provider: SamlProvider = provider) -> bool:
        source = logo_source(provider, IdpMetadata(entity_id=IDP, signing_keys=(), sign_on=(), logo=address))
        assert source is not None
        return source.private_addresses

    assert allowed(f"https://{host}/logo.png")
    assert allowed(f"https://{host.upper()}/logo.png")
    elsewhere = (
        "intranet.example",
        "10.0.0.1",
        *(f"{host}{more}" for more in (":8443", ":0", ":443x", ".", ".example", "@10.0.0.1", "\\@10.0.0.1")),
        *(f"{more}{host}" for more in ("www.", "10.0.0.1#", "10.0.0.1\\@", "10.0.0.1?", "user@", "\t", "[::1")),
        "",
    )
    assert [other for other in elsewhere if allowed(f"https://{other}/logo.png")] == []
    assert not allowed(f"http://{host}:443/logo.png")
    assert not allowed(f"https://{host}/logo.png", at), "the file does not say so"
    assert not allowed(f"https://{host}/logo.png", replace(provider, metadata=MetadataFile(b"<x/>")))
    assert allowed("https://10.0.0.1/logo.png", replace(at, development=True))
