"""The link between a gateway and its successor, from the successor's start until the older gateway has left. An end of
a session takes effect in both gateways before it is reported."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from gateway.config.snapshot import Gateway
from gateway.server.channel import Channel, ChannelLost, Message
from gateway.server.control import SUCCEED, connect
from gateway.server.faults import CannotServe
from gateway.server.inherited import Inherited

# Long, for a busy machine: the older gateway serves while the successor waits.
_ANSWERED_WITHIN = 20.0
_REVOKED_WITHIN = 1.0
_REFRESHED_WITHIN = 15.0
# The older gateway closes its shared data, and waits until a fetch under way has ended.
_LEFT_WITHIN = 30.0
_MOST_SOCKETS = 250
_HANDED = b"\n"
_CREDENTIALS = struct.Struct("3i")


class Beside(Protocol):
    """The operations that a gateway offers to the gateway at the other end of a link."""

    async def revoke_here(self, session_ids: Sequence[str], unwritten: Sequence[str]) -> str:
        """Puts the ends in force in every worker of the gateway. Returns an empty text, or the workers that did not
        confirm. `unwritten`: the sessions among `session_ids` whose end the store does not have."""

    async def refresh_here(self, source: str) -> None: ...

    def standing(self) -> dict[str, Any]:
        """The parts of the served configuration that people depend on, in JSON (server/replacement.py)."""

    def good(self) -> bytes:
        """The app files in their served form (server/replacement.py)."""

    def refused(self, successor: int, code: str, detail: str) -> None:
        """Notes that the successor does not replace the gateway, and ends."""

    async def give_up(self, successor: int) -> None:
        """Begins to leave. Returns once the gateway has no duties left and the admin address is free."""

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` as a task of the gateway."""


class Link:
    """An end of a link between two gateways.

    `pid`: the process id of the peer.
    `received`: called with each request of the peer, and has to reply."""

    def __init__(self, pid: int, received: Callable[["Link", Message], None], lost: Callable[["Link"], None]) -> None:
        self.pid = pid
        self._channel = Channel(lambda message: received(self, message), lambda: lost(self))

    async def open(self, connection: socket.socket) -> "Link":
        connection.setblocking(False)
        await self._channel.open(connection)
        return self

    async def revoke(self, session_ids: Sequence[str], unwritten: Sequence[str]) -> str:
        """Revokes the sessions in the peer. Returns an empty text once the ends are in force, or the peer has left;
        else the reason why a session may still be open."""
        try:
            told = await self._channel.ask("revoke", within=_REVOKED_WITHIN, sessions=session_ids, unwritten=unwritten)
        except ChannelLost:
            return ""
        except TimeoutError:
            return f"gateway {self.pid}: no answer"
        return str(told.fields["detail"])

    async def refresh(self, source: str) -> None:
        with suppress(ChannelLost, TimeoutError):
            await self._channel.ask("refresh", within=_REFRESHED_WITHIN, source=source)

    async def standing(self) -> object:
        """The parts of the peer's configuration that people depend on, in JSON. None if the peer has left, or has a
        release without this request. Raises CannotServe if the peer does not answer."""
        try:
            told = await self._channel.ask("standing", within=_ANSWERED_WITHIN)
        except ChannelLost:
            return None
        except TimeoutError:
            raise CannotServe(
                f"the running gateway (process {self.pid}) did not answer within {_ANSWERED_WITHIN:.0f} seconds: try "
                "again; if this continues, stop it"
            ) from None
        return told.fields.get("standing")

    async def good(self) -> bytes:
        """The peer's app files in their served form. Empty if the peer has left, does not answer, or has a release
        without this request."""
        try:
            return (await self._channel.ask("good", within=_ANSWERED_WITHIN)).payload
        except (ChannelLost, TimeoutError):
            return b""

    async def refuse(self, code: str, detail: str) -> None:
        """Tells the peer the reason why this gateway does not replace it."""
        with suppress(ChannelLost, TimeoutError):
            await self._channel.ask("refused", within=_ANSWERED_WITHIN, successor=os.getpid(), code=code, why=detail)

    async def have_it_leave(self, successor: int) -> None:
        with suppress(ChannelLost, TimeoutError):
            await self._channel.ask("leave", within=_LEFT_WITHIN, successor=successor)

    def close(self) -> None:
        self._channel.close()

    def reply(self, asked: Message, detail: str, standing: object, payload: bytes) -> None:
        self._channel.reply(asked, payload, detail=detail, standing=standing)


