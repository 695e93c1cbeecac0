import pytest

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.times import duration, instant, moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-15T08:00:00Z", 1_800_000_000),
        ("2027-01-15T08:00:00.5Z", 1_800_000_000),
        ("2027-01-15T08:00:00.999999999999Z", 1_800_000_000),
        ("1969-12-31T23:59:59Z", -1),
        ("2028-02-29T00:00:00Z", 1_835_395_200),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ],
)
def test_a_moment_is_read_to_the_second(text: str, seconds: int) -> None:
    assert moment(text, "it") == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2027-01-15",
        "2027-01-15T08:00:00",
        "2027-01-15T08:00Z",
        "2027-01-15 08:00:00Z",
        "2027-01-15T08:00:00+01:00",
        "2027-01-15T08:00:00+14:00",
        "2027-01-15T08:00:00z",
        "2027-01-15T08:00:00.Z",
        "2027-01-15T08:00:00.123456789012345678901Z",
        "2027-01-15T08:00:60Z",
        "2027-01-15T24:00:00Z",
        "2027-02-29T08:00:00Z",
        "2027-13-15T08:00:00Z",
        "0000-01-15T08:00:00Z",
        "-2027-01-15T08:00:00Z",
        "12027-01-15T08:00:00Z",
        " 2027-01-15T08:00:00Z",
        "2027-01-15T08:00:00Z\n",
        "٢٠٢٧-01-15T08:00:00Z",
        "1800000000",
    ],
)
def test_what_is_no_moment_in_utc_is_refused(text: str) -> None:
    with pytest.raises(GatewayError) as error:
        moment(text, "NotOnOrAfter")
    assert error.value.code is saml_codes.TIME
    assert error.value.detail == "NotOnOrAfter is not a time in UTC"


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
    assert refused.value.code == saml_codes.TIME


@pytest.mark.parametrize(
    ("now", "written"),
    [(0, "1970-01-01T00:00:00Z"), (1_800_000_000.9, "2027-01-15T08:00:00Z"), (951782400, "2000-02-29T00:00:00Z")],
)
def test_an_instant_is_in_utc_to_the_second(now: float, written: str) -> None:
    assert instant(now) == written
