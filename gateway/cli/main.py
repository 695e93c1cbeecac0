"""The command `ecluse`. Heavy imports wait until their command is asked for: `--help` answers at once."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway import __version__

# How the supervisor starts a worker, on sockets that it passes down: `worker CONTROL LISTENING...`. No command of ours.
_WORKER = "worker"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 the folder has problems or an address cannot be had, 2 wrong usage."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == [_WORKER]:
        return _work(given[1:])
    arguments = _parser().parse_args(given)
    if arguments.command == "serve":
        # No files are read yet, so that nothing is missed; and the default would end the process.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

        from gateway.cli.serve import serve

        return serve(arguments.folder)

    from gateway.cli.check import check

    return check(arguments.folder)


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
    check = commands.add_parser("check", help="read a policy folder whole and print every problem")
    for command in (serve, check):
        command.add_argument("folder", type=Path, metavar="FOLDER")
    return parser
