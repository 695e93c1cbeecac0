"""`ecluse check`: reads the whole folder, runs its tests, and prints every problem of every file at once."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.folder import uncollected
from gateway.cli.saying import say_json, say_problems
from gateway.config.compile.build import build
from gateway.config.folder.files import APPS, Files
from gateway.config.folder.read import read_folder
from gateway.config.problems import Problem, ProblemsFound
from gateway.config.schema.load import load
from gateway.config.snapshot import Snapshot
from gateway.directories.by_hand import look, look_through
from gateway.lint.run import lint
from gateway.lint.subject import subject
from gateway.model.directory import Directory, FileSource, SqliteSource
from gateway.model.errors import GatewayError
from gateway.organisations.indexing import organisations_of
from gateway.server.state import shared, unwritable
from gateway.trial.proving import prove

# Findings on certificates: near or past their end, or a host that no certificate names.
_CERTIFICATES = frozenset({"EC405", "EC406"})


def run(told: Namespace) -> Exit:
    return check(told.folder, as_json=told.as_json, live=told.live)


def check(folder: Path, *, as_json: bool = False, live: bool = False) -> Exit:
    """Prints the messages of a gateway that loads this folder.

    `live`: queries the servers of directories too."""
    try:
        with uncollected():
            files = read_folder(folder)
            found = prove(files, time.time())
            snapshot = build(found.plan)
        wrong = [*_wrong_directories(files, snapshot.directories, live=live), *_wrong_organisations(files, snapshot)]
        if wrong:
            raise ProblemsFound(wrong)
    except ProblemsFound as problems:
        say_problems(problems, as_json=as_json)
        return Exit.FOUND
    apps, providers = len(snapshot.apps), len(snapshot.providers)
    notes = list(_notes(files, snapshot))
    if as_json:
        say_json({"apps": apps, "providers": providers, "revision": found.revision, "problems": [], "notes": notes})
    else:
        print(f"{folder}: {apps} app(s), {providers} provider(s), revision {found.revision[:12]}")
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
    return Exit.DONE


def _wrong_directories(files: Files, directories: Mapping[str, Directory], *, live: bool) -> Iterator[Problem]:
    """Yields the problems of directories. Reads each table whole, and opens each database that is a file. A running
    gateway keeps its last good table, so a wrong table serves no person."""
    if not directories:
        return
    folder, _ = load(files)
    for loaded in folder.directories:
        if loaded.model is not None:
            directory = directories[loaded.model.directory]
            if isinstance(directory.source, FileSource):
                path = ("csv" if loaded.model.csv is not None else "json", "path")
                yield from (loaded.document.problem(path, why) for why in _wrong_in(directory))
            elif live or isinstance(directory.source, SqliteSource):
                yield from (loaded.document.problem((loaded.model.kind,), why) for why in _away(directory))


def _away(directory: Directory) -> Iterator[str]:
    try:
        look(directory)
    except GatewayError as error:
        yield f"{directory.shown}: {error}"


def _wrong_organisations(files: Files, snapshot: Snapshot) -> Iterator[Problem]:
    tables = {table.name: table for table in snapshot.organisations}
    for loaded in load(files)[0].organisations if tables else ():
        if loaded.model is not None:
            try:
                for _ in organisations_of(tables[loaded.model.organisations]):
                    pass
            except GatewayError as error:
                yield loaded.document.problem(("csv", "path"), error.detail)


def _wrong_in(directory: Directory) -> Iterator[str]:
    try:
        looked = look_through(directory)
    except GatewayError as error:
        yield error.detail
        return
    yield from (f"{directory.shown}: {why}" for why in looked.faults)


def _notes(files: Files, snapshot: Snapshot) -> Iterator[str]:
    """Yields notes on a valid folder that cannot work on this machine, at this time, or anywhere."""
    if not snapshot.apps:
        yield f"0 apps: no file below {files.folder}/{APPS}, so only the portal is served"
    if snapshot.gateway.store != "memory":
        yield from _of_state(snapshot.gateway.state_folder)
    if any(b"certificate:" in text for text in files.texts.values()):
        yield from (one.render().partition("\n")[0] for one in _of_certificates(files))


def _of_state(folder: str) -> Iterator[str]:
    """Notes on the state folder, for this account and this machine: the gateway may run under another account."""
    if os.path.isdir(folder) and (why := shared(folder)):
        yield f"`ecluse serve` would refuse the folder on this machine: state: {folder} {why}"
    elif why := unwritable(Path(folder)):
        yield f"this account (uid {os.geteuid()}) could not serve the folder: state: {folder}: {why}"


def _of_certificates(files: Files) -> Iterator[Problem]:
    """Yields the findings of `ecluse lint` on certificates that browsers or servers refuse, even in a valid folder."""
    for finding in lint(subject(files, time.time()), _CERTIFICATES):
        yield replace(finding.problem, key=f"{finding.code} {finding.problem.key}")
