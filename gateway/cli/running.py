"""Finds the running gateway by the state folder in gateway.yaml."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.cli.answers import OtherRelease, checked
from gateway.cli.saying import said_to_be_wrong
from gateway.config.folder.files import GATEWAY_FILE
from gateway.config.schema.gateway import GatewayFile
from gateway.config.yaml.reader import read_document


def asked(folder: Path, state: Path | None, ask: Callable[[Path], dict[str, Any]], kind: type) -> dict[str, Any] | None:
    """The answer of the gateway in the state folder: a `kind` (cli/answers.py) or an `error`. None, after a message, if
    no gateway answers, or if a gateway of another release answers in another form."""
    where = state or _state_folder(folder)
    try:
        answer = ask(where)
        checked(answer, kind)
        return answer
    except OtherRelease as other:
        said_to_be_wrong(str(other))
        return None
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error) or "no answer"
        said_to_be_wrong(f"no gateway answers in the state folder {where}: {why} ({_hint(folder, state, error)})")
        return None


def _hint(folder: Path, state: Path | None, error: OSError | ValueError) -> str:
    if state is None and not (folder / GATEWAY_FILE).exists():
        return f"{folder / GATEWAY_FILE} does not exist: name the policy folder, or --state"
    if isinstance(error, PermissionError):
        return "run this as root or as the gateway's account"
    return "is the gateway running on this policy folder? With a store in memory, send SIGHUP instead"


def _state_folder(folder: Path) -> Path:
    """The state folder of gateway.yaml. A file that would be refused counts too, since the running gateway explains its
    refusal best."""
    try:
        document, _ = read_document(GATEWAY_FILE, (folder / GATEWAY_FILE).read_bytes())
    except OSError:
        named = None
    else:
        named = document.data.get("state") if isinstance(document.data, dict) else None
    usual = GatewayFile.model_fields["state"].default
    return Path(os.path.normpath(folder.absolute() / (named if isinstance(named, str) else usual)))
