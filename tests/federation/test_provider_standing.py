"""What looks and people make of one provider, second by second, and when the next look is due."""

import pytest

from gateway.federation.provider_standing import (
    CONFIRMED_AFTER,
    SENT_LATELY,
    SENT_PAUSE,
    SEVERAL,
    SHORT_PAUSE,
    USUAL_PAUSE,
    WANTED_LATELY,
    ProviderStanding,
)

NEW = ProviderStanding("https://idp.example/sso")
NEVER = float("inf")


def after(*looks: bool, standing: ProviderStanding = NEW, at: float = 0.0) -> ProviderStanding:
    for answered in looks:
        standing = standing.looked(answered, at)
    return standing


def test_nothing_is_known_and_no_look_is_due_before_anybody_is_sent() -> None:
    assert (NEW.verdict, NEW.due_at) == ("unknown", NEVER)
    assert NEW.sent(1, 100.0).due_at < 0, "at once"


def test_one_look_that_fails_is_confirmed_by_a_second_one() -> None:
    standing = after(True, False, at=5.0)
    assert (standing.verdict, standing.due_at) == ("up", 5.0 + CONFIRMED_AFTER)
    assert after(False, standing=standing).verdict == "away"
    assert after(True, False, True, False).verdict == "up", "two in a row"


def test_one_look_that_is_answered_is_confirmed_before_it_is_up_again() -> None:
    away = after(True, False, False, at=5.0)
    assert away.due_at == 5.0 + USUAL_PAUSE
    once = after(True, standing=away, at=15.0)
    assert (once.verdict, once.due_at) == ("away", 15.0 + CONFIRMED_AFTER)
    assert after(True, standing=once).verdict == "up"
    assert after(False, standing=once).verdict == "away"
    assert after(False, True, standing=once).verdict == "away", "two in a row"


def test_a_provider_that_no_look_has_ever_reached_is_unknown() -> None:
    standing = after(*[False] * 20, standing=NEW.sent(1, 0.0))
    assert standing.verdict == "unknown"
    assert after(True, False, False, standing=standing).verdict == "away", "it was reached since"


def test_looks_follow_while_a_person_who_was_sent_has_not_come_back() -> None:
    standing = after(True, standing=NEW.sent(1, 0.0))
    assert standing.due_at == USUAL_PAUSE
    assert standing.came_back(0.0).due_at == NEVER
    assert standing.sent(1, 1.0).due_at == SENT_PAUSE, "whoever is sent next may be the first to meet silence"
    several = after(True, standing=NEW.sent(SEVERAL, 0.0))
    assert several.due_at == SHORT_PAUSE, "sooner where people do not come back"
    assert several.came_back(0.0).sent(1, 0.0).due_at == USUAL_PAUSE
    assert after(True, standing=several, at=SENT_LATELY).due_at == NEVER, "nobody was sent of late"


def test_a_person_who_comes_back_outweighs_a_look_that_failed() -> None:
    standing = after(True, False).came_back(0.0)
    assert after(False, standing=standing).verdict == "up", "the count begins anew"


def test_who_comes_back_from_a_provider_that_is_away_shows_that_looks_do_not_reach_it() -> None:
    standing = after(True, False, False, at=5.0).came_back(5.0)
    assert (standing.verdict, standing.due_at) == ("unknown", 5.0 + CONFIRMED_AFTER)
    misled = after(*[False] * 5, standing=standing.sent(1, 6.0))
    assert misled.verdict == "unknown", "browsers reach what the gateway cannot"
    assert after(True, False, False, standing=misled).verdict == "away"


@pytest.mark.parametrize("more", [(), (False,), (False, True)], ids=["one failed", "away", "away, and one answered"])
def test_an_answer_to_a_request_before_looks_failed_says_nothing(more: tuple[bool, ...]) -> None:
    """A browser may have held it since."""
    standing = after(*more, standing=after(True, False, at=5.0), at=9.0)
    assert standing.came_back(4.9) == standing
    assert standing.came_back(5.0).failures == 0
    again = after(True, True, standing=standing).sent(1, 10.0)
    assert (again.came_back(4.9).verdict, again.came_back(4.9).missing) == ("up", 0), "it answers again"


def test_a_provider_that_is_away_is_looked_at_while_anybody_wants_it() -> None:
    away = after(True, False, False, standing=NEW.sent(1, 0.0))
    assert away.rested(WANTED_LATELY - 1).verdict == "away"
    assert away.wanted(100.0).rested(WANTED_LATELY + 99).verdict == "away"
    rested = away.rested(WANTED_LATELY)
    assert (rested.verdict, rested.due_at) == ("unknown", NEVER)
    assert after(False, standing=rested.sent(1, 9999.0), at=9999.0).due_at == 9999.0 + CONFIRMED_AFTER
    assert after(False, False, standing=rested.sent(1, 9999.0)).verdict == "away", "as soon as the first time"


@pytest.mark.parametrize("verdict", ["up", "unknown"])
def test_rest_ends_no_other_verdict(verdict: str) -> None:
    standing = after(*([True] if verdict == "up" else [False]))
    assert standing.rested(1e9) == standing
