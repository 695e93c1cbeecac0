"""The command `ecluse`. Loads the module of a command on demand, so that `--help` answers at once."""

import argparse
import importlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway import __version__
from gateway.cli.exits import Exit
from gateway.cli.first_steps import provider_add
from gateway.cli.output import OutputLost, guarded_output

# The supervisor starts a worker with `worker CONTROL LISTENING...`, descriptors of sockets. Not for operators.
_WORKER = "worker"

# A session id that begins with "-".
_DASHED_ID = re.compile(r"-[A-Za-z0-9_-]{21}")
_ID = re.compile(r"[A-Za-z0-9_-]{22}")

# Where a command is given no policy folder.
_USUAL_FOLDER = Path("policies")
_FOLDER_HELP = f"the policy folder; `{_USUAL_FOLDER}` where it is left out"

# The remedy for a library that is missing or built for another machine.
_INSTALL = "config.library: install the gateway again, docs/how-to/install-it.md"

# The status that a shell reports for a process ended by SIGPIPE.
_NOBODY_READS = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command, and returns an exit status of cli.exits."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        return _work(given[1:]) if given[:1] == [_WORKER] else _command(given)
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "gateway":
            raise
        print(f"ecluse: a library cannot be loaded: {error} ({_INSTALL})", file=sys.stderr)
        return Exit.USAGE


def _command(given: list[str]) -> int:
    arguments = _parser().parse_args(_with_dashed_ids(given))
    try:
        with guarded_output():
            return _run(arguments)
    except BrokenPipeError:
        # The reader of the output has read enough, as `head` does.
        _write_no_more()
        return _NOBODY_READS
    except OutputLost as why:
        print(f"ecluse: standard output cannot be written: {why}", file=sys.stderr)
        _write_no_more()
        return Exit.USAGE


def _with_dashed_ids(given: list[str]) -> list[str]:
    """The arguments, with "=" or "--" before a session id that begins with "-": argparse would take the id for an
    option."""
    if given[:1] not in (["session"], ["directory"]):
        return given
    plain: list[str] = []
    ids: list[str] = []
    for word in given:
        if not _DASHED_ID.fullmatch(word):
            plain.append(word)
        elif plain[-1] == "--id":
            plain[-1] = f"--id={word}"
        else:
            ids.append(word)
    return [*plain, "--", *ids] if ids else plain


