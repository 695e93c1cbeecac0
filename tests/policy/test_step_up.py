from dataclasses import replace

import pytest

from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, Need
from gateway.policy.conditions import All, Any_, Anyone, Condition, Group, Not, SignedIn
from gateway.policy.levels import AcrMin, Amr, MaxAge
from gateway.policy.request_conditions import Method
from gateway.policy.step_up import needed, required
from tests.policy.short import rule, table
from tests.policy.test_levels import LADDER, PASSWORD, at, signed_in

EIDAS1, EIDAS2 = AcrMin("eidas1", LADDER), AcrMin("eidas2", LADDER)
MFA_LEVEL = AcrMin("eidas1-mfa", LADDER)
QUARTER, MINUTE = MaxAge(900, LADDER), MaxAge(60, LADDER)
OTP = Amr(frozenset({"otp", "hwk"}), LADDER)
ADMIN = Group("admin")


def need(allow: Condition, identity: Identity, later: float = 0, deny: Condition | None = None) -> Need | None:
    match = table(rule("/**", allow, deny=deny)).find(("x",))
    assert match is not None
    return needed(match, "GET", identity, at(later))


WEAK, ADMIN_WEAK = signed_in(acr="eidas0"), replace(signed_in(acr="eidas0"), attributes={"groups": ("admin",)})


@pytest.mark.parametrize(
    ("allow", "identity", "later", "expected"),
    [
        (EIDAS2, WEAK, 0, Need("eidas2")),
        # Nothing was said of a level: that is as good as too low a one.
        (EIDAS2, signed_in(), 0, Need("eidas2")),
        (QUARTER, WEAK, 901, Need(max_age=900)),
        (QUARTER, signed_in(at=0), 0, Need(max_age=900)),
        (OTP, WEAK, 0, Need(amr=("hwk", "otp"))),
        (All((EIDAS2, QUARTER)), WEAK, 0, Need("eidas2")),
        (All((EIDAS2, QUARTER)), signed_in(acr="eidas3"), 901, Need(max_age=900)),
        (All((EIDAS2, QUARTER)), WEAK, 901, Need("eidas2")),
        # The least that does.
        (Any_((EIDAS2, All((ADMIN, EIDAS1)))), ADMIN_WEAK, 0, Need("eidas1")),
        (Any_((EIDAS2, All((ADMIN, EIDAS1)))), WEAK, 0, Need("eidas2")),
        (Any_((MINUTE, QUARTER)), WEAK, 901, Need(max_age=900)),
        # A sign-in would change nothing.
        (All((EIDAS2, ADMIN)), signed_in(acr="eidas0"), 0, None),
        (All((EIDAS2, Not(Anyone()))), WEAK, 0, None),
        (ADMIN, WEAK, 0, None),
        # This provider never says so much, or anything.
        (EIDAS2, signed_in("lycee", PASSWORD), 0, None),
        (MFA_LEVEL, signed_in("lycee", PASSWORD), 0, Need("eidas1-mfa")),
        (EIDAS1, signed_in("silent"), 0, None),
        (QUARTER, signed_in("silent"), 901, Need(max_age=900)),
        (OTP, signed_in("silent"), 0, None),
    ],
)
def test_what_a_sign_in_would_have_to_be(
    allow: Condition, identity: Identity, later: float, expected: Need | None
) -> None:
    assert need(allow, identity, later) == expected


def test_a_new_level_is_a_new_sign_in() -> None:
    """An age on top of a level is asked for only where the level alone does not do it."""
    assert need(All((EIDAS2, MINUTE)), WEAK, 3600) == Need("eidas2")


def test_a_deny_that_a_sign_in_lifts_and_one_that_it_does_not() -> None:
    assert need(Anyone(), WEAK, deny=Not(EIDAS2)) == Need("eidas2")
    assert need(EIDAS2, WEAK, deny=Not(ADMIN)) is None


@pytest.mark.parametrize(
    ("allow", "deny", "expected"),
    [
        (EIDAS2, None, Need("eidas2")),
        (All((ADMIN, EIDAS2, QUARTER)), None, Need("eidas2", 900)),
        (QUARTER, None, Need(max_age=900)),
        (Any_((MINUTE, QUARTER)), None, Need(max_age=900)),
        # The least that lets anybody in; who that is, is not known yet.
        (Any_((EIDAS2, All((ADMIN, EIDAS1)))), None, Need("eidas1")),
        # Somebody is let in without.
        (Any_((ADMIN, EIDAS2)), None, NO_NEED),
        (SignedIn(), None, NO_NEED),
        (Not(EIDAS2), None, NO_NEED),
        (SignedIn(), Not(EIDAS2), Need("eidas2")),
        # Somebody is let in with it: whom a group lets in or keeps out is not known yet, that they sign in is.
        (EIDAS2, ADMIN, Need("eidas2")),
        (All((EIDAS2, Not(ADMIN))), None, Need("eidas2")),
        (Any_((Not(SignedIn()), EIDAS2)), None, Need("eidas2")),
        # A method is asked for once it is known to be lacking.
        (OTP, None, NO_NEED),
        (All((OTP, EIDAS2)), None, Need("eidas2")),
        # Nothing would do: nothing is asked for.
        (All((EIDAS2, Not(Anyone()))), None, NO_NEED),
        (Any_((Method(frozenset({"GET"})), EIDAS2)), None, NO_NEED),
        (Any_((Method(frozenset({"POST"})), EIDAS2)), None, Need("eidas2")),
    ],
)
def test_what_nobody_is_let_in_without(allow: Condition, deny: Condition | None, expected: Need) -> None:
    match = table(rule("/**", allow, deny=deny)).find(("x",))
    assert match is not None
    assert required(match, "GET", at(0)) == expected
