"""What keeps the gateway from starting is one clear line and status 1; nothing is half started."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE, until
from tests.raw_http import Connection
from tests.saml.parties import pair
from tests.walks.gateway import Gateway
from tests.walks.place import Place
from tests.walks.world import ask, request

TAKEN = " (another program uses the port: stop it, or choose another port)"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path, workers=1)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost")
    return place


@pytest.fixture
async def gateway(place: Place) -> AsyncIterator[Gateway]:
    gateway = Gateway(place)
    yield gateway
    await gateway.end()


async def refusal_of(gateway: Gateway) -> str:
    """What it says on standard error before it ends with 1, by itself."""
    await gateway.launch()
    assert await gateway.ended() == 1
    assert not gateway.lines(event="worker.died")
    return gateway.errors()


async def test_a_taken_port_is_named(gateway: Gateway, place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.port)):
        said = await refusal_of(gateway)
    assert said == f"ecluse: cannot listen on 127.0.0.1:{place.port}: Address already in use{TAKEN}\n"
    assert not gateway.lines(event="gateway.started")


async def test_a_taken_admin_port_is_named(gateway: Gateway, place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.admin_port)):
        said = await refusal_of(gateway)
    assert said == f"ecluse: cannot listen on 127.0.0.1:{place.admin_port}: Address already in use{TAKEN}\n"


async def test_an_admin_path_on_which_somebody_listens_is_left_to_them(gateway: Gateway, place: Place) -> None:
    path = place.folder / "admin.sock"
    place.settings["admin"] = f"unix:{path}"
    place.write_gateway()
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        said = await refusal_of(gateway)
        assert path.is_socket()
    assert said == f"ecluse: cannot listen on unix:{path}: another program uses the socket\n"


async def test_an_admin_path_that_is_a_file_is_left_alone(gateway: Gateway, place: Place) -> None:
    path = place.folder / "notes.txt"
    path.write_text("not a socket")
    place.settings["admin"] = f"unix:{path}"
    place.write_gateway()
    said = await refusal_of(gateway)
    assert said == f"ecluse: cannot listen on unix:{path}: the path is a file, not a socket\n"
    assert path.read_text() == "not a socket"


async def test_an_admin_path_without_its_folder_is_named(gateway: Gateway, place: Place) -> None:
    path = place.folder / "missing/admin.sock"
    place.settings["admin"] = f"unix:{path}"
    place.write_gateway()
    assert await refusal_of(gateway) == f"ecluse: cannot listen on unix:{path}: No such file or directory\n"


async def test_a_state_folder_that_cannot_be_written_is_named(gateway: Gateway, place: Place) -> None:
    (place.folder / "var").write_text("a file where the folder should be")
    said = await refusal_of(gateway)
    assert said == f"ecluse: the state folder {place.folder}/var cannot be written: File exists\n"


async def test_a_state_folder_on_a_file_system_that_nobody_can_write_is_named(gateway: Gateway, place: Place) -> None:
    place.settings["state"] = "/proc/ecluse"
    place.write_gateway()
    assert "ecluse: the state folder /proc/ecluse cannot be written: " in await refusal_of(gateway)


async def test_a_second_gateway_on_one_state_folder_says_that_it_is_not_alone(
    gateway: Gateway, place: Place, tmp_path: Path
) -> None:
    await gateway.start()
    assert not gateway.lines(event="gateway.beside")
    beside = Place(tmp_path / "beside", workers=1, settings={"state": f"{place.folder}/var"})
    second = Gateway(beside)
    try:
        await second.start()
        line = await second.logged(0, event="gateway.beside")
        assert (line["level"], line["detail"]) == ("warning", f"{place.folder}/var")
    finally:
        await second.end()


async def test_a_store_of_another_program_is_named_and_nothing_goes_round(gateway: Gateway, place: Place) -> None:
    place.database.parent.mkdir(mode=0o700)
    with sqlite3.connect(place.database) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    said = await refusal_of(gateway)
    assert said.startswith("ecluse: a worker cannot serve: ")
    assert "is not a session store of this gateway" in said
    assert len(gateway.lines(event="worker.refused")) == 1


async def test_a_folder_with_problems_is_not_served_and_every_problem_is_told(gateway: Gateway, place: Place) -> None:
    place.write("apps/one.yaml", place.read("apps/one.yaml").replace("hosts:", "host:"))
    place.write("apps/two.yaml", "version: 1\napp: [\n")
    # For wrong app files alone, it would start with their hosts closed.
    place.write("providers/alpha.yaml", place.read("providers/alpha.yaml").replace("provider:", "providre:"))
    said = await refusal_of(gateway)
    assert "policies/apps/one.yaml:3:1: host: unknown key (did you mean hosts?)" in said
    assert "\n    host: [one.localhost]\n    ^\n" in said
    assert "policies/apps/two.yaml:" in said
    assert not gateway.text()


async def test_a_unix_admin_socket_is_for_its_owner_alone_and_goes_with_the_gateway(place: Place) -> None:
    path = place.folder / "admin.sock"
    # What a gateway that was killed left behind.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    place.settings["admin"] = f"unix:{path}"
    place.write_gateway()
    gateway = Gateway(place)
    try:
        await gateway.launch()
        await gateway.logged(0, event="worker.started")
        assert path.stat().st_mode & 0o777 == 0o600
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /livez HTTP/1.0\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.0 200 OK")
        writer.close()
        assert await gateway.stop() == 0
        assert not path.exists()
        gateway.is_clean()
    finally:
        await gateway.end()


def accepts(pid: int, number: signal.Signals) -> bool:
    """It has a handler for this signal; before, the interpreter itself would end of it."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(lines["SigCgt"], 16) & 1 << number - 1)


