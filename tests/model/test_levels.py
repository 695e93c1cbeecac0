import pytest

from gateway.model.levels import NO_NEED, Need, ProviderLevels, need_query


def test_a_provider_of_which_nothing_is_said_can_nothing() -> None:
    assert ProviderLevels() == ProviderLevels(frozenset(), None, {}, "acr_values")


@pytest.mark.parametrize(
    ("need", "lacking"),
    [
        (NO_NEED, False),
        (Need(), False),
        (Need(level="eidas2"), True),
        (Need(max_age=0), True),
        (Need(amr=("otp",)), True),
    ],
)
def test_whatever_is_lacking_is_told_from_no_need(need: Need, lacking: bool) -> None:
    assert (need != NO_NEED) is lacking


@pytest.mark.parametrize(
    ("need", "query"),
    [
        (NO_NEED, ""),
        (Need(level="eidas2"), "&level=eidas2"),
        (Need(max_age=0), "&max_age=0"),
        (Need("a&b", 900, ("otp", "hwk")), "&level=a%26b&max_age=900&amr=otp%20hwk"),
    ],
)
def test_a_need_goes_into_an_address(need: Need, query: str) -> None:
    assert need_query(need) == query
