"""The command `ecluse`: one module for each command, loaded when it is asked for, so that `--help` answers at once."""

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
from gateway.cli.output import OutputLost, guarded_output

# How the supervisor starts a worker, on sockets that it passes down: `worker CONTROL LISTENING...`. No command of ours.
_WORKER = "worker"

# An id of a session that begins with "-".
_DASHED_ID = re.compile(r"-[A-Za-z0-9_-]{21}")

# Where a command is given no policy folder.
_USUAL_FOLDER = Path("policies")
_FOLDER_HELP = f"the policy folder; `{_USUAL_FOLDER}` where it is left out"

# What is done about a library of ours that is not there, or does not fit this machine.
_INSTALL = "config.library: install the gateway anew, docs/how-to/install-it.md"

# The status that a shell reports for a process ended by SIGPIPE.
_NOBODY_READS = 141


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status, as cli.exits says it."""
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
    """argparse takes an id of a session that begins with "-" for an option: it goes behind "=", or behind "--"."""
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
    """Python writes what is left at its end: that must not fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(told: argparse.Namespace) -> int:
    if told.command == "serve":
        # No files are read yet, so nothing is missed, and the default action would end the process.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    elif why := _unreadable(told):
        print(f"ecluse: {why}", file=sys.stderr)
        return Exit.USAGE
    told.as_json = getattr(told, "output", "text") == "json"
    command = importlib.import_module(f"gateway.cli.{told.command}")
    status: int = command.run(told)
    return status


def _unreadable(told: argparse.Namespace) -> str:
    """The reason why a folder that is named cannot be read; empty where every one can."""
    for name in ("folder", "old", "new"):
        folder = getattr(told, name, None)
        if folder is not None:
            try:
                os.scandir(folder).close()
            except OSError as error:
                named = (
                    "" if folder != _USUAL_FOLDER else " (none is named: /etc/ecluse/policies where it is installed)"
                )
                return f"the folder {folder} cannot be read: {error.strerror}{named}"
    return ""


def _work(given: Sequence[str]) -> int:
    if not given or not all(map(str.isdigit, given)):
        print("ecluse: a worker is started by `ecluse serve` alone", file=sys.stderr)
        return 2

    from gateway.app import work

    control, *listening = map(int, given)
    return work(control, listening)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ecluse", description="Identity gateway for applications that cannot sign in."
    )
    parser.add_argument("--version", action="version", version=f"ecluse {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve a policy folder until SIGTERM; SIGHUP takes it anew")
    serve.add_argument("folder", type=Path, metavar="FOLDER")
    serve.add_argument("--replace", action="store_true", help="takes the place of one that runs, and loses no request")
    serve.add_argument(
        "--yes", action="store_true", help="with --replace: also where most hosts of that one would be gone"
    )
    check = commands.add_parser("check", help="read a policy folder whole and print every problem")
    check.add_argument("--live", action="store_true", help="ask the servers of directories too")
    _folder_or_usual(check)
    explain = _explain(commands.add_parser("explain", help="what comes of one request, rule by rule"))
    test = commands.add_parser("test", help="the tests of the folder itself, and which rules they cover")
    _folder_or_usual(test)
    test.add_argument("--junit", type=Path, metavar="FILE", help="the outcome in JUnit's form")
    test.add_argument("--watch", action="store_true", help="again after every change, until interrupted")
    diff = commands.add_parser("diff", help="what differs between two folders, in files and in what comes of requests")
    diff.add_argument("old", type=Path, metavar="OLD")
    diff.add_argument("new", type=Path, metavar="NEW")
    diff.add_argument("--log", type=Path, metavar="FILE", help="an access log, whose requests are tried too")
    fmt = commands.add_parser("fmt", help="one layout for every file of the folder")
    _folder_or_usual(fmt)
    fmt.add_argument("--check", action="store_true", help="only say which files have another layout")
    lint = commands.add_parser("lint", help="what can be served and is most likely a mistake")
    _folder_or_usual(lint)
    provider = commands.add_parser("provider", help="what a provider's file comes to, with its preset")
    show = provider.add_subparsers(dest="what", required=True, metavar="WHAT").add_parser(
        "show", help="every value that counts, and where it comes from"
    )
    show.add_argument("name", metavar="NAME")
    _folder_or_usual(show)
    outputs = (
        check,
        explain,
        test,
        diff,
        fmt,
        lint,
        *_of_running(commands),
        show,
        _doctor(commands.add_parser("doctor", help="looks at what only a running part can tell")),
        *_directory(commands.add_parser("directory", help="asks shared directories: by hand, or of all anew")),
        *_front(commands.add_parser("front", help="what a server in front has to write for an application")),
        *_people(commands),
        _key(commands.add_parser("key", help="our own keys, in files that gateway.yaml and providers' files name")),
    )
    metadata = commands.add_parser("metadata", help="prints what SAML providers have to know of us, signed")
    _folder_or_usual(metadata)
    _organisations(commands.add_parser("organisations", help="the table by which people find their organisation"))
    for command in outputs:
        command.add_argument("--output", choices=("text", "json"), default="text", help="for people, or for programs")
    return parser


