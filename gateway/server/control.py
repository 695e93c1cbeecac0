"""The control socket in the state folder. An account that may write to the folder may ask for a reload or about
sessions, and receives the result. A question is a line, its answer a line of JSON."""

import asyncio
import json
import os
import pwd
import secrets
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from gateway.model.unix_socket import CONTROL_SOCKET
from gateway.server.faults import CannotServe

RELOAD = b"reload\n"
# The operator agrees to lose hosts.
RELOAD_WITH_FEWER_HOSTS = b"reload --yes\n"
# Sent by the successor of this gateway, to which the connection then belongs.
SUCCEED = b"succeed\n"
# The question to start the program again. `process`: the id of the new gateway. `yes`: true to lose hosts.
RESTART = {"what": "restart"}
_ASKED_WITHIN = 5.0
_BESIDE_WITHIN = 1.0
_TOLD_WITHIN = 5.0
_BACKLOG = 16

ReloadVerdict = dict[str, Any]
"""`verdict`: live, refused or partly.
`revision`: the revision of the live plan.
`detail`: the reason; may be empty.
`code`: the code of a refusal that is no problem of a file (server/replacement.py).
`kept`: with partly, the app files that stay in their last served form.
`closed`: with partly, the app files whose hosts are closed."""

ControlAnswer = dict[str, Any]
"""The answer to a question: JSON values, or `error` with a text."""

ControlAnswers = Callable[[dict[str, Any]], Awaitable[ControlAnswer]]
"""Answers a question. `operator` in the question is the user of the connection, not a field of the client."""

_CREDENTIALS = struct.Struct("3i")


class Control:
    """The control socket of a gateway.

    `reloaded`: reloads the folder; its argument says whether hosts may go.
    `answers`: answers a question in JSON.
    `succeeded`: called with the connection to a successor."""

    def __init__(
        self,
        folder: Path,
        reloaded: Callable[[bool], Awaitable[ReloadVerdict]],
        answers: ControlAnswers,
        succeeded: Callable[[socket.socket], Awaitable[None]],
    ) -> None:
        self._succeeded = succeeded
        self.folder = folder
        self._reloaded = reloaded
        self._answers = answers
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self) -> bool:
        """Listens under the socket's name, and takes the name from an older gateway: clients ask the newest gateway.
        Raises CannotServe.

        Returns whether another gateway had the name. Such a gateway is not leaving yet: a gateway that drains has given
        up the name."""
        beside = await asyncio.to_thread(_is_served, self.folder)
        listening, self._inode = _bound(self.folder)
        if self._server is not None:
            self._server.close()
        self._server = await asyncio.start_unix_server(self._answer, sock=listening)
        return beside

    @property
    def has_name(self) -> bool:
        """Whether a gateway has the name, this gateway or a newer one."""
        return (self.folder / CONTROL_SOCKET).exists()

    async def stop(self) -> None:
        """Removes the socket's name, unless another gateway has taken it, and stops listening."""
        path = self.folder / CONTROL_SOCKET
        with suppress(OSError):
            if path.stat().st_ino == self._inode:
                path.unlink()
        if self._server is not None:
            self._server.close()

    async def answered(self) -> None:
        """Waits until the clients have received their answers: the end of this gateway is the answer to a restart."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_TOLD_WITHIN)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await asyncio.wait_for(reader.readline(), _ASKED_WITHIN)
            if asked == SUCCEED:
                await self._succeeded(_taken_from(writer))
                return
            await self._write_answer(asked, writer)
        except (OSError, TimeoutError, ValueError):
            pass  # the client has gone, or sent nothing
        finally:
            writer.close()

    async def _write_answer(self, asked: bytes, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._told_to(writer, asked))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await task

    async def _told_to(self, writer: asyncio.StreamWriter, asked: bytes) -> None:
        writer.write(json.dumps(await self._told(asked, _operator(writer))).encode() + b"\n")
        try:
            async with asyncio.timeout(_TOLD_WITHIN):
                await writer.drain()
        except TimeoutError:
            writer.transport.abort()  # it does not read

    async def _told(self, asked: bytes, operator: str) -> ControlAnswer:
        if asked in (RELOAD, RELOAD_WITH_FEWER_HOSTS):
            return await self._reloaded(asked == RELOAD_WITH_FEWER_HOSTS)
        question = _question(asked)
        if question is None:
            return {"verdict": "unknown", "detail": "not a command"}
        return await self._answers({**question, "operator": operator})


def _taken_from(writer: asyncio.StreamWriter) -> socket.socket:
    """A second descriptor of the connection, so that the writer's own descriptor may be closed. The writer's transport
    stops reading: the next bytes of the successor belong to the owner of the second descriptor."""
    cast(asyncio.ReadTransport, writer.transport).pause_reading()
    return socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))


def _operator(writer: asyncio.StreamWriter) -> str:
    """The user at the other end, from the kernel (unix(7), SO_PEERCRED); the user's number if the user has no name."""
    connection: socket.socket = writer.get_extra_info("socket")
    _, user, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def ask(folder: Path, question: dict[str, Any], within: float) -> ControlAnswer:
    """The answer to a question. Raises OSError if no gateway answers, ValueError if the answer cannot be read."""
    return _said(folder, json.dumps(question).encode() + b"\n", within)


def ask_to_reload(folder: Path, within: float, *, fewer_hosts: bool = False) -> ReloadVerdict:
    """Raises as `ask` does."""
    return _said(folder, RELOAD_WITH_FEWER_HOSTS if fewer_hosts else RELOAD, within)


def _said(folder: Path, line: bytes, within: float) -> dict[str, Any]:
    with connect(folder, within) as connection, connection.makefile("rb") as answers:
        connection.sendall(line)
        answer: dict[str, Any] = json.loads(answers.readline())
        return answer


def _question(line: bytes) -> dict[str, Any] | None:
    try:
        asked = json.loads(line)
    except ValueError:
        return None
    return asked if isinstance(asked, dict) else None


def connect(folder: Path, within: float) -> socket.socket:
    """A connection to the control socket. Raises OSError if no gateway answers."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(within)
        connection.connect(f"/proc/self/fd/{descriptor}/{CONTROL_SOCKET}")
    except OSError:
        connection.close()
        raise
    finally:
        os.close(descriptor)
    return connection


def _is_served(folder: Path) -> bool:
    try:
        connect(folder, _BESIDE_WITHIN).close()
    except OSError:
        return False
    return True


def _bound(folder: Path) -> tuple[socket.socket, int]:
    """A socket for its owner alone, and its inode. Bound through the folder's descriptor, because a socket's path has
    107 bytes at most."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    beside = f".{CONTROL_SOCKET}.{secrets.token_hex(4)}"
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            listening.bind(f"/proc/self/fd/{descriptor}/{beside}")
            inode = os.stat(beside, dir_fd=descriptor).st_ino
            listening.listen(_BACKLOG)
            os.rename(beside, CONTROL_SOCKET, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        listening.close()
        raise CannotServe(f"cannot listen on {folder / CONTROL_SOCKET}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    listening.setblocking(False)
    return listening, inode
