"""An organisation has a name; all else may be missing."""

from gateway.model.organisations import ListedOrganisation


def test_only_its_name_is_needed() -> None:
    one = ListedOrganisation("Lille")
    assert (one.kind, one.siren, one.domains) == ("other", "", ())
