"""The messages between systemd and the gateway: sd_listen_fds(3), sd_notify(3), and the watchdog of
sd_watchdog_enabled(3).

The variables are removed from the environment, so that no worker and no helper speaks for the gateway."""

import asyncio
import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress

from gateway.server.faults import CannotServe

_FIRST = 3
_VARIABLES = (
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
)


class ServiceManager:
    """The service manager of this process. Without systemd's variables, every method does nothing.

    `environment`: the environment with which the process was started.
    `pid`: the id of this process; variables for another process do not count."""

    def __init__(self, environment: MutableMapping[str, str], pid: int) -> None:
        told = {name: environment.pop(name, "") for name in _VARIABLES}
        number = told["LISTEN_FDS"] if told["LISTEN_PID"] == str(pid) else ""
        names = told["LISTEN_FDNAMES"].split(":")
        self._descriptors = range(_FIRST, _FIRST + int(number)) if number.isdigit() else range(0)
        self._names = [*names, *[""] * len(self._descriptors)][: len(self._descriptors)]
        self._address = told["NOTIFY_SOCKET"]
        # For a successor. WATCHDOG_PID is omitted: it names the present process.
        self.environment = {name: told[name] for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC") if told[name]}
        is_watched = told["WATCHDOG_USEC"].isdigit() and told["WATCHDOG_PID"] in ("", str(pid))
        self._watched_every = int(told["WATCHDOG_USEC"]) / 2e6 if is_watched else 0.0

    def sockets(self) -> list[tuple[str, socket.socket]]:
        """The sockets that systemd has bound for the gateway, with their names (FileDescriptorName=). To be called
        once. Raises CannotServe."""
        found = []
        for name, descriptor in zip(self._names, self._descriptors, strict=True):
            os.set_inheritable(descriptor, False)
            try:
                each = socket.socket(fileno=descriptor)
            except OSError as error:
                raise CannotServe(f"file {descriptor} from systemd is no socket: {error.strerror}") from error
            each.setblocking(False)
            found.append((name, each))
        return found

    def ready(self, status: str) -> None:
        self._say("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def succeeded_by(self, pid: int) -> None:
        """Tells systemd that another process continues the service."""
        self._say(f"MAINPID={pid}")
        # The end of this process must not undo the messages of the successor.
        self._address = ""

    async def keep_awake(self) -> None:
        """Tells systemd regularly that the loop turns; returns at once if systemd does not watch this process."""
        while self._watched_every:
            self._say("WATCHDOG=1")
            await asyncio.sleep(self._watched_every)

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        # An abstract address is written with an @.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # While the service manager restarts itself, it receives no messages and needs none.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto("\n".join(lines).encode(), address)
