"""Codes of accounts: those that close an application for a moment say so to browsers."""

from gateway.model import account_codes
from gateway.model.codes import Code


def test_what_may_pass_is_503_and_what_will_not_is_403() -> None:
    found = {code.id: code.status for code in vars(account_codes).values() if isinstance(code, Code)}
    away = {"account.unreadable", "account.key", "account.record", "account.unwritable", "account.quota"}
    assert {id for id, status in found.items() if status == 503} == away
    assert {status for id, status in found.items() if id not in away} == {403, 0}
