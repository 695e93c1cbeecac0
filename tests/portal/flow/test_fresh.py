"""How old an authentication may be."""

from dataclasses import replace

import pytest

from gateway.model.identity import Identity
from gateway.model.transaction import Transaction
from gateway.portal.flow.start import is_fresh
from tests.portal.installation import _EMPTY, _provider
from tests.portal.op import Op

SNAPSHOT = replace(_EMPTY, providers={"metropole": replace(_provider("metropole", Op(), "", {}), skew=5)})


@pytest.mark.parametrize(
    ("not_before", "authenticated_at", "fresh"),
    [
        (0, 0, True),
        (0, 1000, True),
        (1000, 1000, True),
        (1000, 995, True),
        (1000, 994, False),
        (1000, 0, False),
        (1000, 2000, True),
    ],
)
def test_an_authentication_is_from_after_the_limit_but_for_the_skew(
    not_before: int, authenticated_at: int, fresh: bool
) -> None:
    transaction = Transaction("a", "a.localhost", "http", "/", "b", 0, 1000, not_before)
    identity = Identity("metropole", "i", "s", {}, authenticated_at=authenticated_at)
    assert is_fresh(SNAPSHOT, identity, transaction) is fresh


def test_a_provider_that_is_gone_vouches_for_no_time() -> None:
    transaction = Transaction("a", "a.localhost", "http", "/", "b", 0, 1000, 1000)
    assert not is_fresh(SNAPSHOT, Identity("gone", "i", "s", {}, authenticated_at=2000), transaction)
