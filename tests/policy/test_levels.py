from dataclasses import replace

import pytest

from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, Need, ProviderLevels, StepUpRequest
from gateway.policy.conditions import evaluate
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.levels import USUAL_LADDER, AcrMin, Amr, Ladder, MaxAge
from gateway.policy.truth import Truth
from tests.policy.short import person

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
ALL = frozenset({"fresh_login", "acr", "amr"})
MFA = "https://refeds.org/profile/mfa"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
NOW = 1_800_000_000

LADDER = Ladder(
    USUAL_LADDER,
    {
        "metropole": ProviderLevels(ALL),
        "lycee": ProviderLevels(ALL, {PASSWORD: "eidas1", MFA: "eidas1-mfa"}, {"hwk": "eidas2"}),
        "silent": ProviderLevels(frozenset({"fresh_login"})),
    },
)


def signed_in(provider: str = "metropole", acr: str | None = None, *amr: str, at: int = NOW) -> Identity:
    return replace(person(), provider=provider, acr=acr, amr=amr, authenticated_at=at)


def at(seconds: float) -> Facts:
    return Facts("GET", None, RequestFacts(None, (), "/", "", NOW + seconds))


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (None, UNKNOWN),
        (signed_in(acr="eidas1"), FALSE),
        (signed_in(acr="eidas1-mfa"), TRUE),
        (signed_in(acr="eidas3"), TRUE),
        (signed_in(acr=None), UNKNOWN),
        (signed_in(acr="EIDAS3"), UNKNOWN),
        (signed_in(acr="urn:something:else"), UNKNOWN),
        # Another provider's words, mapped by its own file and no other.
        (signed_in("lycee", PASSWORD), FALSE),
        (signed_in("lycee", MFA), TRUE),
        (signed_in("metropole", MFA), UNKNOWN),
        (signed_in("lycee", "eidas3"), UNKNOWN),
        # A method may tell a level by itself, and the strongest of both counts.
        (signed_in("lycee", None, "pwd", "hwk"), TRUE),
        (signed_in("lycee", PASSWORD, "hwk"), TRUE),
        (signed_in("lycee", None, "pwd"), UNKNOWN),
        # Of a provider that is not believed in this, or that nobody knows.
        (signed_in("silent", "eidas3", "hwk"), UNKNOWN),
        (signed_in("nobody", "eidas3"), UNKNOWN),
    ],
)
def test_at_least_this_level(identity: Identity | None, expected: Truth) -> None:
    assert evaluate(AcrMin("eidas1-mfa", LADDER), identity) is expected


def test_the_level_of_a_sign_in_by_its_name() -> None:
    assert LADDER.level_of(signed_in(acr="eidas2")) == "eidas2"
    assert LADDER.level_of(signed_in(acr="of the provider's own")) == ""
    assert LADDER.level_of(signed_in("silent")) == ""


@pytest.mark.parametrize("least", USUAL_LADDER)
def test_the_ladder_is_in_one_order(least: str) -> None:
    let_in = [name for name in USUAL_LADDER if evaluate(AcrMin(least, LADDER), signed_in(acr=name)) is TRUE]
    assert let_in == list(USUAL_LADDER[USUAL_LADDER.index(least) :])


def test_an_operators_own_ladder_takes_its_place_whole() -> None:
    own = Ladder(("faible", "fort"), {"metropole": ProviderLevels(ALL)})
    assert evaluate(AcrMin("fort", own), signed_in(acr="faible")) is FALSE
    assert evaluate(AcrMin("fort", own), signed_in(acr="eidas3")) is UNKNOWN
    with pytest.raises(GatewayError, match="there are faible, fort"):
        AcrMin("eidas3", own)


@pytest.mark.parametrize("names", [(), ("a", "b", "a")])
def test_no_ladder(names: tuple[str, ...]) -> None:
    with pytest.raises(GatewayError):
        Ladder(names, {})


