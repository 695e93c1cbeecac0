"""Each sealed part opens where it was sealed and nowhere else."""

import pytest

from gateway.accounts.link import NewLink
from gateway.accounts.seals import LinkSeals, new_data_key, unwrapped, wrapped
from gateway.model.account import AccountHolder
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from tests.accounts.samples import KEYS, OTHER_ISSUER, holder

SEALS = LinkSeals(b"k" * 32)
LINK = NewLink(holder(), "h.durand", "operator", "secret")


@pytest.mark.parametrize("elsewhere", [holder("subject=paul"), holder(application="paie"), holder(issuer=OTHER_ISSUER)])
def test_issuer_person_and_application_are_bound_in(elsewhere: AccountHolder) -> None:
    whose, login, secret = SEALS.sealed(LINK, 1)
    link = SEALS.opened(holder(), login, secret)
    assert (SEALS.whose("permis", SEALS.found_by(holder()), whose), link.login) == (holder(), "h.durand")
    assert SEALS.secret(link) == "secret"
    for opened in (
        lambda: SEALS.opened(elsewhere, login, secret),
        lambda: SEALS.whose(elsewhere.application, SEALS.found_by(elsewhere), whose),
        lambda: SEALS.secret(SEALS.opened(elsewhere, SEALS.sealed(NewLink(elsewhere, "h.durand"), 1)[1], secret)),
    ):
        with pytest.raises(GatewayError) as error:
            opened()
        assert error.value.code is account_codes.RECORD


def test_no_part_opens_as_another() -> None:
    whose, login, secret = SEALS.sealed(LINK, 1)
    assert secret is not None
    for record in (whose, secret, b"", login[:-1], login + b"x"):
        with pytest.raises(GatewayError) as error:
            SEALS.opened(holder(), record, None)
        assert error.value.code is account_codes.RECORD


def test_the_hashes_say_nothing_without_the_key() -> None:
    other = LinkSeals(b"x" * 32)
    assert SEALS.found_by(holder()) != other.found_by(holder())
    assert SEALS.login_hash("permis", "A") == SEALS.login_hash("permis", "a") != SEALS.login_hash("paie", "a")


def test_the_key_of_a_file_opens_with_a_key_of_the_gateway() -> None:
    data = new_data_key()
    assert unwrapped([("2026", wrapped(data, *KEYS[0]))], KEYS) == data
    for found in ([], [("2025", wrapped(data, "2025", b"x" * 32))], [("2026", wrapped(data, "2026", b"x" * 32))]):
        with pytest.raises(GatewayError) as error:
            unwrapped(found, KEYS)
        assert error.value.code is account_codes.KEY


def test_no_representation_shows_a_secret() -> None:
    assert "secret'" not in repr(LINK)
    assert "secret=" not in repr(LINK)
