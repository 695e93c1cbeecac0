import pytest

from gateway.saml.instants import instant


@pytest.mark.parametrize(
    ("now", "written"),
    [(0, "1970-01-01T00:00:00Z"), (1_800_000_000.9, "2027-01-15T08:00:00Z"), (951782400, "2000-02-29T00:00:00Z")],
)
def test_an_instant_is_in_utc_to_the_second(now: float, written: str) -> None:
    assert instant(now) == written
