"""OpenLDAP asked about people: what it finds, what it must not find, and what follows where it is away."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import trustme

from deploy.demo.ports import free
from gateway.directories.kinds import server_reader
from gateway.directories.lookups import Directories
from gateway.directories.source import DirectoryAway, InThreads
from gateway.identity.directories import joined_key
from gateway.model.directory import Directory, DirectoryFinding, GivenAttribute
from gateway.model.identity import Identity
from gateway.model.provider import ClientCertificate
from gateway.ops.log import Log
from tests.directories.samples import Kept
from tests.directories.slapd import PASSWORD, slapd, staff, tls_settings
from tests.interop.servers import stopped
from tests.patience import PATIENCE, until

pytestmark = [pytest.mark.service]

NOW = 1_700_000_000


class Told(Log):
    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def event(self, event: str, **facts: object) -> None:
        self.events.append((event, facts.get("code")))


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    (port,) = free(1)
    with slapd(tmp_path_factory.mktemp("slapd"), port):
        yield port


def person(uid: str) -> Identity:
    return Identity("alpha", "https://alpha.example", "s-1", {"uid": (uid,)})


def finding(directory: Directory, uid: str) -> DirectoryFinding:
    reader = server_reader(directory)
    try:
        return reader.finding(joined_key([uid]), NOW)[0]
    finally:
        reader.close()


def test_no_descriptor_is_left_of_a_connection_that_is_closed(port: int) -> None:
    finding(staff(port), "alice")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        finding(staff(port), "alice")
        away(staff(port, password=b"wrong"))
    assert len(os.listdir("/proc/self/fd")) == before


def away(directory: Directory, uid: str = "alice") -> str:
    with pytest.raises(DirectoryAway) as why:
        finding(directory, uid)
    assert PASSWORD not in why.value.detail
    return why.value.code.id


def test_a_person_is_known_by_their_own_entry(port: int) -> None:
    found = finding(staff(port), "alice")
    assert (found.state, found.at) == ("found", NOW)
    assert found.values == {"matricule": ("4711",), "services": ("12", "34")}
    assert finding(staff(port), "ALICE").values["matricule"] == ("4711",), "a uid has no case"
    assert finding(staff(port), "nobody").state == "none"
    assert finding(staff(port, filter="(objectClass=device)"), "alice").state == "none"


@pytest.mark.parametrize(
    "uid",
    [
        "*",
        "a*",
        "alice)(uid=*",
        "*)(|(uid=*))",
        "alice)(!(uid=x",
        "\\2a",
        "alice\\",
        ")",
        "(",
        "\u00e9*",
        "&",
        "|",
        "a lice",
    ],
)
def test_no_sign_of_a_value_is_one_of_the_filter(port: int, uid: str) -> None:
    assert finding(staff(port), uid).state == "none"


@pytest.mark.parametrize("uid", ["adm\u0131n", " alice", "alice ", "\uff41lice"])
def test_what_the_server_takes_for_the_same_is_another_key(port: int, uid: str) -> None:
    found = finding(staff(port), uid)
    assert not found.values
    assert found.state == "none" or found.unknown == {"matricule", "services"}


def test_two_entries_where_one_is_meant_and_many_pages(port: int) -> None:
    reader = server_reader(staff(port))
    found, faults = reader.finding("bob", NOW)
    assert (found.unknown, [fault.code.id for fault in faults]) == ({"matricule", "services"}, ["directory.rows"])
    reader.close()
    many = staff(port, gives=(GivenAttribute("cn", "cn", many=True),), rows="many")
    assert len(finding(many, "crowd").values["cn"]) == 250
    assert finding(staff(port), "crowd").unknown


def test_bytes_that_are_no_utf8_and_a_wrong_type_are_unknown(port: int) -> None:
    gives = (GivenAttribute("audio", "audio"), GivenAttribute("matricule", "sn", "number"))
    several = staff(port, gives=gives, rows="many")
    reader = server_reader(several)
    found, faults = reader.finding("bob", NOW)
    reader.close()
    assert found.unknown == {"audio", "matricule"}
    assert [fault.code.id for fault in faults] == ["directory.value", "directory.value"]
    assert not any("Twice" in fault.detail for fault in faults)


def test_no_attribute_is_read_that_the_reader_may_not_see(port: int) -> None:
    gives = (GivenAttribute("secret", "userPassword"),)
    assert finding(staff(port, gives=gives), "alice").values == {}


def test_an_answer_beyond_its_bound_is_none(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.directories.ldap_reader.LARGEST_RESPONSE", 1000)
    assert away(staff(port, rows="many"), "crowd") == "directory.answer"


def test_a_server_that_repeats_what_it_was_sent_is_not_told_of_with_it() -> None:
    """RFC 4511 4.2.2: invalidCredentials, with a diagnostic of its own."""
    (port,) = free(1)
    said = f"no {PASSWORD} here".encode()
    bound = b"\x0a\x01\x31\x04\x00\x04" + bytes([len(said)]) + said
    message = b"\x02\x01\x01\x61" + bytes([len(bound)]) + bound

    def serve(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"\x30" + bytes([len(message)]) + message)
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = Thread(target=serve, args=(listener,))
        thread.start()
        with pytest.raises(DirectoryAway) as why:
            finding(staff(port), "alice")
        thread.join(PATIENCE)
    assert why.value.code.id == "directory.denied"
    assert "no (not shown) here" in why.value.detail
    assert PASSWORD not in why.value.detail


@pytest.mark.parametrize("step", ["search", "bind", "start_tls"])
def test_an_entry_that_does_not_end_is_not_taken(step: str) -> None:
    (port,) = free(1)
    sent = 0
    # RFC 4511 4.1.1, 4.5.2, 4.2.2 and 4.12: an LDAPMessage that says of itself that it has a gigabyte.
    tag, large = {"search": b"\x64", "bind": b"\x61", "start_tls": b"\x78"}[step], 1 << 30
    head = b"\x30\x84" + (large + 9).to_bytes(4) + b"\x02\x01\x01" + tag + b"\x84" + large.to_bytes(4)

    def serve(listener: socket.socket) -> None:
        nonlocal sent
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(head)
            while sent < 100_000_000:
                sent += connection.send(bytes(100_000))
                time.sleep(0.002)

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = Thread(target=serve, args=(listener,))
        thread.start()
        named: dict[str, Any] = {"bind_dn": "", "password": b""} if step == "search" else {}
        named["start_tls"] = step == "start_tls"
        assert away(staff(port, timeout=10.0, **named)) == "directory.answer"
        thread.join(PATIENCE)
    assert 1 << 20 < sent < 50_000_000


# RFC 8446 5.1: a record of TLS that only begins.
RECORD = b"\x16\x03\x03\x40\x00\x02"


@pytest.mark.parametrize("step", ["search", "bind", "start_tls", "handshake", "ldaps", "ldaps without a bind"])
@pytest.mark.parametrize("goes_on", [False, True], ids=["and stops", "and never stops"])
def test_a_message_that_only_begins_holds_up_nobody_for_longer_than_the_timeout(step: str, goes_on: bool) -> None:
    (port,) = free(1)
    tag = {"search": b"\x64", "bind": b"\x61", "start_tls": b"\x78"}.get(step, b"\x78")
    begun = b"\x30\x84\x00\x0f\xff\xff\x02\x01\x01" + tag + b"\x84\x00\x0f\xff\x00"
    # RFC 4511 4.14: yes.
    agreed = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
    over = Event()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            connection.recv(65536)
            if step == "handshake":
                connection.sendall(agreed)
                connection.recv(65536)
            connection.sendall(RECORD if step == "handshake" or "ldaps" in step else begun)
            while not over.wait(0.02 if goes_on else PATIENCE):
                connection.sendall(b"\0")

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = Thread(target=serve, args=(listener,))
        thread.start()
        named: dict[str, Any] = {} if step in ("bind", "ldaps") else {"bind_dn": "", "password": b""}
        named["start_tls"] = step in ("start_tls", "handshake")
        if "ldaps" in step:
            named["servers"] = (f"ldaps://127.0.0.1:{port}",)
        assert away(staff(port, timeout=1.0, **named)) == "directory.unreachable"
        over.set()
        thread.join(PATIENCE)


@pytest.mark.asyncio
async def test_a_server_that_stalls_in_its_handshake_is_left_alone_and_keeps_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.directories.source._PAUSE", 600.0)
    told, stalling = Told(), list[socket.socket]()
    asking = Directories(tmp_path, log=told, now=lambda: NOW, kept=Kept())

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                stalling.append(listener.accept()[0])
                stalling[-1].recv(65536)
                stalling[-1].sendall(RECORD)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        one = staff(port, servers=(f"ldaps://127.0.0.1:{port}",), timeout=1.0, connections=1)
        for uid in ("alice", "bob", "carole"):
            assert (await asking.look_up([one], person(uid), None)).findings[0].state == "away"
            # Its one thread comes back by itself, for the next person.
            await until(lambda: owed(asking) == 0)
        await until(lambda: len(stalling) == 3)
        known = await asyncio.gather(*(asking.look_up([one], person("alice"), None) for _ in range(20)))
        assert {each.findings[0].state for each in known} == {"away"}
        assert len(stalling) == 3, "nobody is sent there during the pause"
        listener.shutdown(socket.SHUT_RDWR)
    await asking.close()
    await until(lambda: not any(thread.name.startswith("directory-staff") for thread in threading.enumerate()))
    for connection in stalling:
        connection.close()
    assert told.events == [("directory.away", "directory.unreachable")]


def owed(asking: Directories) -> int:
    """How many threads are still with people who no longer wait."""
    source = asking._lines["staff"].source
    assert isinstance(source, InThreads)
    return source._owed


def test_who_we_are_and_where_people_are_has_to_be_right(port: int) -> None:
    assert away(staff(port, password=b"wrong")) == "directory.denied"
    assert away(staff(port, bind_dn="", password=b"")) == "directory.answer", "to strangers there is no such base"
    assert away(staff(port, base="ou=none,dc=example,dc=org")) == "directory.answer"
    reader = server_reader(staff(port))
    reader.look()
    reader.close()
    reader = server_reader(staff(port, base="ou=none,dc=example,dc=org"))
    with pytest.raises(DirectoryAway):
        reader.look()
    reader.close()


def test_tls_with_an_authority_of_its_own_by_either_way(tmp_path: Path) -> None:
    (port,) = free(1)
    authority = trustme.CA()
    ca = authority.cert_pem.bytes()
    client = authority.issue_cert("ecluse", common_name="ecluse-client")
    shown = ClientCertificate(client.cert_chain_pems[0].bytes(), client.private_key_pem.bytes())
    named = (f"ldaps://127.0.0.1:{port}",)
    tls = tls_settings(tmp_path, authority)
    with slapd(tmp_path, port, tls=tls):
        assert finding(staff(port, servers=named, ca=ca), "alice").state == "found"
        assert away(staff(port, servers=named, ca=trustme.CA().cert_pem.bytes())) == "directory.certificate"
        assert away(staff(port, servers=named)) == "directory.certificate", "the system vouches for nobody here"
        assert away(staff(port, servers=(f"ldaps://localhost:{port}",), ca=ca)) == "directory.certificate"
        external = staff(port, servers=named, ca=ca, bind_dn="", password=b"", certificate=shown)
        assert finding(external, "alice").state == "found"
    with slapd(tmp_path, port, tls=tls + "# starttls\nsecurity tls=128\n"):
        named = (f"ldap://127.0.0.1:{port}",)
        assert finding(staff(port, servers=named, start_tls=True, ca=ca), "alice").state == "found"
        other = staff(port, servers=named, start_tls=True, ca=trustme.CA().cert_pem.bytes())
        assert away(other) == "directory.certificate"
        assert away(staff(port, servers=named)) == "directory.denied"


def test_the_next_server_is_asked_where_one_is_not_there(port: int) -> None:
    (dead,) = free(1)
    both = (f"ldap://127.0.0.1:{dead}", f"ldap://127.0.0.1:{port}")
    assert finding(staff(port, servers=both), "alice").state == "found"
    assert away(staff(dead)) == "directory.unreachable"


def test_a_connection_that_was_closed_meanwhile_is_made_anew(tmp_path: Path) -> None:
    (port,) = free(1)
    reader = server_reader(staff(port))
    with slapd(tmp_path, port):
        assert reader.finding("alice", NOW)[0].state == "found"
    with slapd(tmp_path, port):
        assert reader.finding("alice", NOW)[0].state == "found"
    reader.close()


@pytest.mark.slow
@pytest.mark.asyncio
async def test_slowed_killed_and_brought_back_it_holds_up_nobody_who_does_not_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.directories.source._PAUSE", 3.0)
    (port,) = free(1)
    told = Told()
    asking = Directories(tmp_path, log=told, now=lambda: NOW, kept=Kept())
    one = staff(port, timeout=2.0)

    async def states(number: int, *uids: str, **how: Any) -> tuple[set[str], float]:
        began = time.monotonic()
        asked = (asking.look_up([one], person(uid), None, **how) for uid in (uids or ("alice",)) * number)
        known = await asyncio.gather(*asked)
        return {each.findings[0].state for each in known}, time.monotonic() - began

    async def back() -> None:
        async with asyncio.timeout(PATIENCE):
            while (await states(1))[0] != {"found"}:
                await asyncio.sleep(0.2)

    with slapd(tmp_path, port) as process:
        assert (await states(6))[0] == {"found"}
        stopped(process.pid)
        state, took = await states(7, "alice", "bob", "carole")
        assert (state, took < 10 * one.timeout) == ({"away"}, True), "they wait for each other"
        assert (await states(20))[1] < one.timeout, "nobody waits during the pause"
        assert (await states(1, needed=()))[1] < one.timeout
        monkeypatch.setattr("gateway.directories.source._PAUSE", 0.5)
        process.send_signal(signal.SIGCONT)
        await back()
        assert (await states(6))[0] == {"found"}
        process.kill()
        process.wait(PATIENCE)
        assert (await states(3))[0] == {"away"}
    with slapd(tmp_path, port):
        await back()
    await asking.close()
    assert [event for event, _ in told.events] == ["directory.away", "directory.recovered"] * 2
    assert {code for event, code in told.events if event == "directory.away"} == {"directory.unreachable"}
