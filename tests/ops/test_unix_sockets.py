"""Sockets of applications: which are connected to, and what may not lead elsewhere."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model.errors import GatewayError
from gateway.model.unix_socket import UnixSocket
from gateway.ops.unix_sockets import connected_to
from tests.config.samples import GATEWAY, PERMIS, sample_snapshot


class Folders:
    """`apps`: the listed one, with web/app.sock in it. `state`: the gateway's own, with control.sock."""

    def __init__(self, root: Path) -> None:
        self.apps, self.state, self.admin = root / "apps", root / "state", root / "admin.sock"
        (self.apps / "web").mkdir(parents=True)
        self.state.mkdir()
        self.listening = [self.listen(path) for path in (self.apps / "web/app.sock", self.own, self.admin)]

    @property
    def own(self) -> Path:
        return self.state / "control.sock"

    def listen(self, path: Path) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen(1)
        return listening

    def place(self, *names: str, folder: Path | None = None) -> UnixSocket:
        return UnixSocket(str(folder or self.apps), names, (str(self.state), str(self.admin)))


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Folders]:
    made = Folders(tmp_path)
    yield made
    for listening in made.listening:
        listening.close()


def refused(place: UnixSocket, why: str) -> None:
    with pytest.raises(GatewayError, match=f"upstream.address.*{why}"):
        connected_to(place)


def test_an_application_in_a_listed_folder(folders: Folders) -> None:
    with connected_to(folders.place("web", "app.sock")) as connection:
        assert not connection.getblocking()


def test_the_listed_folder_itself_is_where_the_operator_says(folders: Folders) -> None:
    link = folders.apps.parent / "run"
    link.symlink_to(folders.apps)
    connected_to(folders.place("web", "app.sock", folder=link)).close()


def test_no_link_is_followed(folders: Folders) -> None:
    (folders.apps / "other.sock").symlink_to(folders.apps / "web/app.sock")
    (folders.apps / "other").symlink_to(folders.apps / "web")
    (folders.apps / "web/own.sock").symlink_to(folders.own)
    for names in (("other.sock",), ("other", "app.sock"), ("web", "own.sock")):
        refused(folders.place(*names), "a link is on the way")


def test_our_own_sockets_are_no_application(folders: Folders) -> None:
    """Neither beneath the state folder, wherever the listed one is, nor under another name."""
    root = folders.apps.parent
    refused(folders.place("control.sock", folder=folders.state), "this gateway's own")
    refused(folders.place("state", "control.sock", folder=root), "this gateway's own")
    refused(folders.place("admin.sock", folder=root), "this gateway's own")
    os.link(folders.admin, folders.apps / "web/hard.sock")
    refused(folders.place("web", "hard.sock"), "this gateway's own")
    (folders.state / "deep").mkdir()
    folders.listening.append(folders.listen(folders.state / "deep/a.sock"))
    refused(folders.place("a.sock", folder=folders.state / "deep"), "this gateway's own")


def test_nor_is_the_control_socket_wherever_a_hard_link_shows_it(folders: Folders) -> None:
    """As a folder of rules is compiled: a path says nothing of it then."""
    os.link(folders.own, folders.apps / "web/own.sock")
    changes = {
        "gateway.yaml": GATEWAY.replace("state: ../var", f"state: {folders.state}/") + f"sockets: ['{folders.apps}']\n",
        "apps/permis.yaml": PERMIS.replace("upstream: {", f"upstream: {{socket: '{folders.apps}/web/own.sock', "),
    }
    place = sample_snapshot(changes).apps["permis"].upstream.socket
    assert place is not None
    refused(place, "this gateway's own")


@pytest.mark.parametrize("name", ["nothing.sock", "file"])
def test_where_nobody_listens(folders: Folders, name: str) -> None:
    (folders.apps / "file").write_text("")
    with pytest.raises(OSError, match=r"No such file|refused"):
        connected_to(folders.place(name))


def test_a_server_whose_queue_is_full_is_not_waited_for(folders: Folders) -> None:
    held: list[socket.socket] = []

    def fill() -> None:
        while len(held) < 10:
            held.append(connected_to(folders.place("web", "app.sock")))

    with pytest.raises(BlockingIOError):
        fill()
    for connection in held:
        connection.close()


def test_nothing_stays_open(folders: Folders) -> None:
    before = len(os.listdir("/proc/self/fd"))
    connected_to(folders.place("web", "app.sock")).close()
    refused(folders.place("state", "control.sock", folder=folders.apps.parent), "this gateway's own")
    assert len(os.listdir("/proc/self/fd")) == before
