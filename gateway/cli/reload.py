"""`ecluse reload`: asks the running gateway to take its folder anew, waits, and prints the result."""

import json
import os
from argparse import Namespace
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.folder import said_to_be_wrong, say_json
from gateway.config.folder.files import GATEWAY_FILE
from gateway.config.schema.gateway import GatewayFile
from gateway.config.yaml.reader import read_document
from gateway.server.control import RELOAD, ReloadVerdict, connect

# Compiling may take two minutes, and a rollout some seconds more.
_ANSWERED_WITHIN = 180.0

_EXITS = {"live": Exit.DONE, "refused": Exit.FOUND, "partly": Exit.PARTLY}


def run(told: Namespace) -> Exit:
    return reload(told.folder, told.state, as_json=told.as_json)


def reload(folder: Path, state: Path | None, *, as_json: bool) -> Exit:
    where = state or _state_folder(folder)
    try:
        verdict = _verdict(where)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error) or "no answer"
        said_to_be_wrong(f"no gateway answers in the state folder {where}: {why} ({_hint(folder, state, error)})")
        return Exit.USAGE
    if as_json:
        say_json(verdict)
    else:
        _say(verdict)
    return _EXITS.get(verdict["verdict"], Exit.USAGE)


def _hint(folder: Path, state: Path | None, error: OSError | ValueError) -> str:
    if state is None and not (folder / GATEWAY_FILE).exists():
        return f"there is no {folder / GATEWAY_FILE} to name it: name the policy folder, or --state"
    if isinstance(error, PermissionError):
        return "ask as root, or as the account that the gateway runs as"
    return "is it running, with this policy folder? One with its store in memory hears SIGHUP alone"


def _verdict(state: Path) -> ReloadVerdict:
    """Raises OSError and ValueError."""
    with connect(state, _ANSWERED_WITHIN) as connection, connection.makefile("rb") as answers:
        connection.sendall(RELOAD)
        verdict: ReloadVerdict = json.loads(answers.readline())
        return verdict


def _say(verdict: ReloadVerdict) -> None:
    revision = verdict["revision"][:12]
    if verdict["detail"]:
        print(f"{verdict['detail']}\n")
    match verdict["verdict"]:
        case "live":
            print(f"live: revision {revision}")
        case "partly":
            print(f"live: revision {revision}, but for what is wrong")
            for path in verdict["kept"]:
                print(f"  {path} stays as it was")
            for path in verdict["closed"]:
                print(f"  {path} was never right: its hosts are closed")
        case other:
            print(f"{other}: nothing changes, revision {revision} stays live")


def _state_folder(folder: Path) -> Path:
    """The state folder that gateway.yaml names, also in a file that would be refused: the gateway that runs says best
    why."""
    try:
        document, _ = read_document(GATEWAY_FILE, (folder / GATEWAY_FILE).read_bytes())
    except OSError:
        named = None
    else:
        named = document.data.get("state") if isinstance(document.data, dict) else None
    usual = GatewayFile.model_fields["state"].default
    return Path(os.path.normpath(folder.absolute() / (named if isinstance(named, str) else usual)))
