"""`ecluse directory test NAME COLUMN=VALUE ...`: prints the answer of a directory for a key, as a sign-in would get it.
`ecluse directory refresh`: looks up signed-in people again."""

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from gateway.cli.answers import Ordered
from gateway.cli.elus import import_elus
from gateway.cli.exits import Exit
from gateway.cli.folder import compiled
from gateway.cli.meant import WrongUsage, answer, carried_out, found_sessions, meant
from gateway.cli.saying import said_to_be_wrong, say_json, say_problems
from gateway.config.problems import ProblemsFound, did_you_mean
from gateway.directories.by_hand import QueryResult, ask
from gateway.identity.directories import joined_key
from gateway.identity.mandates import in_words
from gateway.model.directory import Directory, FileSource
from gateway.model.errors import GatewayError
from gateway.server.state import directories_folder

# The most ids in a question (server.questions).
_AT_ONCE = 100


def run(told: Namespace) -> Exit:
    if told.what == "refresh":
        return carried_out(_refresh, told)
    if told.what == "import-elus":
        return import_elus(told)
    return directory_test(told.folder, told.name, told.key, as_json=told.as_json)


def _refresh(told: Namespace) -> Exit:
    where = meant(told)
    if bool(where) == told.all:
        raise WrongUsage("which people? Use --provider and --subject or another option, or --all")
    if told.all:
        number: int | str = answer(told, {"what": "look_up", "all": True}, Ordered)["ordered"]
    else:
        ids = [session["id"] for session in found_sessions(told, where)]
        if not ids:
            said_to_be_wrong("there is no such session")
            return Exit.FOUND
        for at in range(0, len(ids), _AT_ONCE):
            answer(told, {"what": "look_up", "ids": ids[at : at + _AT_ONCE]}, Ordered)
        number = len(ids)
    if told.as_json:
        say_json({"ordered": number})
    else:
        print(f"will be looked up again at their next request: {number if number != 'all' else 'everybody'}")
    return Exit.DONE


def directory_test(folder: Path, name: str, pairs: Sequence[str], *, as_json: bool = False) -> Exit:
    try:
        _, _, snapshot = compiled(folder)
    except ProblemsFound as problems:
        say_problems(problems, as_json=as_json)
        return Exit.FOUND
    directory = snapshot.directories.get(name)
    if directory is None:
        hint = did_you_mean(name, snapshot.directories)
        said_to_be_wrong(f"no directory has the name {name}" + (f" ({hint})" if hint else ""))
        return Exit.USAGE
    key = _key(directory, pairs)
    if key is None:
        columns = " ".join(f"{part.column}=VALUE" for part in directory.key)
        said_to_be_wrong(f"the key of {name} is written {columns}")
        return Exit.USAGE
    try:
        asked = ask(directory, key, directories_folder(snapshot.gateway))
    except GatewayError as error:
        said_to_be_wrong(str(error))
        return Exit.FOUND
    if as_json:
        say_json(_as_json(directory, asked))
    else:
        print("\n".join(_as_text(directory, asked)))
    return Exit.FOUND if asked.faults else Exit.DONE


def _key(directory: Directory, pairs: Sequence[str]) -> str | None:
    told = dict(pair.split("=", 1) for pair in pairs)
    columns = [part.column for part in directory.key]
    written = all(value and value.isprintable() for value in told.values())
    if sorted(told) != sorted(columns) or len(pairs) != len(columns) or not written:
        return None
    return joined_key(told[column] for column in columns)


def _as_text(directory: Directory, asked: QueryResult) -> Iterator[str]:
    age = max(0, int(time.time()) - asked.read_at)
    of_file = isinstance(directory.source, FileSource)
    when = "asked now" if not of_file else "read now" if asked.made_here else f"read {age} s ago"
    yield f"{directory.name}: {directory.shown}, {when}"
    if asked.finding.state == "none":
        yield "  no row"
    for given in directory.gives:
        if given.name in asked.finding.unknown:
            yield f"  {given.written}: unknown"
        elif given.terms is not None and asked.finding.terms:
            now = time.time()
            yield from (f"  {given.name}: {in_words(term, now)}" for term in asked.finding.terms)
        elif given.name in asked.finding.values:
            yield f"  {given.written}: {', '.join(asked.finding.shown_values[given.written])}"
        elif asked.finding.state == "found":
            yield f"  {given.written}: no value"
    yield from (f"  {fault.code.id}: {fault.detail}" for fault in asked.faults)


def _as_json(directory: Directory, asked: QueryResult) -> dict[str, object]:
    return {
        "directory": directory.name,
        "state": asked.finding.state,
        "values": {name: list(values) for name, values in asked.finding.shown_values.items()},
        "mandates": [asdict(term) for term in asked.finding.terms],
        "unknown": asked.finding.shown_unknown,
        "faults": [{"code": fault.code.id, "detail": fault.detail} for fault in asked.faults],
        "read_at": asked.read_at,
    }
