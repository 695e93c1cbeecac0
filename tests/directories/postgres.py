"""PostgreSQL as Debian has it, with some people, on a port of 127.0.0.1; it is no program for root."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import trustme

from gateway.config.schema.sql_select import pieces
from gateway.model.directory import Directory, GivenAttribute, KeyPart, PostgresqlSource
from tests.interop.servers import running
from tests.patience import PATIENCE

ROLE, PASSWORD = "ecluse", "let-me-read"
SELECT = "SELECT uid, matricule, services FROM staff WHERE uid = :uid"

_HBA = """\
local all all trust
hostssl all ecluse_client 127.0.0.1/32 cert
host all ecluse 127.0.0.1/32 scram-sha-256
"""
_PEOPLE = """\
CREATE TABLE staff (uid text, matricule integer, services text[], active boolean, since date, id uuid, pay numeric,
                    blob bytea, seen timestamp, told jsonb);
INSERT INTO staff VALUES
  ('alice', 4711, '{12,34}', true, '2026-03-29', '6f1c2a50-0000-4000-8000-000000000001', 12.50, '\\x00', now(),
   '[1,"a"]'),
  ('bob', 1, NULL, false, 'infinity', NULL, 'NaN', NULL, NULL, '{"a": 1}'),
  ('bob', 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('50%', 3, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO staff SELECT 'crowd', number, ARRAY[number::text] FROM generate_series(1, 250) AS number;
CREATE TABLE secret (uid text, word text);
CREATE ROLE ecluse LOGIN PASSWORD 'let-me-read';
CREATE ROLE ecluse_client LOGIN;
GRANT SELECT, INSERT, DELETE ON staff TO ecluse, ecluse_client;
"""


class Server(NamedTuple):
    """`socket`: the folder of the socket by which it trusts everybody."""

    process: "subprocess.Popen[bytes]"
    port: int
    socket: Path

    def pids(self) -> list[int]:
        """Of all of its processes: each connection has one of its own."""
        first = self.process.pid
        return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]

    def connected(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """As its administrator. It listens a moment before it answers."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return psycopg.connect(host=str(self.socket), port=self.port, user="postgres", autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def _program(name: str) -> list[str]:
    """In its own folder, by the newest version; as the account that Debian makes where we are root."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    assert found, f"{name} is not installed: run `make test` once"
    other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    return [*other, str(found[-1])]


def _owned(path: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")


@contextmanager
def cluster(authority: trustme.CA) -> Iterator[Path]:
    """An empty database server that does not run yet, with a certificate for 127.0.0.1. In a folder of its own: those
    of pytest are open to one account alone, and the name of a socket is short."""
    with tempfile.TemporaryDirectory(prefix="ecluse-pg-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _owned(folder)
        initdb = [*_program("initdb"), "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync", "--no-instructions"]  # fmt: skip
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, timeout=PATIENCE)
        server = authority.issue_cert("127.0.0.1")
        (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
        (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
        key = folder / "key.pem"
        key.touch(0o600)
        key.write_bytes(server.private_key_pem.bytes())
        _owned(key)
        (folder / "pg_hba.conf").write_text(_HBA)
        yield folder


@contextmanager
def postgres(folder: Path, port: int) -> Iterator[Server]:
    """The people are there after its first start."""
    settings = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
        "shared_buffers": "16MB", "ssl": "on", "ssl_ca_file": folder / "ca.pem", "ssl_cert_file": folder / "cert.pem",
        "ssl_key_file": folder / "key.pem", "hba_file": folder / "pg_hba.conf", "lc_messages": "C",
    }  # fmt: skip
    told = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    new = not (folder / "log").exists()
    with running([*_program("postgres"), "-D", f"{folder}/data", *told], folder / "log", port) as process:
        server = Server(process, port, folder)
        try:
            with server.connected() as connection:
                if new:
                    connection.execute(_PEOPLE)
            yield server
        finally:
            # Whoever is still connected is not waited for.
            process.send_signal(signal.SIGINT)


def staff(server: Server, **changes: Any) -> Directory:
    """A directory of these people; changes are of the directory, or of its source."""
    if "select" in changes:
        changes["select"] = pieces(changes["select"])
    own = {name: changes.pop(name) for name in list(changes) if name in PostgresqlSource.__slots__}
    usual = PostgresqlSource(
        "127.0.0.1", server.port, "postgres", ROLE, pieces(SELECT), False, 2, PASSWORD.encode(), None, None
    )
    key = (KeyPart("uid", "uid", providers=("alpha",)),)
    gives = (GivenAttribute("matricule", "matricule", "number"), GivenAttribute("services", "services", many=True))
    made = Directory("staff", "f1", replace(usual, **own), key, gives, "one", "refuse", 0, 2.0)
    return replace(made, **changes)