def _write_no_more() -> None:
    """Sends further output to /dev/null: Python writes the rest of its output at exit, which must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(told: argparse.Namespace) -> int:
    if told.command == "serve":
        # No file is read yet, so no change is missed. The default action would end the process.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    elif why := _unreadable(told):
        print(f"ecluse: {why}", file=sys.stderr)
        return Exit.USAGE
    told.as_json = getattr(told, "output", "text") == "json"
    command = importlib.import_module(f"gateway.cli.{told.command}")
    status: int = command.run(told)
    return status


def _unreadable(told: argparse.Namespace) -> str:
    """Returns why a folder cannot be read, or an empty text."""
    for name in ("folder", "old", "new"):
        folder = getattr(told, name, None)
        if folder is not None:
            try:
                os.scandir(folder).close()
            except OSError as error:
                return f"the folder {folder} cannot be read: {error.strerror}{_remedy(folder, told)}"
    return ""


def _remedy(folder: Path, told: argparse.Namespace) -> str:
    if folder == _USUAL_FOLDER:
        return " (name the policy folder: /etc/ecluse/policies on an installed gateway)"
    if told.command == "session" and _ID.fullmatch(str(folder)):
        return f" (for the session with this id: --id {folder})"
    return ""


def _work(given: Sequence[str]) -> int:
    if not given or not all(map(str.isdigit, given)):
        print("ecluse: only `ecluse serve` starts a worker", file=sys.stderr)
        return 2

    from gateway.app import work

    control, *listening = map(int, given)
    return work(control, listening)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ecluse", description="Identity gateway for applications that have no sign-in of their own."
    )
    parser.add_argument("--version", action="version", version=f"ecluse {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _serve(commands.add_parser("serve", help="serve a policy folder until SIGTERM; SIGHUP reloads it"))
    check = commands.add_parser("check", help="read a policy folder and print every problem")
    check.add_argument("--live", action="store_true", help="also ask the directories' servers")
    _folder_or_usual(check)
    explain = _explain(commands.add_parser("explain", help="explain the decision on one request, rule by rule"))
    test = commands.add_parser("test", help="run the folder's tests and show which rules they cover")
    _folder_or_usual(test)
    test.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report")
    test.add_argument("--watch", action="store_true", help="run again after every change, until interrupted")
    diff = commands.add_parser("diff", help="compare two folders: their files and their decisions")
    diff.add_argument("old", type=Path, metavar="OLD")
    diff.add_argument("new", type=Path, metavar="NEW")
    diff.add_argument("--log", type=Path, metavar="FILE", help="also try the requests of this access log")
    fmt = commands.add_parser("fmt", help="give every file of the folder the same layout")
    _folder_or_usual(fmt)
    fmt.add_argument("--check", action="store_true", help="only name the files with another layout")
    lint = commands.add_parser("lint", help="find what is valid and most likely a mistake")
    _folder_or_usual(lint)
    show, add = _provider(commands.add_parser("provider", help="add a provider; show its settings, preset included"))
    outputs = (
        check,
        explain,
        test,
        diff,
        fmt,
        lint,
        *_of_running(commands),
        show,
        add,
        _doctor(commands.add_parser("doctor", help="check running parts, such as applications")),
        *_directory(commands.add_parser("directory", help="ask shared directories about people")),
        *_front(commands.add_parser("front", help="configuration of a server in front of an application")),
        *_people(commands),
        _key(commands.add_parser("key", help="create, list, rotate and retire the gateway's keys")),
    )
    metadata = commands.add_parser("metadata", help="print the gateway's signed SAML metadata")
    _folder_or_usual(metadata)
    _organisations(
        commands.add_parser("organisations", help="import the table in which people find their organisation")
    )
    for command in outputs:
        command.add_argument(
            "--output", choices=("text", "json"), default="text", help="text for people, JSON for programs"
        )
    return parser


def _provider(command: argparse.ArgumentParser) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    show = commands.add_parser("show", help="print every value and where it comes from")
    show.add_argument("name", metavar="NAME")
    add = commands.add_parser("add", help="look at a provider, propose its file, ask for the rest and write the file")
    provider_add(add)
    for one in (show, add):
        _folder_or_usual(one)
    return show, add


def _serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("folder", type=Path, metavar="FOLDER")
    serve.add_argument(
        "--replace", action="store_true", help="take over from the running gateway, without losing a request"
    )
    serve.add_argument(
        "--yes", action="store_true", help="with --replace: accept that more than half of the hosts disappear"
    )


def _of_running(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> Iterator[argparse.ArgumentParser]:
    reload = commands.add_parser("reload", help="reload the policy folder and print the result")
    restart = commands.add_parser("restart", help="restart the gateway without losing a request")
    for one in (reload, restart):
        _running(one)
        one.add_argument("--yes", action="store_true", help="accept that more than half of the hosts disappear")
        yield one


def _people(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> Iterator[argparse.ArgumentParser]:
    yield from _session(commands.add_parser("session", help="list, show and end sessions"))
    yield from _account(commands.add_parser("account", help="link people to their accounts in applications"))


def _session(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yields the parser of each subcommand."""
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = commands.add_parser("list", help="list sessions, all of them or a selection")
    show = commands.add_parser("show", help="show one session")
    revoke = commands.add_parser("revoke", help="end sessions everywhere; asks before ending several")
    show.add_argument("id", metavar="ID")
    for one in (listed, revoke):
        _meant(one)
    revoke.add_argument("--all", action="store_true", help="every session")
    revoke.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    for one in (listed, show, revoke):
        _running(one)
        yield one


def _meant(command: argparse.ArgumentParser) -> None:
    command.add_argument("--id", action="append", default=[], metavar="ID", help="this session; can be repeated")
    command.add_argument("--provider", metavar="NAME", help="of people who signed in with this provider")
    command.add_argument("--issuer", metavar="URL", help="with --subject: the provider's issuer or entityID")
    command.add_argument(
        "--subject", metavar="SUBJECT", help="of this person, by their identifier at --provider or --issuer"
    )
    command.add_argument("--tenant", metavar="SIRET", help="of people who act for this organisation")
    command.add_argument("--application", metavar="NAME", help="of people who opened this application")
    command.add_argument("--older-than", metavar="AGE", help="of people who signed in longer ago: 90s, 30m, 8h, 2d")


