"""`ecluse check`: the folder read whole and its own tests run, every problem of every file printed at once."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.folder import say_json, say_problems, uncollected
from gateway.config.compile.build import build
from gateway.config.folder.read import read_folder
from gateway.config.problems import ProblemsFound
from gateway.config.snapshot import Gateway
from gateway.directories.by_hand import look_through
from gateway.model.directory import Directory
from gateway.model.errors import GatewayError
from gateway.server.state import unwritable
from gateway.trial.proving import prove


def run(told: Namespace) -> Exit:
    return check(told.folder, as_json=told.as_json)


def check(folder: Path, *, as_json: bool = False) -> Exit:
    """Prints what a gateway would say that is to take this folder."""
    try:
        with uncollected():
            found = prove(read_folder(folder), time.time())
            snapshot = build(found.plan)
    except ProblemsFound as problems:
        say_problems(problems, as_json=as_json)
        return Exit.FOUND
    directories = snapshot.directories.values()
    wrong = [why for directory in directories for why in _wrong_files(directory)]
    if wrong:
        for why in wrong:
            print(why, file=sys.stderr)
        if as_json:
            say_json({"problems": [], "directories": wrong})
        return Exit.FOUND
    apps, providers = len(snapshot.apps), len(snapshot.providers)
    notes = list(_notes(snapshot.gateway))
    if as_json:
        say_json({"apps": apps, "providers": providers, "revision": found.revision, "problems": [], "notes": notes})
    else:
        print(f"{folder}: {apps} app(s), {providers} provider(s), revision {found.revision[:12]}")
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
    return Exit.DONE


def _wrong_files(directory: Directory) -> Iterator[str]:
    """Each file is read whole. A gateway that runs keeps the last good one; nobody is served by a wrong one."""
    try:
        looked = look_through(directory)
    except GatewayError as error:
        yield f"directories/{directory.name}: {error}"
        return
    yield from (f"directories/{directory.name}: {Path(directory.source.path).name}: {why}" for why in looked.faults)


def _notes(gateway: Gateway) -> Iterator[str]:
    """The reason why this account on this machine cannot serve the folder; another account may be able to."""
    if gateway.store != "memory" and (why := unwritable(Path(gateway.state_folder))):
        yield f"this account (uid {os.geteuid()}) could not serve it: state: {gateway.state_folder}: {why}"
