"""PostgreSQL asked about people: what it finds, what it must not find, and what follows where it is away."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from psycopg.abc import PQGen
from psycopg.waiting import Wait

from deploy.demo.ports import free
from gateway.directories.kinds import server_reader
from gateway.directories.lookups import Directories
from gateway.directories.postgresql_reader import _Bounded
from gateway.directories.source import DirectoryAway
from gateway.identity.directories import DirectoryFault, joined_key
from gateway.model.directory import Directory, DirectoryFinding, GivenAttribute
from gateway.model.identity import Identity
from gateway.model.provider import ClientCertificate
from gateway.ops.log import Log
from tests.directories.postgres import PASSWORD, ROLE, Server, cluster, postgres, staff
from tests.directories.samples import Kept
from tests.interop.servers import stopped
from tests.patience import PATIENCE

pytestmark = [pytest.mark.service]

NOW = 1_700_000_000
AUTHORITY = trustme.CA()


class Told(Log):
    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def event(self, event: str, **facts: object) -> None:
        self.events.append((event, facts.get("code")))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with cluster(AUTHORITY) as made:
        yield made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    (port,) = free(1)
    with postgres(folder, port) as running:
        yield running


def asked(directory: Directory, uid: str) -> tuple[DirectoryFinding, tuple[DirectoryFault, ...]]:
    reader = server_reader(directory)
    try:
        return reader.finding(joined_key([uid]), NOW)
    finally:
        reader.close()


def finding(directory: Directory, uid: str) -> DirectoryFinding:
    return asked(directory, uid)[0]


def away(directory: Directory, uid: str = "alice") -> tuple[str, str]:
    with pytest.raises(DirectoryAway) as why:
        finding(directory, uid)
    assert PASSWORD not in why.value.detail
    return why.value.code.id, why.value.detail


def test_a_person_is_known_by_their_own_row(server: Server) -> None:
    found = finding(staff(server), "alice")
    assert (found.state, found.at) == ("found", NOW)
    assert found.values == {"matricule": ("4711",), "services": ("12", "34")}
    assert finding(staff(server), "nobody").state == "none"


def test_no_descriptor_is_left_of_a_connection_that_is_closed(server: Server) -> None:
    finding(staff(server), "alice")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        finding(staff(server), "alice")
        away(staff(server, password=b"wrong"))
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    "uid",
    ["' OR '1'='1", "alice' --", "alice'; DELETE FROM staff; --", "$1", "%s", "%", "\\", "alice\\'", '"', ":uid", "_"],
)
def test_no_sign_of_a_value_is_one_of_the_statement(server: Server, uid: str) -> None:
    assert finding(staff(server), uid).state == "none"
    assert finding(staff(server), "alice").state == "found"


@pytest.mark.parametrize("uid", ["a%", "%", "alic_", "ALICE%"])
def test_what_the_statement_takes_for_the_same_is_another_key(server: Server, uid: str) -> None:
    like = staff(server, select="SELECT uid, matricule, services FROM staff WHERE uid ILIKE :uid AND matricule > 3")
    found, faults = asked(like, uid)
    assert (found.unknown, [fault.code.id for fault in faults]) == ({"matricule", "services"}, ["directory.key"])
    assert finding(like, "Alice").values["matricule"] == ("4711",)


def test_two_rows_where_one_is_meant_and_many(server: Server) -> None:
    found, faults = asked(staff(server), "bob")
    assert (found.unknown, [fault.code.id for fault in faults]) == ({"matricule", "services"}, ["directory.rows"])
    many = staff(server, gives=(GivenAttribute("services", "services", many=True),), rows="many")
    assert len(finding(many, "crowd").values["services"]) == 250


def test_each_type_of_a_column_is_told_in_one_way_or_unknown(server: Server) -> None:
    names = ("active", "since", "id", "pay", "blob", "seen", "told")
    gives = tuple(GivenAttribute(name, name, many=True) for name in names)
    select = f"SELECT uid, {', '.join(names)} FROM staff WHERE uid = :uid AND matricule <> 2"
    found = finding(staff(server, gives=gives, select=select), "alice")
    assert found.values == {
        "active": ("true",),
        "since": ("2026-03-29",),
        "id": ("6f1c2a50-0000-4000-8000-000000000001",),
        "pay": ("12.50",),
        "told": ("1", "a"),
    }
    assert found.unknown == {"blob", "seen"}
    # A day that no calendar has: nothing of the row is known.
    assert finding(staff(server, gives=gives, select=select), "bob").unknown == set(names)


def test_a_key_that_is_no_number_is_a_fault_of_one_person(server: Server) -> None:
    number = staff(server, select="SELECT matricule AS uid, matricule, services FROM staff WHERE matricule = :uid")
    reader = server_reader(number)
    for _ in range(4):
        found, faults = reader.finding("alice", NOW)
        assert found.unknown == {"matricule", "services"}
        assert [fault.code.id for fault in faults] == ["directory.key"]
        assert "alice" not in faults[0].detail
    assert reader.finding("4711", NOW)[0].values["services"] == ("12", "34")
    assert reader.finding("04711", NOW)[0].unknown
    reader.close()


@pytest.mark.parametrize(
    ("select", "code", "said"),
    [
        ("WITH gone AS (DELETE FROM staff RETURNING *) SELECT * FROM gone WHERE uid = :uid", "answer", "WITH clause"),
        ("SELECT uid, word AS matricule, 'x' AS services FROM secret WHERE uid = :uid", "denied", "permission denied"),
        ("SELECT matricule, services FROM staff WHERE uid = :uid", "answer", "column found.uid does not exist"),
        ("SELECT uid, uid, matricule, services FROM staff WHERE uid = :uid", "answer", "ambiguous"),
        ("SELECT uid FROM nowhere WHERE uid = :uid", "answer", "does not exist"),
        ("SELECT FROM WHERE :uid", "answer", "syntax error"),
        ("SELECT uid, matricule, services FROM staff, pg_sleep(9) WHERE uid = :uid", "unreachable", ""),
        ("SELECT uid, matricule, ARRAY[repeat('x', 2000000)] AS services FROM staff WHERE uid = :uid",
         "answer", "its response has over"),
    ],
)  # fmt: skip
def test_what_is_no_select_of_ours_answers_nothing(server: Server, select: str, code: str, said: str) -> None:
    found, detail = away(staff(server, select=select, timeout=0.5))
    assert found == f"directory.{code}", detail
    assert said in detail
    assert finding(staff(server), "alice").state == "found"


def test_what_comes_during_the_last_step_of_a_question_counts(server: Server) -> None:
    connection = _Bounded.connect(host="127.0.0.1", port=server.port, dbname="postgres", user=ROLE, password=PASSWORD)

    def one_step() -> PQGen[str]:
        yield Wait.R
        while connection.pgconn.is_busy():
            connection.pgconn.consume_input()
        return "read"

    connection.begin(time.monotonic() + PATIENCE)
    connection.pgconn.send_query(b"SELECT repeat('x', 2000000)")
    with pytest.raises(DirectoryAway, match="its response has over"):
        connection.wait(one_step())
    connection.close()


def test_nothing_is_written(server: Server) -> None:
    with server.connected() as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION taken(text) RETURNS text LANGUAGE sql AS"
            " $$ INSERT INTO staff (uid) VALUES ('x') RETURNING uid $$"
        )
    writes = "SELECT taken(:uid) AS uid, 1 AS matricule, 'x' AS services"
    assert away(staff(server, select=writes)) == (
        "directory.answer",
        '"cannot execute INSERT in a read-only transaction"',
    )


def test_what_it_is_asked_with_has_to_be_right(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert away(staff(server, password=b"wrong"))[0] == "directory.denied"
    assert away(staff(server, user="stranger"))[0] == "directory.denied"
    assert away(staff(server, database="none"))[0] == "directory.unreachable"
    for name, value in {"PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c transaction_read_only=off", "PGPORT": "1",
                        "PGSSLMODE": "require", "PGUSER": "postgres", "PGPASSFILE": "/x"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    reader = server_reader(staff(server))
    reader.look()
    reader.close()
    reader = server_reader(staff(server, select="SELECT uid FROM nowhere WHERE uid = :uid"))
    with pytest.raises(DirectoryAway):
        reader.look()
    reader.close()


def test_a_socket_of_this_machine_needs_no_tls(server: Server) -> None:
    assert finding(staff(server, host=str(server.socket)), "alice").state == "found"


def test_tls_with_an_authority_of_its_own_by_password_or_certificate(server: Server) -> None:
    ca = AUTHORITY.cert_pem.bytes()
    client = AUTHORITY.issue_cert("ecluse", common_name="ecluse_client")
    shown = ClientCertificate(client.cert_chain_pems[0].bytes(), client.private_key_pem.bytes())
    assert finding(staff(server, tls=True, ca=ca), "alice").state == "found"
    assert away(staff(server, tls=True, ca=trustme.CA().cert_pem.bytes()))[0] == "directory.certificate"
    assert away(staff(server, tls=True))[0] == "directory.certificate", "the system vouches for nobody here"
    assert away(staff(server, tls=True, ca=ca, host="localhost"))[0] == "directory.certificate"
    by_certificate = staff(server, tls=True, ca=ca, user="ecluse_client", password=b"", certificate=shown)
    assert finding(by_certificate, "alice").state == "found"
    assert away(staff(server, tls=True, ca=ca, user="ecluse_client", password=b""))[0] == "directory.denied"


def test_a_connection_that_was_closed_meanwhile_is_made_anew(server: Server) -> None:
    reader = server_reader(staff(server))
    assert reader.finding("alice", NOW)[0].state == "found"
    with server.connected() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ecluse'")
    assert reader.finding("alice", NOW)[0].state == "found"
    reader.close()


@pytest.mark.slow
@pytest.mark.asyncio
async def test_slowed_killed_and_brought_back_it_holds_up_nobody_who_does_not_need_it(
    server: Server, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of this file: it ends the server of the others."""
    monkeypatch.setattr("gateway.directories.source._PAUSE", 3.0)
    told = Told()
    asking = Directories(tmp_path, log=told, now=lambda: NOW, kept=Kept())

    async def states(number: int, one: Directory, *uids: str, **how: Any) -> tuple[set[str], float]:
        began = time.monotonic()
        people = [Identity("alpha", "https://alpha.example", uid, {"uid": (uid,)}) for uid in uids or ("alice",)]
        known = await asyncio.gather(*(asking.look_up([one], each, None, **how) for each in people * number))
        return {each.findings[0].state for each in known}, time.monotonic() - began

    async def back(one: Directory) -> None:
        async with asyncio.timeout(PATIENCE):
            while (await states(1, one))[0] != {"found"}:
                await asyncio.sleep(0.2)

    one = staff(server, timeout=2.0)
    assert (await states(6, one))[0] == {"found"}
    with server.connected() as connection, connection.transaction():
        connection.execute("LOCK TABLE staff IN ACCESS EXCLUSIVE MODE")
        state, took = await states(7, one, "alice", "bob", "carole")
        assert (state, took < 10 * one.timeout) == ({"away"}, True), "they wait for each other"
        assert (await states(20, one))[1] < one.timeout, "nobody waits during the pause"
        assert (await states(1, one, needed=()))[1] < one.timeout
    monkeypatch.setattr("gateway.directories.source._PAUSE", 0.5)
    await back(one)
    pids = server.pids()
    stopped(*pids)
    assert (await states(4, one))[0] == {"away"}
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    await back(one)
    server.process.kill()
    server.process.wait(PATIENCE)
    assert (await states(3, one))[0] == {"away"}
    with postgres(folder, server.port):
        await back(one)
        await asking.close()
    assert [event for event, _ in told.events] == ["directory.away", "directory.recovered"] * 3
    assert {code for event, code in told.events if event == "directory.away"} == {"directory.unreachable"}
