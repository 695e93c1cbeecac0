import pytest

from gateway.model.codes import SAML_TIME
from gateway.model.errors import GatewayError
from gateway.saml.durations import duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT1H", 3600),
        ("PT3600S", 3600),
        ("P1D", 86400),
        ("P0Y0M0DT6H0M0.000S", 21600),
        ("P1Y2M3DT4H5M6S", 365 * 86400 + 56 * 86400 + 3 * 86400 + 4 * 3600 + 5 * 60 + 6),
        ("PT0S", 0),
    ],
)
def test_a_duration_in_seconds(text: str, seconds: int) -> None:
    assert duration(text, "cacheDuration") == seconds


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "1H", "PT1", "-PT1H", "PT1H ", "P1H", "PT1.5H", "PT٣H", "P1D1Y"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(GatewayError) as refused:
        duration(text, "cacheDuration")
    assert refused.value.code == SAML_TIME
