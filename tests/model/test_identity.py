from dataclasses import FrozenInstanceError

import pytest

from gateway.model.identity import Identity


def test_what_a_provider_did_not_say_is_absent() -> None:
    identity = Identity("metropole", "https://op.example", "s-1", {"uid": ("jdupont",)})
    assert identity.left_out == frozenset()
    assert identity.acr is None
    assert identity.amr == ()
    assert identity.authenticated_at == 0


def test_the_same_subject_of_two_issuers_is_two_people() -> None:
    assert Identity("a", "https://a.example", "s-1", {}) != Identity("a", "https://b.example", "s-1", {})


def test_an_identity_is_frozen_and_holds_nothing_else() -> None:
    identity = Identity("metropole", "https://op.example", "s-1", {})
    with pytest.raises(FrozenInstanceError):
        identity.subject = "s-2"
    assert not hasattr(identity, "__dict__")
