"""`ecluse account list --requests`: prints the requests of people, in words for the operator."""

import time
from collections.abc import Iterable
from typing import Final

from gateway.accounts.request import AccountRequest
from gateway.cli.exits import Exit
from gateway.cli.saying import say_json

_LONGEST: Final = 40


def reference_of(text: str) -> str:
    """The reference without surrounding blanks, in upper case: a reference read aloud has no case."""
    return text.strip().upper()


def unknown_request(reference: str) -> str:
    return f"no request has the reference {_shown(reference_of(reference)[:_LONGEST])}: it was answered, or is too old"


def say_requests(requests: Iterable[AccountRequest], *, as_json: bool) -> Exit:
    if as_json:
        say_json({"requests": [_as_json(one) for one in requests]})
        return Exit.DONE
    for one in requests:
        asked = one.asked
        # A name usually ends with the address. Only the end counts: people may write another person's address before
        # it.
        mail = "" if asked.name == asked.mail or asked.name.endswith(f" ({asked.mail})") else asked.mail
        who = ", ".join(_shown(value) for value in (asked.name, mail) if value)
        state = "waits" if one.refusal is None else f"refused on {_day(one.refusal.at)}"
        # People may choose their own name, so the organisation is on another line than the name.
        organisation = f", organisation {_shown(asked.organisation)}" if asked.organisation else ""
        whose = f"{_shown(asked.holder.person)} of {_shown(asked.holder.issuer)}{organisation}"
        print(f"{one.reference}  {asked.holder.application}  {whose}  since {_day(one.at)}, {state}")
        print(f"    {who}")
        for line in asked.text.splitlines():
            print(f"    > {_shown(line)}")
    return Exit.DONE


def _as_json(one: AccountRequest) -> dict[str, object]:
    asked, refusal = one.asked, one.refusal
    return {
        "reference": one.reference,
        "application": asked.holder.application,
        "issuer": asked.holder.issuer,
        "person": asked.holder.person,
        "subject": asked.subject,
        "name": asked.name,
        "mail": asked.mail,
        "organisation": asked.organisation,
        "text": asked.text,
        "at": one.at,
        "until": one.until,
        "refused": None if refusal is None else {"at": refusal.at, **refusal.words},
    }


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def _shown(text: str) -> str:
    """The text in visible characters only, so that a stranger's text cannot control the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
