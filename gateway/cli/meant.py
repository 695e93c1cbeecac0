"""The sessions that an operator selects, asked of the running gateway."""

import re
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any

from gateway.cli.answers import ListedSession, SessionsAnswer
from gateway.cli.exits import Exit
from gateway.cli.running import asked
from gateway.cli.saying import said_to_be_wrong
from gateway.server.control import ask

_ANSWERED_WITHIN = 30.0
_AGE = re.compile(r"(\d{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class WrongUsage(Exception):
    """The reason, in words for the operator."""


class NoAnswer(Exception):
    """No gateway has answered; the reason is already printed."""


class CannotSay(Exception):
    """The gateway's own words."""


def carried_out(command: Callable[[Namespace], Exit], told: Namespace) -> Exit:
    """Runs a command, and prints the reason if it cannot be done. Returns the exit status."""
    try:
        return command(told)
    except WrongUsage as wrong:
        said_to_be_wrong(str(wrong))
    except NoAnswer:
        pass
    except CannotSay as why:
        said_to_be_wrong(str(why))
        return Exit.FOUND
    return Exit.USAGE


def meant(told: Namespace) -> dict[str, Any]:
    """Raises WrongUsage."""
    if told.subject and not (told.issuer or told.provider):
        raise WrongUsage("--subject needs --provider NAME or --issuer URL")
    if told.issuer and not told.subject:
        raise WrongUsage("--issuer needs --subject; to select by provider, use --provider")
    where = {
        "ids": told.id,
        "provider": told.provider,
        "issuer": told.issuer,
        "subject": told.subject,
        "tenant": told.tenant,
        "app": told.application,
        "older_than": None if told.older_than is None else _seconds(told.older_than),
    }
    return {name: value for name, value in where.items() if value not in (None, [])}


def _seconds(age: str) -> int:
    found = _AGE.fullmatch(age)
    if found is None:
        raise WrongUsage(f"--older-than {age}: write an age as a number with s, m, h or d: 8h")
    return int(found[1]) * _SECONDS[found[2]]


def found_sessions(told: Namespace, where: dict[str, Any]) -> Iterator[ListedSession]:
    """Yields each session once, page by page. Raises the errors of `answer`."""
    seen, after, begun = set[str](), "", False
    while after or not begun:
        page, begun = answer(told, {"what": "list", "where": where, "after": after}, SessionsAnswer), True
        for session in page["sessions"]:
            if session["id"] not in seen:
                seen.add(session["id"])
                yield session
        after = page["after"]


def answer(told: Namespace, question: dict[str, Any], kind: type) -> dict[str, Any]:
    """The answer of the running gateway. Raises NoAnswer, CannotSay.

    `kind`: the type of the answer (cli/answers.py)."""
    found = asked(told.folder, told.state, lambda where: ask(where, question, _ANSWERED_WITHIN), kind)
    if found is None:
        raise NoAnswer
    if "error" in found:
        raise CannotSay(found["error"])
    return found
