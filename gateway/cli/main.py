"""The command `ecluse`. Heavy imports wait until their command is asked for: `--help` answers at once."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 the folder has problems or an address cannot be had, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    match arguments.command:
        case "serve":
            from gateway.cli.serve import serve

            return serve(arguments.folder)
        case "check":
            from gateway.cli.check import check

            return check(arguments.folder)
        case _:
            from gateway.app import work

            return work(arguments.control, arguments.listening)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ecluse", description="Identity gateway for applications that cannot sign in."
    )
    parser.add_argument("--version", action="version", version=f"ecluse {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve a policy folder until SIGTERM; SIGHUP takes it anew")
    serve.add_argument("folder", type=Path)
    check = commands.add_parser("check", help="read a policy folder whole and print every problem")
    check.add_argument("folder", type=Path)
    # Started by the supervisor alone, on sockets that it passes down.
    worker = commands.add_parser("worker")
    worker.add_argument("control", type=int)
    worker.add_argument("listening", type=int, nargs="*")
    return parser


if __name__ == "__main__":
    sys.exit(main())
