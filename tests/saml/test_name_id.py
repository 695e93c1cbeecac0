from gateway.saml.name_id import NameId


def test_an_empty_qualifier_is_another_name_than_none() -> None:
    assert NameId("h.durand", name_qualifier="") != NameId("h.durand")
