"""`ecluse doctor app` of an application without a login form: whether it answers, and who is shown what it has."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.demo.ports import free
from gateway.cli.main import main
from gateway.federation import application_page
from tests.walks.place import Place

Answer = tuple[int, dict[str, str]]


@contextmanager
def answering(status: int, headers: dict[str, str]) -> Iterator[tuple[int, list[str]]]:
    """Its port, and the heads that it got."""
    asked: list[str] = []

    class Application(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.requestline}\n{self.headers}")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"<p>Bonjour")

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:9400")
    return place


def steps(place: Place, status: int, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """The code and what is said of each."""
    assert main(["doctor", "app", "one", str(place.policies), "--output", "json"]) == status
    found = json.loads(capsys.readouterr().out)
    assert {step["page"] for step in found["steps"]} == {"/"}
    return [(step["code"], step["said"]) for step in found["steps"]]


@pytest.mark.parametrize(
    ("answer", "code", "said", "seen"),
    [
        ((200, {}), "", "status 200 after 0.", True),
        ((401, {}), "", "status 401 after 0.", False),
        ((404, {}), "", "status 404 after 0.", False),
        ((503, {}), "upstream.response", "status 503 after 0.", False),
        ((302, {"Location": "/login?next=s3cret"}), "", "and leads to /login", False),
        ((302, {"Location": "http://other.example/a?s3cret"}), "", 'and leads to "http://other.example/a"', False),
    ],
)
def test_whether_it_answers_and_what_a_stranger_sees(
    place: Place, capsys: pytest.CaptureFixture[str], answer: Answer, code: str, said: str, seen: bool
) -> None:
    with answering(*answer) as (port, asked):
        place.write_app("one", "one.localhost", upstream=f"{{url: http://127.0.0.1:{port}}}")
        (found, told), (none, stranger) = steps(place, 1 if code else 0, capsys)
    assert (found, none) == (code, "")
    assert told.startswith(f"127.0.0.1:{port} answers with status {answer[0]} after ")
    assert said.partition(" after 0.")[0] in told
    assert "s3cret" not in told
    past = f"; without the gateway, 127.0.0.1:{port} shows the page to everybody" if seen else ""
    assert stranger == f"at the gateway, a person without a session is asked to sign in{past}"
    (head,) = asked
    assert head.startswith("GET / HTTP/1.1\n")
    assert "Host: one.localhost" in head
    assert "X-Remote-User" not in head


def test_a_page_that_is_public_by_its_rules(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(200, {}) as (port, _):
        place.write_app(
            "one",
            "one.localhost",
            upstream=f"{{url: http://127.0.0.1:{port}}}",
            access="  - {path: /, allow: anyone}\n",
        )
        assert main(["doctor", "app", "one", str(place.policies)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"/  ok  127.0.0.1:{port} answers with status 200 after ")
    assert second == "/  ok  the rules show this page to everybody"


def test_each_of_its_addresses_is_asked(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (closed,) = free(1)
    with answering(200, {}) as (port, _):
        place.write_app(
            "one", "one.localhost", upstream=f"{{url: http://127.0.0.1:{closed}, others: ['http://127.0.0.1:{port}']}}"
        )
        found = steps(place, 1, capsys)
    assert [code for code, _ in found] == ["upstream.connect", "", ""]
    assert found[0][1].startswith(f"127.0.0.1:{closed}: ")
    assert found[1][1].startswith(f"127.0.0.1:{port} answers with status 200 after ")


@pytest.mark.parametrize(
    ("said", "code", "detail"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "upstream.response", "its answer is not HTTP"),
        (b"", "upstream.response", "it broke off its answer"),
        (None, "upstream.timeout", "no answer in 0.2 s"),
    ],
)
def test_what_is_no_answer(
    place: Place,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    said: bytes | None,
    code: str,
    detail: str,
) -> None:
    if said is None:
        monkeypatch.setattr(application_page, "WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = []

        def answer() -> None:
            connection, _ = listening.accept()
            held.append(connection)
            if said is not None:
                connection.recv(65536)
                connection.sendall(said)
                connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        place.write_app("one", "one.localhost", upstream=f"{{url: http://127.0.0.1:{port}}}")
        (first, _) = steps(place, 1, capsys)
        thread.join(60)
        held[0].close()
    assert first == (code, f"127.0.0.1:{port}: {detail}")
