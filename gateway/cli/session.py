"""`ecluse session`: which sessions there are, and that some of them end, asked of the gateway that runs."""

import re
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gateway.cli.exits import Exit
from gateway.cli.folder import said_to_be_wrong, say_json
from gateway.cli.running import asked
from gateway.server.control import ask

_ANSWERED_WITHIN = 30.0
# As stores.oversight takes them.
_REVOKED_AT_ONCE = 100
# Somebody may sign in meanwhile who is meant, too.
_PASSES = 3
_AGE = re.compile(r"(\d{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_Session = dict[str, Any]


class _WrongUsage(Exception):
    """In words for the operator."""


class _NoAnswer(Exception):
    """It has been said why."""


class _CannotSay(Exception):
    """The gateway's own words."""


def run(told: Namespace) -> Exit:
    try:
        return _COMMANDS[told.what](told)
    except _WrongUsage as wrong:
        said_to_be_wrong(str(wrong))
    except _NoAnswer:
        pass
    except _CannotSay as why:
        said_to_be_wrong(str(why))
        return Exit.FOUND
    return Exit.USAGE


# --- the commands


def _list(told: Namespace) -> Exit:
    found = sorted(_found(told, _meant(told)), key=lambda session: (session["created"], session["id"]))
    if told.as_json:
        say_json({"sessions": found})
    else:
        _say(found)
    return Exit.DONE


def _show(told: Namespace) -> Exit:
    found = list(_found(told, {"ids": [told.id]}))
    if not found:
        said_to_be_wrong(f"there is no session {told.id}")
        return Exit.FOUND
    (session,) = found
    if told.as_json:
        say_json(session)
        return Exit.DONE
    print(f"session       {session['id']}")
    print(f"provider      {session['provider']}")
    print(f"tenant        {session['tenant'] or '-'}")
    print(f"applications  {', '.join(session['applications']) or '-'}")
    print(f"signed in     {_moment(session['created'])}")
    print(f"ends          {_moment(session['ends'])}, if it is not used before")
    print(f"ends anyway   {_moment(session['expires'])}")
    return Exit.DONE


def _revoke(told: Namespace) -> Exit:
    where = _meant(told)
    if not where and not told.all:
        raise _WrongUsage("which sessions? Say --id, --subject, --provider or another option, or --all")
    found = list(_found(told, where))
    if not found:
        said_to_be_wrong("there is no such session")
        return Exit.FOUND
    if len(found) > 1 and not told.yes and not _agrees(found):
        return Exit.FOUND
    ended = set[str]()
    for _ in range(_PASSES):
        for at in range(0, len(found), _REVOKED_AT_ONCE):
            ids = [session["id"] for session in found[at : at + _REVOKED_AT_ONCE]]
            ended.update(_answer(told, {"what": "revoke", "ids": ids})["revoked"])
        found = [session for session in _found(told, where) if session["id"] not in ended]
        if not found:
            break
    if told.as_json:
        say_json({"revoked": sorted(ended)})
    else:
        print(f"ended: {len(ended)}")
    return Exit.DONE if not found else Exit.FOUND


_COMMANDS = {"list": _list, "show": _show, "revoke": _revoke}


def _agrees(found: Sequence[_Session]) -> bool:
    if not sys.stdin.isatty():
        raise _WrongUsage(f"{len(found)} sessions would end: say --yes, or mean one")
    _say(found)
    print(f"End these {len(found)} sessions? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "o", "oui")


# --- what is asked


def _meant(told: Namespace) -> dict[str, Any]:
    if told.subject and not (told.issuer or told.provider):
        raise _WrongUsage("who names this subject? --provider NAME, or --issuer URL")
    if told.issuer and not told.subject:
        raise _WrongUsage("--issuer stands with --subject: the store knows people by both together; else --provider")
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
        raise _WrongUsage(f"--older-than {age}: an age is a number and s, m, h or d, as 8h")
    return int(found[1]) * _SECONDS[found[2]]


def _found(told: Namespace, where: dict[str, Any]) -> Iterator[_Session]:
    """Each once, page by page."""
    seen, after, begun = set[str](), "", False
    while after or not begun:
        page, begun = _answer(told, {"what": "list", "where": where, "after": after}), True
        for session in page["sessions"]:
            if session["id"] not in seen:
                seen.add(session["id"])
                yield session
        after = page["after"]


def _answer(told: Namespace, question: dict[str, Any]) -> dict[str, Any]:
    answer = asked(told.folder, told.state, lambda where: ask(where, question, _ANSWERED_WITHIN))
    if answer is None:
        raise _NoAnswer
    if "error" in answer:
        raise _CannotSay(answer["error"])
    return answer


# --- what is said


def _say(found: Iterable[_Session]) -> None:
    for session in found:
        tenant = f"  for {session['tenant']}" if session["tenant"] else ""
        apps = f"  {', '.join(session['applications'])}" if session["applications"] else ""
        print(f"{session['id']}  {session['provider']}{tenant}  since {_moment(session['created'])}{apps}")


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(seconds))