def _of_running(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> Iterator[argparse.ArgumentParser]:
    reload = commands.add_parser("reload", help="has the running gateway take its folder anew, and tells the verdict")
    restart = commands.add_parser("restart", help="has the running gateway start the program anew, and lose no request")
    for one in (reload, restart):
        _running(one)
        one.add_argument(
            "--yes", action="store_true", help="also where most of the hosts that are served would be gone"
        )
        yield one


def _people(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> Iterator[argparse.ArgumentParser]:
    yield from _session(commands.add_parser("session", help="which sessions there are, and that some end"))
    yield from _account(commands.add_parser("account", help="which login of an application is whose"))


def _session(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Each of its own commands."""
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = commands.add_parser("list", help="every session, or those that are meant")
    show = commands.add_parser("show", help="what is known of one without its cookie")
    revoke = commands.add_parser("revoke", help="ends sessions everywhere; asks before it ends more than one")
    show.add_argument("id", metavar="ID")
    for one in (listed, revoke):
        _meant(one)
    revoke.add_argument("--all", action="store_true", help="every session, where nothing else is said")
    revoke.add_argument("--yes", action="store_true", help="does not ask")
    for one in (listed, show, revoke):
        _running(one)
        yield one


def _meant(command: argparse.ArgumentParser) -> None:
    command.add_argument("--id", action="append", default=[], metavar="ID", help="this one; may be said again")
    command.add_argument("--provider", metavar="NAME", help="who signed in there")
    command.add_argument("--issuer", metavar="URL", help="of --subject: the provider's issuer or entityID")
    command.add_argument("--subject", metavar="SUBJECT", help="of this person, as --provider or --issuer names them")
    command.add_argument("--tenant", metavar="SIRET", help="in whose name they act")
    command.add_argument("--application", metavar="NAME", help="who has been at this one")
    command.add_argument("--older-than", metavar="AGE", help="who signed in longer ago: 90s, 30m, 8h, 2d")


def _key(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The command that has an output for programs."""
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    new = commands.add_parser("new", help="makes a keyring with its first key")
    new.add_argument("kind", choices=("store", "saml", "client"), help="what it is for")
    new.add_argument(
        "--from", dest="of", type=Path, metavar="FILE", help="a store key that stood alone; --id is its own"
    )
    listed = commands.add_parser("list", help="the keys by id and dates, and nothing secret of them")
    rotate = commands.add_parser("rotate", help="adds the key that follows, known at once and used later")
    retire = commands.add_parser("retire", help="has a key accepted no longer")
    for one in (new, listed, rotate, retire):
        one.add_argument("file", type=Path, metavar="FILE")
    for one in (new, rotate):
        one.add_argument("--id", help="of the key; else the kind and the time")
        one.add_argument("--algorithm", choices=("ES256", "RS256"), default="ES256", help="of a client's key")
    rotate.add_argument("--in", dest="use_in", metavar="TIME", help="how long from now it is used: 1h, 14d")
    rotate.add_argument("--keep", metavar="TIME", help="how long from then the others are accepted")
    retire.add_argument("id", metavar="ID")
    retire.add_argument("--in", dest="use_in", metavar="TIME", help="how long from now; else at once")
    return listed


def _explain(explain: argparse.ArgumentParser) -> argparse.ArgumentParser:
    explain.add_argument("method", metavar="METHOD")
    explain.add_argument("url", metavar="URL")
    explain.add_argument("--as", dest="person", type=Path, metavar="FILE", help="a person, or a saved /_ecluse/session")
    explain.add_argument("--client", metavar="ADDRESS", help="where the client is")
    explain.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="a header it sends")
    explain.add_argument("--at", metavar="TIME", help="when, as 2026-11-24T09:30:00+01:00; now if left out")
    _folder_or_usual(explain)
    return explain


def _account(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Each of its own commands."""
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = commands.add_parser("list", help="every link, or those of one application")
    link = commands.add_parser("link", help="gives a person a login of an application")
    unlink = commands.add_parser("unlink", help="takes links back; asks before it takes more than one")
    exported = commands.add_parser("export", help="the links as CSV, on standard output")
    imported = commands.add_parser("import", help="takes links from CSV, all of them or none")
    refuse = commands.add_parser("refuse", help="refuses a request; the person reads so until it is forgotten")
    for one in (link, unlink):
        one.add_argument("application", metavar="APPLICATION")
    link.add_argument("login", metavar="LOGIN")
    imported.add_argument("table", type=Path, metavar="FILE")
    for one in (link, unlink):
        issuer = one.add_mutually_exclusive_group()
        issuer.add_argument("--provider", metavar="NAME", help="who says who they are; else the application's only one")
        issuer.add_argument("--issuer", metavar="URL", help="the same by the provider's issuer or entityID")
        person = one.add_mutually_exclusive_group(required=one is link)
        person.add_argument("--subject", metavar="SUBJECT", help="how the provider names them")
        person.add_argument("--person", metavar="NAME=VALUE", help="by attributes, with & between several")
        if one is link:
            person.add_argument(
                "--request", metavar="REFERENCE", help="who asked for it by this request, which is done"
            )
    unlink.add_argument("--login", metavar="LOGIN", help="whoever has this login")
    unlink.add_argument("--yes", action="store_true", help="does not ask")
    link.add_argument("--secret", type=Path, metavar="FILE", help="with the secret of the login, which stands there")
    for one in (link, imported):
        one.add_argument("--replace", action="store_true", help="also where the person has another login")
    for one in (listed, exported):
        one.add_argument("--application", metavar="NAME", help="of this one alone")
    listed.add_argument("--requests", action="store_true", help="what people have asked for, in the place of links")
    refuse.add_argument("reference", metavar="REFERENCE")
    refuse.add_argument("--fr", default="", metavar="TEXT", help="what the person reads of it, in French")
    refuse.add_argument("--en", default="", metavar="TEXT", help="the same in English")
    refuse.add_argument("--forget", action="store_true", help="says nothing: the person can send another at once")
    exported.add_argument("--secrets", action="store_true", help="with the secrets, in clear")
    for one in (listed, link, unlink, refuse, exported, imported):
        _folder_or_usual(one)
    yield from (listed, link, unlink, refuse, imported)


def _front(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    commands = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    lines = commands.add_parser("lines", help="the lines that its configuration needs")
    check = commands.add_parser("check", help="whether its configuration has them")
    for one in (lines, check):
        one.add_argument("name", metavar="APPLICATION")
    _folder_or_usual(lines)
    _words_and_folder(check, "APPLICATION", "configuration", "FILE", os.path.isdir)
    yield from (lines, check)


def _directory(directory: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    commands = directory.add_subparsers(dest="what", required=True, metavar="WHAT")
    refresh = commands.add_parser("refresh", help="has people who are signed in looked up again at their next request")
    _meant(refresh)
    refresh.add_argument("--all", action="store_true", help="everybody")
    _running(refresh)
    elus = commands.add_parser("import-elus", help="mandates from a file of the Répertoire national des élus")
    elus.add_argument("file", type=Path, metavar="FILE", help="as it is published: elus-maires.csv")
    elus.add_argument("--people", type=Path, required=True, metavar="FILE", help="uid;nom;prenom;naissance;commune")
    elus.add_argument("--until", required=True, metavar="DAY", help="the last day of these mandates")
    elus.add_argument("--table", type=Path, required=True, metavar="FILE", help="is written: what a directory reads")
    elus.add_argument("--report", type=Path, required=True, metavar="FILE", help="is written: whom it misses, and why")
    test = commands.add_parser("test", help="what it says under a key")
    test.add_argument("name", metavar="NAME")
    _words_and_folder(test, "NAME", "key", "COLUMN=VALUE", lambda word: "=" not in word)
    yield from (refresh, test)


def _organisations(command: argparse.ArgumentParser) -> None:
    imported = command.add_subparsers(dest="what", required=True, metavar="WHAT").add_parser(
        "import", help="communes, groupings, départements and regions, from @etalab/decoupage-administratif of npm"
    )
    imported.add_argument("archive", type=Path, metavar="FILE", help="as `npm pack` brings it")
    imported.add_argument("--as-of", required=True, metavar="DAY", help="the day of the data, as people are shown it")
    _folder_or_usual(imported)


def _doctor(doctor: argparse.ArgumentParser) -> argparse.ArgumentParser:
    app = doctor.add_subparsers(dest="what", required=True, metavar="WHAT").add_parser(
        "app", help="whether an application answers, and its login form is as its file says; no account is sent"
    )
    app.add_argument("name", metavar="NAME")
    _folder_or_usual(app)
    return app


def _running(command: argparse.ArgumentParser) -> None:
    _folder_or_usual(command)
    command.add_argument("--state", type=Path, metavar="FOLDER", help="its state folder; else as gateway.yaml names it")


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
