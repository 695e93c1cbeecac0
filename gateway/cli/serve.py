"""`ecluse serve`: runs the supervisor until told to stop."""

import asyncio
import os
import signal
import sys
from argparse import Namespace
from pathlib import Path
from threading import Thread

from gateway.cli.saying import said_to_be_wrong, to_be_checked
from gateway.ops.log import Log
from gateway.server.compiling import Refused
from gateway.server.faults import CannotServe, into_log
from gateway.server.listeners import allow_many_files
from gateway.server.restart import own_standard_error
from gateway.server.service_manager import ServiceManager
from gateway.server.supervisor import Supervisor

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2


def run(told: Namespace) -> int:
    return serve(told.folder, replaces=told.replace, fewer_hosts=told.yes)


def serve(folder: Path, *, replaces: bool = False, fewer_hosts: bool = False) -> int:
    """Serves, and returns exit status 0 after a drain, 1 if the folder has problems, or if an address or the state
    folder cannot be used."""
    _open_standard_files()
    allow_many_files()
    log = Log(_STANDARD_OUTPUT)
    try:
        with own_standard_error(os.environ) as is_restart:
            manager = ServiceManager(os.environ, os.getpid())
            supervisor = Supervisor(
                folder,
                log,
                manager=manager,
                replaces=replaces,
                is_restart=is_restart,
                fewer_hosts=fewer_hosts,
                say=_say,
            )
            asyncio.run(_supervise(supervisor, log))
    except Refused as refused:
        print(f"{refused}\n", file=sys.stderr)
        said_to_be_wrong(f"the folder {folder} is refused, so nothing is served ({to_be_checked(folder)})")
        return 1
    except CannotServe as why:
        print(f"ecluse: {why}", file=sys.stderr)
        return 1
    finally:
        log.close()
    return 0


def _open_standard_files() -> None:
    """Opens closed standard files. Otherwise a socket could get the number of such a file, and the log would go to the
    socket."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


async def _supervise(supervisor: Supervisor, log: Log) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(into_log(log))
    # Handles signals first: an early signal must not end the process by the default action.
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, supervisor.stop)
    loop.add_signal_handler(signal.SIGHUP, supervisor.reload)
    await supervisor.run()


def _say(text: str) -> None:
    """Prints a text to a person at a terminal; readers of the log have the text there. A stopped terminal (Ctrl-S)
    holds up only a thread."""
    if sys.stderr.isatty():
        Thread(target=print, args=(f"ecluse: {text}",), kwargs={"file": sys.stderr, "flush": True}, daemon=True).start()
