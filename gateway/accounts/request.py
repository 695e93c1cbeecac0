"""A person's request for an account of an application, stored until an operator answers it."""

import unicodedata
from dataclasses import dataclass, field
from typing import Final

from gateway.identity.naming import name_of
from gateway.model.account import AccountHolder
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.theme import ByLanguage

LONGEST_TEXT: Final = 500
# Of what a provider says of a person.
_LONGEST_VALUE: Final = 256


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request to be stored.

    `subject`, `name`, `mail`, `organisation`: the person as the provider describes them, for the operator's decision;
    empty if the provider gives no value.
    `text`: as `checked_text` returns it.
    """

    holder: AccountHolder
    subject: str = field(repr=False)
    name: str = field(default="", repr=False)
    mail: str = field(default="", repr=False)
    organisation: str = field(default="", repr=False)
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RequestRefusal:
    """The refusal of a request.

    `at`: Unix seconds.
    `words`: the text for the person, by language; empty for a refusal without a reason.
    """

    at: int
    words: ByLanguage


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """A stored request.

    `reference`: the name of the request for the person and the operator.
    `at`, `until`: Unix seconds; after `until` the request counts as missing.
    `refusal`: None while the request waits.
    """

    reference: str
    asked: NewRequest
    at: int
    until: int
    refusal: RequestRefusal | None = None


def request_of(holder: AccountHolder, identity: Identity, tenant: str | None, text: str) -> NewRequest:
    """Raises GatewayError(account_codes.TEXT)."""
    said = identity.attributes
    mails = [*said.get("mail", ()), *said.get("email", ()), ""]
    return NewRequest(
        holder,
        subject=_value(identity.subject),
        name=_value(name_of(identity)),
        mail=_value(mails[0]),
        organisation=_value(tenant or ""),
        text=checked_text(text),
    )


def checked_text(text: str) -> str:
    """The text of a person or an operator in normal form, without invisible characters. Raises
    GatewayError(account_codes.TEXT), which does not quote the text."""
    lines = unicodedata.normalize("NFC", text).splitlines()
    found = "\n".join(_seen(line).strip() for line in lines).strip()
    if len(found) > LONGEST_TEXT:
        raise GatewayError(account_codes.TEXT, f"a text of {len(found)} characters, where {LONGEST_TEXT} are the most")
    return found


def _value(text: str) -> str:
    return _seen(text)[:_LONGEST_VALUE]


def _seen(text: str) -> str:
    """The text without control characters, without marks that change its direction, and without invalid Unicode."""
    return "".join(letter for letter in text if unicodedata.category(letter)[0] != "C")
