from dataclasses import fields
from ipaddress import ip_network

from gateway.model.provider import (
    SERVES_NOBODY_BY_NAME,
    AttributeSource,
    OidcProvider,
    Perimeter,
    SamlProvider,
    ServesOrganisations,
)


def test_a_perimeter_that_says_nothing_is_told_from_one_that_lists_nothing() -> None:
    assert Perimeter().siret is None
    assert Perimeter(siret=frozenset()) != Perimeter()


def test_what_a_provider_file_must_decide_has_no_default() -> None:
    """Only the safe case may be left unsaid."""
    optional = {
        field.name: field.default for field in fields(OidcProvider) if field.default is not field.default_factory
    }
    assert {"issuer", "algorithms", "client_authentication", "perimeter", "tenant_attribute"}.isdisjoint(optional)
    assert optional["development"] is False


def test_no_leniency_of_a_saml_provider_is_on_unless_its_file_says_so() -> None:
    defaults = {field.name: field.default for field in fields(SamlProvider)}
    assert not any(defaults[name] for name in ("cbc", "cbc_in_unsigned_response", "unsolicited", "private_addresses"))
    assert {"issuer", "metadata", "signed", "perimeter"}.isdisjoint(
        field.name for field in fields(SamlProvider) if field.default is not field.default_factory
    )


def test_a_claim_s_path_is_a_value() -> None:
    assert AttributeSource(("address", "country")) == AttributeSource(("address", "country"))


def test_a_provider_is_open_where_its_file_names_nobody() -> None:
    assert SERVES_NOBODY_BY_NAME.is_open
    for key in ("siren", "domains", "departements"):
        assert not ServesOrganisations(**{key: frozenset({"x"})}).is_open
    assert not ServesOrganisations(others=True).is_open


def test_where_people_are_says_nothing_of_organisations() -> None:
    assert ServesOrganisations(networks=(ip_network("192.0.2.0/24"),), hosts=frozenset({"a.example"})).is_open
