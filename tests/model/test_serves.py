"""What a provider's file says of organisations, where it says nothing."""

from gateway.model.serves import SERVES_NOBODY_BY_NAME, ServesOrganisations


def test_a_provider_is_open_where_its_file_names_nobody() -> None:
    assert SERVES_NOBODY_BY_NAME.is_open
    for key in ("siren", "domains", "departements"):
        assert not ServesOrganisations(**{key: frozenset({"x"})}).is_open
    assert not ServesOrganisations(others=True).is_open