@pytest.mark.parametrize(
    ("provider", "level", "asked"),
    [
        ("metropole", "eidas2", ("eidas2", "eidas3")),
        ("lycee", "eidas0", (PASSWORD, MFA)),
        ("lycee", "eidas1-mfa", (MFA,)),
        ("lycee", "eidas2", ()),
        ("silent", "eidas0", ()),
        ("metropole", "no-such-level", ()),
    ],
)
def test_how_a_provider_is_asked_for_a_level(provider: str, level: str, asked: tuple[str, ...]) -> None:
    assert LADDER.asked_as(provider, level) == asked


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (None, UNKNOWN),
        (signed_in("metropole", None, "pwd", "otp"), TRUE),
        (signed_in("metropole", None, "pwd"), FALSE),
        (signed_in("metropole", None, "OTP"), FALSE),
        (signed_in("metropole", None), UNKNOWN),
        (signed_in("silent", None, "otp"), UNKNOWN),
    ],
)
def test_by_one_of_these_methods(identity: Identity | None, expected: Truth) -> None:
    assert evaluate(Amr(frozenset({"otp", "hwk"}), LADDER), identity) is expected


@pytest.mark.parametrize("methods", [frozenset(), frozenset({""})])
def test_no_methods(methods: frozenset[str]) -> None:
    with pytest.raises(GatewayError):
        Amr(methods, LADDER)


@pytest.mark.parametrize(
    ("identity", "facts", "expected"),
    [
        (signed_in(), at(0), TRUE),
        (signed_in(), at(900), TRUE),
        (signed_in(), at(900.5), FALSE),
        (signed_in(at=0), at(0), UNKNOWN),
        (signed_in(), Facts("GET"), UNKNOWN),
        (None, at(0), UNKNOWN),
    ],
)
def test_no_longer_ago_than_this(identity: Identity | None, facts: Facts, expected: Truth) -> None:
    assert evaluate(MaxAge(900, LADDER), identity, facts) is expected


def test_an_age_is_told_anew_for_each_request_and_a_level_is_not() -> None:
    assert MaxAge(900, LADDER).of_request
    assert not AcrMin("eidas2", LADDER).of_request
    assert not Amr(frozenset({"otp"}), LADDER).of_request
    some = (MaxAge(900, LADDER), AcrMin("eidas2", LADDER), Amr(frozenset({"x"}), LADDER))
    assert all(one.of_identity for one in some)


@pytest.mark.parametrize(
    ("need", "identity", "later", "met"),
    [
        (Need("eidas2"), signed_in(acr="eidas2"), 0, True),
        (Need("eidas2"), signed_in(acr="eidas1"), 0, False),
        (Need("eidas2"), signed_in(), 0, False),
        (Need("eidas1-mfa"), signed_in("lycee", MFA), 0, True),
        (Need("gone-from-the-ladder"), signed_in(acr="eidas3"), 0, False),
        (Need(max_age=60), signed_in(), 60, True),
        (Need(max_age=60), signed_in(), 61, False),
        (Need(max_age=60), signed_in(at=0), 0, False),
        (Need(amr=("otp",)), signed_in("metropole", None, "pwd", "otp"), 0, True),
        (Need(amr=("otp",)), signed_in("metropole", None, "pwd"), 0, False),
        (Need("eidas1", 60, ("otp",)), signed_in("metropole", "eidas1", "otp"), 61, False),
    ],
)
def test_whether_a_sign_in_was_enough(need: Need, identity: Identity, later: float, met: bool) -> None:
    assert LADDER.meets(identity, need, NOW + later) is met


def test_a_provider_is_asked_in_its_own_words() -> None:
    assert LADDER.asking("lycee", Need("eidas1", 60, ("otp",))) == StepUpRequest((PASSWORD, MFA), 60, ("otp",))
    assert LADDER.asking("metropole", Need()) == StepUpRequest()
    assert LADDER.asking("nobody", Need("eidas1")) == StepUpRequest()


def test_a_provider_is_asked_for_what_it_can_and_no_more() -> None:
    everything = Need("eidas2", 900, ("otp",))
    assert LADDER.askable("silent", everything) == Need(max_age=900)
    assert LADDER.askable("unheard of", everything) == NO_NEED
