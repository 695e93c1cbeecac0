"""`ecluse reload`: asks the running gateway to reload its folder, waits, and prints the result."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from gateway.cli.answers import ReloadAnswer
from gateway.cli.exits import Exit
from gateway.cli.running import asked
from gateway.cli.saying import say_json, to_be_checked
from gateway.model.codes import config_codes
from gateway.server.control import ask_to_reload

# Compiling may take two minutes, and a rollout some seconds more.
_ANSWERED_WITHIN = 180.0

_EXITS = {"live": Exit.DONE, "refused": Exit.FOUND, "partly": Exit.PARTLY}


def run(told: Namespace) -> Exit:
    return reload(told.folder, told.state, as_json=told.as_json, fewer_hosts=told.yes)


def reload(folder: Path, state: Path | None, *, as_json: bool, fewer_hosts: bool = False) -> Exit:
    """`fewer_hosts`: the operator agrees to lose hosts."""
    verdict = asked(
        folder, state, lambda where: ask_to_reload(where, _ANSWERED_WITHIN, fewer_hosts=fewer_hosts), ReloadAnswer
    )
    if verdict is None:
        return Exit.USAGE
    if as_json:
        say_json(verdict)
    else:
        _say(verdict, folder)
    return _EXITS.get(verdict["verdict"], Exit.USAGE)


def _say(verdict: dict[str, Any], folder: Path) -> None:
    revision = verdict["revision"][:12]
    if verdict["detail"]:
        print(f"{verdict['detail']}\n")
    match verdict["verdict"]:
        case "live":
            print(f"live: revision {revision}")
        case "partly":
            print(f"live: revision {revision}, without the files below")
            for path in verdict["kept"]:
                print(f"  {path}: not loaded, its previous version stays live")
            for path in verdict["closed"]:
                print(f"  {path}: not loaded, its hosts are closed")
        case other:
            # If the operator means to remove hosts, the files need no correction.
            remedy = "" if verdict.get("code") == config_codes.HOSTS_GONE.id else f" ({to_be_checked(folder)})"
            print(f"{other}: no file was loaded, revision {revision} is live{remedy}")
