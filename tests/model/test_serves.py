"""What a provider's file says of organisations, where it says nothing."""

from ipaddress import ip_network

from gateway.model.serves import SERVES_NOBODY_BY_NAME, ServesOrganisations


def test_a_provider_is_open_where_its_file_names_nobody() -> None:
    assert SERVES_NOBODY_BY_NAME.is_open
    for key in ("siren", "domains", "departements"):
        assert not ServesOrganisations(**{key: frozenset({"x"})}).is_open
    assert not ServesOrganisations(others=True).is_open


def test_where_people_are_says_nothing_of_organisations() -> None:
    assert ServesOrganisations(networks=(ip_network("192.0.2.0/24"),), hosts=frozenset({"a.example"})).is_open
