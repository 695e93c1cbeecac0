import pytest

from gateway.model.codes import SAML_TIME
from gateway.model.errors import GatewayError
from gateway.saml.times import moment


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
    assert error.value.code is SAML_TIME
    assert error.value.detail == "NotOnOrAfter is not a time in UTC"
