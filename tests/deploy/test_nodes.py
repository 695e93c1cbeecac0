"""The files in deploy/nodes, as the programs that they are for read them. `make nodes` runs all of them together."""

import re
import socket
import subprocess
from pathlib import Path

import pytest
import trustme

from deploy.demo.ports import free
from tests.interop.servers import found, running
from tests.patience import PATIENCE, until
from tests.stores.redis.trio import ask

NODES = Path(__file__).parents[2] / "deploy/nodes"
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.service
def test_haproxy_takes_its_file(tmp_path: Path) -> None:
    cert = trustme.CA().issue_cert("portail.example.org")
    cert.private_key_and_cert_chain_pem.write_to_path(tmp_path / "portail.pem")
    text = (NODES / "haproxy.cfg").read_text().replace("/etc/haproxy", str(tmp_path))
    (tmp_path / "haproxy.cfg").write_text(text)
    told = subprocess.run(
        [found("haproxy"), "-c", "-f", str(tmp_path / "haproxy.cfg")], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (told.returncode, told.stderr) == (0, "")


def valkey_of(folder: Path, port: int) -> list[str]:
    """Its command. In the clear, for a test that speaks to it; with TLS it runs in `make nodes`."""
    text = re.sub(r"^tls-.*\n", "", (NODES / "valkey.conf").read_text(), flags=re.MULTILINE)
    text = text.replace("bind 10.0.0.6\nport 0", f"bind 127.0.0.1\nport {port}")
    for path in ("/etc/valkey", "/var/lib/valkey"):
        text = text.replace(path, str(folder))
    (folder / "valkey.conf").write_text(text)
    users = (NODES / "users.acl").read_text()
    (folder / "users.acl").write_text(users + "user tests on nopass ~* +@all\n")
    return [found("valkey-server"), str(folder / "valkey.conf")]


def all_told(port: int, *lines: str) -> list[str]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall("\r\n".join(("AUTH tests any", *lines, "QUIT", "")).encode())
        return b"".join(iter(lambda: line.recv(1 << 16), b"")).decode().split("\r\n")


@pytest.mark.service
def test_valkey_takes_its_file_and_the_gateway_has_what_it_looks_for(tmp_path: Path) -> None:
    (port,) = free(1)
    with running(valkey_of(tmp_path, port), tmp_path / "log", port):

        def told(*words: str) -> list[str]:
            return ask(port, "AUTH", "tests", "any\r\n" + " ".join(words)).split("\r\n")

        assert "noeviction" in told("CONFIG", "GET", "maxmemory-policy")
        assert "yes" in told("CONFIG", "GET", "appendonly")
        assert "1" in told("CONFIG", "GET", "min-replicas-to-write")
        assert [line for line in told("ACL", "USERS") if line in ("ecluse", "replica", "sentinel")] == [
            "ecluse",
            "replica",
            "sentinel",
        ]


@pytest.mark.service
async def test_a_server_that_starts_again_has_what_transactions_wrote(tmp_path: Path) -> None:
    """A script's writes are a transaction in the append-only file, and the server replays it as `default`: what that
    user may not do is thrown away."""
    (port,) = free(1)
    command = [*valkey_of(tmp_path, port), "--min-replicas-to-write", "0"]
    with running(command, tmp_path / "log", port):
        await until(lambda: all_told(port, "PING")[1] == "+PONG")
        assert all_told(port, "MULTI", "SET one 1", "SET two 2", "EXEC")[4:7] == ["*2", "+OK", "+OK"]
    with running(command, tmp_path / "log", port):
        # It listens before it has read its file.
        await until(lambda: all_told(port, "PING")[1] == "+PONG")
        assert all_told(port, "MGET one two")[1:6] == ["*2", "$1", "1", "$1", "2"]
    for page in ("how-to/run-on-several-machines.md", "fr/plusieurs-machines.md"):
        assert (NODES / "users.acl").read_text().splitlines()[0] in (DOCS / page).read_text().splitlines()


@pytest.mark.service
def test_nobody_is_the_user_who_replays(tmp_path: Path) -> None:
    (port,) = free(1)
    with running(valkey_of(tmp_path, port), tmp_path / "log", port):
        for attempt in ("AUTH default any", 'AUTH default ""', "AUTH any"):
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
                line.sendall(f"{attempt}\r\nGET one\r\n".encode())
                with line.makefile() as replies:
                    assert [next(replies).split()[0] for _ in range(2)] == ["-WRONGPASS", "-NOAUTH"]


@pytest.mark.service
def test_valkey_takes_the_file_of_a_cluster_beside_the_other(tmp_path: Path) -> None:
    """In the clear, as above."""
    port, bus = free(2)
    for name in ("valkey.conf", "cluster.conf"):
        text = re.sub(r"^(tls-|aclfile|master).*\n", "", (NODES / name).read_text(), flags=re.MULTILINE)
        text = text.replace("bind 10.0.0.6\nport 0", f"bind 127.0.0.1\nport {port}\ncluster-port {bus}")
        for path in ("/etc/valkey", "/var/lib/valkey"):
            text = text.replace(path, str(tmp_path))
        (tmp_path / name).write_text(text)
    with running([found("valkey-server"), str(tmp_path / "cluster.conf")], tmp_path / "log", port):
        assert "cluster_enabled:1" in ask(port, "INFO", "cluster")
        assert "noeviction" in ask(port, "CONFIG", "GET", "maxmemory-policy")


@pytest.mark.parametrize("page", ["how-to/run-on-several-machines.md", "fr/plusieurs-machines.md"])
def test_the_settings_on_the_page_of_one_server_are_those_of_three(page: str) -> None:
    (block,) = re.findall(r"```conf\n(bind .*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert set(block.splitlines()) <= set((NODES / "valkey.conf").read_text().splitlines())
    assert "dir /var/lib/valkey" in block.splitlines()


@pytest.mark.parametrize("name", ["valkey.conf", "sentinel.conf"])
def test_a_server_writes_where_debians_units_let_it(name: str) -> None:
    """ProtectSystem=strict, and ReadWritePaths=/var/lib/valkey: another folder is not there, and would be read-only."""
    assert re.findall(r"^dir (\S+)", (NODES / name).read_text(), re.MULTILINE) == ["/var/lib/valkey"]


def test_every_password_stands_where_it_is_asked_for() -> None:
    users, valkey, sentinel = [(NODES / name).read_text() for name in ("users.acl", "valkey.conf", "sentinel.conf")]
    for name, text in (("replica", valkey), ("sentinel", sentinel)):
        (password,) = re.findall(rf"^user {name} on >(\S+)", users, re.MULTILINE)
        assert password in text
    assert re.findall(r"^masteruser (\S+)", valkey, re.MULTILINE) == ["replica"]
    assert re.findall(r"^sentinel auth-user ecluse (\S+)", sentinel, re.MULTILINE) == ["sentinel"]


def test_every_server_of_haproxy_is_given_up_when_its_machine_is_gone() -> None:
    """HAProxy takes `tcp-ut` in default-server, too, and does nothing with it: requests hung for over a minute."""
    servers = re.findall(r"^    server .*", (NODES / "haproxy.cfg").read_text(), re.MULTILINE)
    assert len(servers) == 6
    assert all(server.endswith(" tcp-ut 3s") for server in servers)