async def test_a_reload_asked_for_before_it_serves_does_not_end_it(gateway: Gateway) -> None:
    await gateway.launch()
    await until(lambda: accepts(gateway.pid, signal.SIGHUP))
    while not gateway.lines(event="gateway.started"):
        assert gateway.status is None
        gateway.signal(signal.SIGHUP)
        await asyncio.sleep(0.05)
    await gateway.serving()
    await gateway.logged(0, event="config.loaded")
    gateway.is_clean()


async def test_every_process_may_open_as_many_files_as_the_system_allows(place: Place) -> None:
    gateway = Gateway(place, command=("bash", "-c", f"ulimit -Sn 256; exec {' '.join(Gateway(place).command)}"))
    try:
        await gateway.start()
        for pid in (gateway.pid, *gateway.workers()):
            soft, hard = next(
                line.split()[3:5]
                for line in Path(f"/proc/{pid}/limits").read_text().splitlines()
                if line.startswith("Max open files")
            )
            assert soft == hard
    finally:
        await gateway.end()


async def test_what_lies_in_the_current_folder_is_no_part_of_the_program(place: Place) -> None:
    """Where the operator stands must not decide what code runs."""
    for name in ("gateway", "uvloop", "json"):
        (place.folder / f"{name}.py").write_text("import os; os._exit(99)\n")
    command = [os.path.join(os.path.dirname(Gateway(place).command[0]), "ecluse"), "serve", "policies"]
    gateway = Gateway(place, command=command)
    try:
        await gateway.start()
        gateway.is_clean()
    finally:
        await gateway.end()


async def test_a_wrong_app_file_closes_its_hosts_and_the_others_are_served(gateway: Gateway, place: Place) -> None:
    place.write_app("two", "two.localhost", access="  - {path: /**, alow: anyone}\n")
    place.write_app("wild", "'*.localhost'", access="  - {path: /**, allow: signed_in}\n")
    await gateway.start()
    line = await gateway.logged(0, event="config.partly")
    assert (line["closed"], line["kept"], line["hosts"]) == (["apps/two.yaml"], [], ["two.localhost"])
    assert line["detail"].startswith("policies/apps/two.yaml:8:17: access[0].alow: unknown key (did you mean allow?)")
    connection = await Connection.open(place.url())
    closed = await connection.exchange(request("/", host="two.localhost"))
    told = json.loads(bytes(closed.body))
    assert (closed.status, told["error"], len(told["reference"])) == (503, "route.app_closed", 8)
    refused = await gateway.logged(0, event="request.refused")
    assert (refused["code"], refused["detail"]) == ("route.app_closed", "two.localhost: policies/apps/two.yaml")
    assert (refused["reference"], refused["request_id"]) == (told["reference"], told["request_id"])
    await connection.close()
    assert {(await ask(place.url(), host=host)).status for host in ("one.localhost", "x.localhost")} == {401}
    assert "apps/two.yaml" in (await gateway.readiness())["last_reload"]


async def test_whoever_starts_it_at_a_terminal_is_told_which_hosts_are_closed_and_why(place: Place) -> None:
    place.write_app("two", "two.localhost", access="  - {path: /**, alow: anyone}\n")
    place.write("apps/three.yaml", "\tx: 1\n")
    terminal, theirs = os.openpty()
    gateway = Gateway(place, errors=theirs)
    try:
        await gateway.start()
        told = ""
        async with asyncio.timeout(PATIENCE):
            while "apps/two.yaml:8:17" not in told:
                told += (await asyncio.to_thread(os.read, terminal, 65536)).decode()
        gateway.is_clean()
    finally:
        await gateway.end()
        os.close(terminal)
        os.close(theirs)
    assert told.splitlines()[:3] == [
        "ecluse: Some app files are wrong; the rest is served.",
        "  closed: two.localhost (policies/apps/two.yaml)",
        "  closed: no known host (policies/apps/three.yaml; its further hosts are unknown)",
    ]
    assert "access[0].alow: unknown key (did you mean allow?)" in told


async def test_where_standard_error_is_no_terminal_the_log_alone_says_so(gateway: Gateway, place: Place) -> None:
    place.write_app("two", "two.localhost", access="  - {path: /**, alow: anyone}\n")
    await gateway.start()
    await gateway.logged(0, event="config.partly")
    await gateway.stop()
    assert gateway.errors() == ""


