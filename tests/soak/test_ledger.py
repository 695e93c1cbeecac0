"""What the soak takes for wrong."""

from time import monotonic

from tests.soak.ledger import Held, Ledger


def test_what_does_not_hold_is_wrong_and_shown() -> None:
    ledger = Ledger()
    ledger.judge("page", True, "x")
    ledger.judge("page", False, "another person's")
    assert (ledger.done["page"], ledger.wrongs, ledger.wrong) == (1, 1, ["page: another person's"])


def test_a_refusal_is_right_only_where_the_application_was_away_meanwhile() -> None:
    ledger, before = Ledger(), monotonic()
    assert not ledger.may_fail(before)
    with ledger.away():
        assert ledger.may_fail(monotonic())
    assert ledger.may_fail(before), "asked before it died"
    assert ledger.may_fail(monotonic()), "asked as it came back"
    assert not ledger.may_fail(monotonic() + 2)


def test_growth_leaves_the_first_quarter_out() -> None:
    ledger = Ledger()
    ledger.held = [[Held(50.0 + (30 if look else 0), 9), Held(80.0 + look, 9)] for look in range(16)]
    assert ledger.growth() == [0.0, 8.0]