class Links:
    """The links to other gateways of the state folder that start or leave.

    A gateway that starts while several older gateways run has a link only to the newest. A gateway in between passes
    messages on, but never back to the sender.
    """

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._links: set[Link] = set()
        self._elder: Link | None = None
        self._elder_left = asyncio.Event()

    async def to_successor(self, connection: socket.socket, sockets: Sequence[socket.socket]) -> None:
        """Hands the listening sockets to the successor."""
        connection.setblocking(False)
        try:
            pid = _pid_of_peer(connection)
            socket.send_fds(connection, [_HANDED], [each.fileno() for each in sockets])
        except OSError:
            connection.close()
            return
        await self._opened(connection, pid)

    async def inherit(
        self, gateway: Gateway, given: Sequence[tuple[str, socket.socket]], *, replaces: bool, is_restart: bool
    ) -> tuple[Inherited, Link | None]:
        """The sockets that were open before the gateway started, and the link to its predecessor. Raises CannotServe.

        `given`, `replaces`: the gateway has a predecessor if the service manager has given sockets, or if `replaces`.
        `is_restart`: the predecessor has started the gateway."""
        found = None
        if (given or replaces) and gateway.store != "memory":
            found = await self.to_elder(Path(gateway.state_folder))
        if found is None and is_restart:
            where = "in memory" if gateway.store == "memory" else f"with the state folder {gateway.state_folder}"
            raise CannotServe(f"no running gateway is found {where}: to change `state`, stop the gateway and start it")
        elder, handed = found or (None, [])
        return Inherited(given, handed), elder

    async def to_elder(self, folder: Path) -> tuple[Link, list[socket.socket]] | None:
        """Links to the running gateway. Returns the link and the listening sockets, or None where no gateway runs.
        Raises CannotServe."""
        try:
            connection, pid, sockets = await asyncio.to_thread(_handed, folder)
        except OSError:
            return None
        self._elder = await self._opened(connection, pid)
        return self._elder, sockets

    async def revoke(
        self, session_ids: Sequence[str], unwritten: Sequence[str] = (), said_by: Link | None = None
    ) -> list[str]:
        """Revokes the sessions in the linked gateways, `said_by` excepted. Returns the reasons why an end may not be in
        force. `unwritten`: as in Beside."""
        told = await asyncio.gather(*(link.revoke(session_ids, unwritten) for link in self._links - {said_by}))
        return [why for why in told if why]

    async def refresh(self, source: str) -> None:
        """Asks the successors to refresh `source`. A gateway never asks its predecessor."""
        await asyncio.gather(*(link.refresh(source) for link in self._links - {self._elder}))

    async def wait_for_elder(self) -> None:
        """Waits until the predecessor has left: until then the predecessor hears through this gateway of sessions that
        end."""
        if self._elder in self._links:
            await self._elder_left.wait()

    def close(self) -> None:
        for link in tuple(self._links):
            link.close()

    async def _opened(self, connection: socket.socket, pid: int) -> Link:
        link = Link(pid, self._received, self._lost)
        self._links.add(await link.open(connection))
        return link

    def _lost(self, link: Link) -> None:
        self._links.discard(link)
        if link is self._elder:
            self._elder_left.set()

    def _received(self, link: Link, message: Message) -> None:
        self._beside.begin(self._answer(link, message))

    async def _answer(self, link: Link, message: Message) -> None:
        detail, standing, payload = "", None, b""
        match message.kind:
            case "standing":
                standing = self._beside.standing()
            case "good":
                payload = self._beside.good()
            case "refused":
                self._beside.refused(*(message.fields[name] for name in ("successor", "code", "why")))
            case "revoke":
                sessions, unwritten = message.fields["sessions"], message.fields["unwritten"]
                here, beyond = await asyncio.gather(
                    self._beside.revoke_here(sessions, unwritten), self.revoke(sessions, unwritten, said_by=link)
                )
                detail = "; ".join(why for why in (here, *beyond) if why)
            case "refresh":
                await self._beside.refresh_here(message.fields["source"])
            case "leave":
                await self._beside.give_up(message.fields["successor"])
        link.reply(message, detail, standing, payload)


def _handed(folder: Path) -> tuple[socket.socket, int, list[socket.socket]]:
    connection = connect(folder, _ANSWERED_WITHIN)
    try:
        connection.sendall(SUCCEED)
        said, descriptors, _, _ = socket.recv_fds(connection, len(_HANDED), _MOST_SOCKETS)
        pid = _pid_of_peer(connection)
    except BaseException:
        connection.close()
        raise
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    for each in sockets:
        # Programs that this process starts would inherit the received files. A successor would then hold unknown
        # sockets.
        each.set_inheritable(False)
    if said != _HANDED:
        connection.close()
        raise CannotServe(f"the running gateway (process {pid}) has a release that cannot hand over: stop it")
    for each in sockets:
        each.setblocking(False)
    return connection, pid, sockets


def _pid_of_peer(connection: socket.socket) -> int:
    """The peer's process id; 0 if the peer runs in a container that is invisible to this process."""
    pid: int
    pid, _, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return pid