async def test_what_can_be_counted_is_there_before_the_first_request(gateway: Gateway, place: Place) -> None:
    """`increase()` sees a first failure only where the series was there before it."""
    await gateway.start()
    failures = 'ecluse_http_requests_total{app="one",code_class="5xx"}'
    measured = await gateway.measured(lambda seen: failures in seen)
    assert measured[failures] == 0
    assert measured['ecluse_auth_logins_total{provider="alpha",reason="",result="success"}'] == 0
    await ask(place.url(), host="one.localhost")
    await gateway.measured(lambda seen: seen['ecluse_http_requests_total{app="one",code_class="4xx"}'] == 1)


async def test_an_app_file_that_nobody_can_read_stops_no_other(gateway: Gateway, place: Place) -> None:
    """Its hosts are those that it was served with last; where it was never served, no wildcard answers."""
    place.write_app("two", "two.localhost", access="  - {path: /**, allow: anyone}\n")
    place.write_app("wild", "'*.localhost'", access="  - {path: /**, allow: signed_in}\n")
    await gateway.start()
    await gateway.stop()
    place.write("apps/two.yaml", "x: [")
    await gateway.start()
    hosts = ("one.localhost", "two.localhost", "x.localhost")
    assert [(await ask(place.url(), host=host)).status for host in hosts] == [401, 503, 401]
    await gateway.stop()
    place.write("apps/three.yaml", "\tx: 1\n")
    await gateway.start()
    assert [(await ask(place.url(), host=host)).status for host in hosts] == [401, 503, 503]
    line = await gateway.logged(0, event="config.partly", number=2)
    assert line["closed"] == ["apps/three.yaml", "apps/two.yaml"]
    assert "policies/apps/three.yaml: hosts: its hosts cannot be told: until it is whole, none" in line["detail"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ("Aucune application ne répond ici pour le moment", "illisible", "réessayez plus tard")),
        ("en", ("No application answers here at the moment", "cannot be read", "again later")),
    ],
)
async def test_a_host_of_an_unreadable_file_shows_people_that_the_address_may_be_right(
    gateway: Gateway, place: Place, language: str, words: tuple[str, ...]
) -> None:
    place.write("apps/three.yaml", "\tx: 1\n")
    await gateway.start()
    sent = request("/", host="three.localhost").replace(b"Accept: ", b"Accept: text/html, ", 1)
    assert b"text/html" in sent
    connection = await Connection.open(place.url())
    page = await connection.exchange(sent.replace(b"\r\n\r\n", f"\r\nAccept-Language: {language}\r\n\r\n".encode()))
    await connection.close()
    shown = bytes(page.body).decode()
    assert page.status == 421
    assert [word for word in words if word not in shown] == []
    line = await gateway.logged(0, event="request.refused")
    assert line["code"] == "route.host_unread"
    assert "policies/apps/three.yaml" in line["detail"]
    assert line["reference"] in shown


async def test_the_evaluator_of_when_is_loaded_when_a_rule_asks_for_it_and_not_before(
    gateway: Gateway, place: Place
) -> None:
    await gateway.start()
    (worker,) = gateway.workers()
    maps = Path(f"/proc/{worker}/maps")
    assert "/cel_expr_python/" not in maps.read_text()
    file = place.policies / "apps/one.yaml"
    text = file.read_text()
    file.write_text(text.replace("allow: signed_in", "allow: {when: \"request.path != '/x'\"}", 1))
    assert file.read_text() != text
    await gateway.reload()
    assert gateway.workers() == [worker]
    assert "/cel_expr_python/" in maps.read_text()


async def test_what_signs_saml_messages_is_loaded_when_there_are_keys_for_it_and_not_before(
    gateway: Gateway, place: Place
) -> None:
    """7 MB in each worker."""
    await gateway.start()
    (worker,) = gateway.workers()
    maps = Path(f"/proc/{worker}/maps")
    assert "/xmlsec." not in maps.read_text()
    ours = pair("sp-1")
    (place.folder / "certs/saml.key").write_bytes(ours.key)
    (place.folder / "certs/saml.crt").write_bytes(ours.certificate)
    place.settings["saml"] = (
        "{keys: [{id: k1, key: {file: ../certs/saml.key}, certificate: {file: ../certs/saml.crt}}]}"
    )
    place.write_gateway()
    await gateway.reload()
    assert gateway.workers() == [worker]
    assert "/xmlsec." in maps.read_text()


async def test_keys_for_tokens_are_made_once_and_published(gateway: Gateway, place: Place) -> None:
    """Where gateway.yaml gives none."""
    place.write_app("one", "one.localhost", translate="{headers: {X-A: {value: a}}, jwt: {cookie: T}}")

    async def key_set() -> Any:
        return json.loads(bytes((await ask(place.url(), "/_ecluse/app/jwks")).body))

    await gateway.start()
    (key,) = (await key_set())["keys"]
    assert (key["kty"], key["alg"]) == ("EC", "ES256")
    assert "d" not in key
    assert (await gateway.logged(0, event="tokens.key_made"))["kid"] == key["kid"]
    await gateway.stop()
    await gateway.start()
    assert (await key_set())["keys"] == [key]
    assert len(gateway.lines(event="tokens.key_made")) == 1
    assert (place.database.parent / "token-keys.json").stat().st_mode & 0o777 == 0o600
