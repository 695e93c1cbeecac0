"""`ecluse session`: lists, shows and ends sessions, through the running gateway."""

import re
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Sequence

from gateway.cli.answers import ListedSession, Revoked
from gateway.cli.exits import Exit
from gateway.cli.meant import CannotSay, WrongUsage, answer, carried_out, found_sessions, meant
from gateway.cli.saying import said_to_be_wrong, say_json

# The most ids in a question (stores.sessions.oversight).
_REVOKED_AT_ONCE = 100
# Passes over the selection: a matching person may sign in meanwhile.
_PASSES = 3
_SIRET = re.compile(r"[0-9]{14}")


def run(told: Namespace) -> Exit:
    return carried_out(_COMMANDS[told.what], told)


# --- the commands


def _list(told: Namespace) -> Exit:
    found = sorted(found_sessions(told, meant(told)), key=lambda session: (session["created"], session["id"]))
    if told.as_json:
        say_json({"sessions": found})
    else:
        _say(found)
        if not found:
            print("no session", file=sys.stderr)
    return Exit.DONE


def _show(told: Namespace) -> Exit:
    found = list(found_sessions(told, {"ids": [told.id]}))
    if not found:
        said_to_be_wrong(f"there is no session {told.id}")
        return Exit.FOUND
    (session,) = found
    if told.as_json:
        say_json(session)
        return Exit.DONE
    print(f"session       {session['id']}")
    print(f"person        {session['person']}")
    print(f"provider      {session['provider']}")
    print(f"tenant        {_tenant(session) or '-'}")
    print(f"applications  {', '.join(session['applications']) or '-'}")
    print(f"signed in     {_moment(session['created'])}")
    print(f"ends          {_moment(session['ends'])}, unless it is used before")
    print(f"ends anyway   {_moment(session['expires'])}")
    return Exit.DONE


def _revoke(told: Namespace) -> Exit:
    where = meant(told)
    if not where and not told.all:
        raise WrongUsage("which sessions? Use --id, --subject, --provider or another option, or --all")
    try:
        found = list(found_sessions(told, where))
    except CannotSay as why:
        if where.keys() != {"ids"}:
            raise
        return _revoke_unseen(told, why)
    if not found:
        said_to_be_wrong(f"there is no such session{_hint(told)}")
        return Exit.FOUND
    if len(found) > 1 and not told.yes and not _agrees(found):
        return Exit.FOUND
    ended, unwritten = set[str](), set[str]()
    for _ in range(_PASSES):
        _end(told, [session["id"] for session in found], ended, unwritten)
        try:
            found = [session for session in found_sessions(told, where) if session["id"] not in ended]
        except CannotSay as why:
            # Reports the sessions that have ended even so.
            said_to_be_wrong(str(why))
            break
        if not found:
            break
    _say_ended(told, ended, unwritten)
    return Exit.FOUND if found or unwritten else Exit.DONE


def _revoke_unseen(told: Namespace, why: CannotSay) -> Exit:
    """Ends the sessions with the ids, although the store cannot tell which sessions exist.

    `why`: the store's answer."""
    ids = list(dict.fromkeys(told.id))
    said_to_be_wrong(f"{why} (the sessions are ended unseen)")
    if len(ids) > 1 and not told.yes:
        raise WrongUsage(f"{len(ids)} sessions would end: confirm with --yes, or select one with --id ID")
    ended, unwritten = set[str](), set[str]()
    _end(told, ids, ended, unwritten)
    _say_ended(told, ended, unwritten)
    return Exit.FOUND if unwritten else Exit.DONE


def _end(told: Namespace, ids: Sequence[str], ended: set[str], unwritten: set[str]) -> None:
    """Ends sessions. Adds the ended sessions to `ended`, and to `unwritten` the sessions whose end the store did not
    take."""
    for at in range(0, len(ids), _REVOKED_AT_ONCE):
        done = answer(told, {"what": "revoke", "ids": ids[at : at + _REVOKED_AT_ONCE]}, Revoked)
        ended.update(done["revoked"])
        unwritten.update(done["unwritten"])


def _say_ended(told: Namespace, ended: set[str], unwritten: set[str]) -> None:
    if told.as_json:
        say_json({"revoked": sorted(ended), "unwritten": sorted(unwritten)})
    else:
        print(f"ended: {len(ended)}")
        if unwritten:
            print(f"not stored yet: {len(unwritten)} (ended in this gateway; the store refuses writes, see its log)")


_COMMANDS = {"list": _list, "show": _show, "revoke": _revoke}


def _hint(told: Namespace) -> str:
    """A hint on an option that selects no session; empty without a likely mistake."""
    if told.tenant and not _SIRET.fullmatch(told.tenant):
        return " (--tenant takes an organisation whole, as `ecluse session list` shows it; a SIRET has 14 digits)"
    if told.subject:
        return " (--subject takes the identifier that the provider gives; it is rarely the login or the name)"
    return ""


def _agrees(found: Sequence[ListedSession]) -> bool:
    if not sys.stdin.isatty():
        raise WrongUsage(f"{len(found)} sessions would end: confirm with --yes, or select one with --id ID")
    _say(found)
    print(f"End these {len(found)} sessions? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "o", "oui")


# --- what is said


def _say(found: Iterable[ListedSession]) -> None:
    for session in found:
        tenant = f"  for {_tenant(session)}" if session["tenant"] else ""
        apps = f"  {', '.join(session['applications'])}" if session["applications"] else ""
        whose = f"{session['person']}  {session['provider']}{tenant}"
        print(f"{session['id']}  {whose}  since {_moment(session['created'])}{apps}")


def _tenant(session: ListedSession) -> str:
    """The number of the organisation, and its name if the gateway knows the name; empty without an organisation."""
    name = session.get("organisation", "")
    return f"{session['tenant']} ({name})" if name else session["tenant"] or ""


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(seconds))
