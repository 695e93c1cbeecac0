"""What an error page offers, by its code: where its link leads, and which picture it has."""

from collections.abc import Collection
from typing import Literal

from gateway.model.account import LINKED_ANEW
from gateway.model.codes import LOGIN_OUTSIDE_PERIMETER, Code

_REFUSING = frozenset({"policy", "translation", "account"})
_SIGNING_IN = frozenset({"login", "handover", "oidc", "saml"})


def is_for_another(code: Code) -> bool:
    """Whether the person may have better luck with another account of theirs."""
    return code.id.partition(".")[0] in _REFUSING or code is LOGIN_OUTSIDE_PERIMETER


def way_of(code: Code) -> Literal["sign_in", "leave", "start", "back", "link"]:
    """What the link of an error page does."""
    if code in LINKED_ANEW:
        return "link"
    kind = code.id.partition(".")[0]
    if code.status == 401:
        return "sign_in"
    if is_for_another(code):
        return "leave"
    return "start" if kind in _SIGNING_IN else "back"


def is_for_nobody(code: Code, filled: Collection[str]) -> bool:
    """A person who is not signed in has no account that could be said to give no access."""
    return code.status == 403 and code.id.startswith("policy.") and "account" not in filled


def sign_of(code: Code) -> Literal["person", "lock", "clock", "note"]:
    """The picture of an error page."""
    by_status: dict[int, Literal["person", "lock", "clock"]] = {401: "person", 403: "lock"}
    return by_status.get(code.status, "clock" if code.status in (408, 502, 503, 504) else "note")