def _key(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The command that has an output for programs."""
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    new = commands.add_parser("new", help="create a keyring with its first key")
    new.add_argument("kind", choices=("store", "saml", "client"), help="what the key is used for")
    new.add_argument(
        "--from", dest="of", type=Path, metavar="FILE", help="start from this single store key; --id is its id"
    )
    listed = commands.add_parser("list", help="list the keys by id and dates, without secrets")
    rotate = commands.add_parser("rotate", help="add the next key: accepted at once, used later")
    retire = commands.add_parser("retire", help="stop accepting a key")
    for one in (new, listed, rotate, retire):
        one.add_argument("file", type=Path, metavar="FILE")
    for one in (new, rotate):
        one.add_argument("--id", help="id of the key; by default its kind and the time")
        one.add_argument("--algorithm", choices=("ES256", "RS256"), default="ES256", help="algorithm of a client's key")
    rotate.add_argument("--in", dest="use_in", metavar="TIME", help="delay before the key is used: 1h, 14d")
    rotate.add_argument("--keep", metavar="TIME", help="how long the other keys stay accepted after that")
    retire.add_argument("id", metavar="ID")
    retire.add_argument("--in", dest="use_in", metavar="TIME", help="delay; by default at once")
    return listed


def _explain(explain: argparse.ArgumentParser) -> argparse.ArgumentParser:
    explain.add_argument("method", metavar="METHOD")
    explain.add_argument("url", metavar="URL")
    explain.add_argument(
        "--as",
        dest="person",
        type=Path,
        metavar="FILE",
        help="file that describes a person, or a saved /_ecluse/session",
    )
    explain.add_argument("--client", metavar="ADDRESS", help="address of the client")
    explain.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="a header of the request"
    )
    explain.add_argument(
        "--at", metavar="TIME", help="time of the request, as 2026-11-24T09:30:00+01:00; by default now"
    )
    _folder_or_usual(explain)
    return explain


def _account(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yields the parser of each subcommand."""
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = commands.add_parser("list", help="list the links, all or those of one application")
    link = commands.add_parser("link", help="link a person to an account of an application")
    unlink = commands.add_parser("unlink", help="remove links; asks before removing several")
    exported = commands.add_parser("export", help="print the links as CSV")
    imported = commands.add_parser("import", help="read links from CSV, all of them or none")
    refuse = commands.add_parser(
        "refuse", help="refuse a request; the person sees the answer until the request is deleted"
    )
    for one in (link, unlink):
        one.add_argument("application", metavar="APPLICATION")
    link.add_argument("login", metavar="LOGIN")
    imported.add_argument("table", type=Path, metavar="FILE")
    for one in (link, unlink):
        issuer = one.add_mutually_exclusive_group()
        issuer.add_argument(
            "--provider", metavar="NAME", help="the person's provider; by default the application's only one"
        )
        issuer.add_argument("--issuer", metavar="URL", help="the provider's issuer or entityID")
        person = one.add_mutually_exclusive_group(required=one is link)
        person.add_argument("--subject", metavar="SUBJECT", help="the person's identifier at the provider")
        person.add_argument("--person", metavar="NAME=VALUE", help="the person's attributes, with & between several")
        if one is link:
            person.add_argument(
                "--request", metavar="REFERENCE", help="the person who sent this request; the request is then closed"
            )
    unlink.add_argument("--login", metavar="LOGIN", help="the person with this account")
    unlink.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    link.add_argument("--secret", type=Path, metavar="FILE", help="file with the account's password")
    for one in (link, imported):
        one.add_argument("--replace", action="store_true", help="replace the person's other account")
    for one in (listed, exported):
        one.add_argument("--application", metavar="NAME", help="of this application only")
    listed.add_argument("--requests", action="store_true", help="list the requests of people instead of links")
    refuse.add_argument("reference", metavar="REFERENCE")
    refuse.add_argument("--fr", default="", metavar="TEXT", help="reason that the person reads, in French")
    refuse.add_argument("--en", default="", metavar="TEXT", help="the reason in English")
    refuse.add_argument(
        "--forget",
        action="store_true",
        help="delete the request without an answer: the person can send another at once",
    )
    exported.add_argument("--secrets", action="store_true", help="with the passwords in clear text")
    for one in (listed, link, unlink, refuse, exported, imported):
        _folder_or_usual(one)
    yield from (listed, link, unlink, refuse, imported)


def _front(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    lines = commands.add_parser("lines", help="print the lines that the server's configuration needs")
    check = commands.add_parser("check", help="check that the server's configuration has these lines")
    for one in (lines, check):
        one.add_argument("name", metavar="APPLICATION")
    _folder_or_usual(lines)
    _words_and_folder(check, "APPLICATION", "configuration", "FILE", os.path.isdir)
    yield from (lines, check)


def _directory(directory: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    commands = directory.add_subparsers(dest="what", required=True, metavar="WHAT")
    refresh = commands.add_parser("refresh", help="look up people who are signed in again, at their next request")
    _meant(refresh)
    refresh.add_argument("--all", action="store_true", help="everybody")
    _running(refresh)
    elus = commands.add_parser("import-elus", help="import mandates from a file of the Répertoire national des élus")
    elus.add_argument("file", type=Path, metavar="FILE", help="file as published, such as elus-maires.csv")
    elus.add_argument("--people", type=Path, required=True, metavar="FILE", help="uid;nom;prenom;naissance;commune")
    elus.add_argument("--until", required=True, metavar="DAY", help="the last day of these mandates")
    elus.add_argument("--table", type=Path, required=True, metavar="FILE", help="output: the table for a directory")
    elus.add_argument(
        "--report", type=Path, required=True, metavar="FILE", help="output: people without a mandate, and why"
    )
    test = commands.add_parser("test", help="look up one key in a directory")
    test.add_argument("name", metavar="NAME")
    _words_and_folder(test, "NAME", "key", "COLUMN=VALUE", lambda word: "=" not in word)
    yield from (refresh, test)


def _organisations(command: argparse.ArgumentParser) -> None:
    imported = command.add_subparsers(dest="what", required=True, metavar="WHAT").add_parser(
        "import",
        help="import communes, groupings, départements and regions from @etalab/decoupage-administratif of npm",
    )
    imported.add_argument("archive", type=Path, metavar="FILE", help="file that `npm pack` fetched")
    imported.add_argument("--as-of", required=True, metavar="DAY", help="date of the data, shown to people")
    _folder_or_usual(imported)


def _doctor(doctor: argparse.ArgumentParser) -> argparse.ArgumentParser:
    app = doctor.add_subparsers(dest="what", required=True, metavar="WHAT").add_parser(
        "app", help="check that an application answers, and that its login form matches its file; sends no account"
    )
    app.add_argument("name", metavar="NAME")
    _folder_or_usual(app)
    return app


def _running(command: argparse.ArgumentParser) -> None:
    _folder_or_usual(command)
    command.add_argument(
        "--state", type=Path, metavar="FOLDER", help="state folder; by default the one that gateway.yaml names"
    )


def _folder_or_usual(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, nargs="?", default=_USUAL_FOLDER, metavar="FOLDER", help=_FOLDER_HELP)


def _words_and_folder(
    command: argparse.ArgumentParser, first: str, name: str, metavar: str, is_folder: Callable[[str], bool]
) -> None:
    """One or more words, then the policy folder. argparse cannot tell the folder from the last of the words."""

    class Split(argparse.Action):
        def __call__(
            self, parser: argparse.ArgumentParser, told: argparse.Namespace, given: Any, _: Any = None
        ) -> None:
            folders = [Path(word) for word in given if is_folder(word)]
            words = [word for word in given if not is_folder(word)]
            if not words or len(folders) > 1:
                parser.error(f"expected {metavar} once or more, then at most one policy folder")
            setattr(told, name, words)
            told.folder = folders[0] if folders else _USUAL_FOLDER

    command.usage = f"%(prog)s [-h] [--output {{text,json}}] {first} {metavar} ... [FOLDER]"
    command.add_argument(name, nargs="+", action=Split, metavar=f"{metavar} ... [FOLDER]", help=_FOLDER_HELP)
