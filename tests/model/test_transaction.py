from dataclasses import FrozenInstanceError, replace

import pytest

from gateway.model.identity import Identity
from gateway.model.transaction import HandOver, OidcLogin, ParkedAssertion, SamlLogin, SamlLogout, Transaction

TRANSACTION = Transaction("permis", "permis.example", "https", "/a?b=c", "0" * 64, 0, 1_700_000_000)
LOGIN = OidcLogin("metropole", "n", "v", "https://portail.example/_ecluse/callback/metropole", "0" * 64, None, 1)
SAML_LOGIN = SamlLogin("departement", "_1", (), "exact", False, "0" * 64, None, 1)
HAND_OVER = HandOver("permis", "permis.example", "/", "0" * 64, "id", b"k" * 32, "metropole", 1)


@pytest.mark.parametrize("value", [TRANSACTION, LOGIN, SAML_LOGIN, HAND_OVER])
def test_what_is_under_way_is_replaced_never_changed(value: object) -> None:
    with pytest.raises(FrozenInstanceError):
        value.binding = "1" * 64
    assert replace(value) == value
    assert replace(value, binding="1" * 64) != value
    assert not hasattr(value, "__dict__")


def test_unless_an_app_asks_any_authentication_will_do() -> None:
    assert TRANSACTION.not_before == 0


def test_an_answer_that_is_parked_and_a_logout_under_way_are_values() -> None:
    identity = Identity("departement", "urn:idp", "s", {})
    parked = ParkedAssertion(identity, None, "_a", 1, None, ("n", None, None, None, None), None)
    for value in (parked, SamlLogout("departement", "_r", "https://a.example/")):
        assert replace(value) == value
        assert not hasattr(value, "__dict__")
