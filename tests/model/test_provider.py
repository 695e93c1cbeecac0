from dataclasses import fields

from gateway.model.provider import AttributeSource, OidcProvider, Perimeter, SamlProvider


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
