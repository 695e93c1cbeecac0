import pytest

from gateway.config.schema.saml_attributes import COMMON
from gateway.identity.address_names import is_mail, is_scoped, may_hold_an_address

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


@pytest.mark.parametrize("name", [*COMMON["mail"], "Email", "MAIL", "urn:mace:dir:attribute-def:mail", "courriel"])
def test_an_address_by_its_name(name: str) -> None:
    assert is_mail(name)
    assert may_hold_an_address(name)
    assert not is_scoped(name)


@pytest.mark.parametrize("name", [*COMMON["eppn"], *COMMON["scoped_affiliation"], *COMMON["subject_id"]])
def test_a_scoped_attribute_by_its_name(name: str) -> None:
    assert is_scoped(name)
    assert is_scoped(name.upper())
    assert may_hold_an_address(name)
    assert not is_mail(name)


@pytest.mark.parametrize("name", [*COMMON["upn"], "preferred_username", "NameID", f"{CLAIMS}/name"])
def test_what_is_an_address_at_one_provider_and_a_number_at_the_next(name: str) -> None:
    assert may_hold_an_address(name)
    assert not is_mail(name)
    assert not is_scoped(name)


@pytest.mark.parametrize("name", ["uid", "siret", "groups", "givenName", "email_verified", ""])
def test_what_is_none_by_its_name(name: str) -> None:
    assert not may_hold_an_address(name)
