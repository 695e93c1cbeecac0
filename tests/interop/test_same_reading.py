"""PC19: what policy sees of a path that is let in is what nginx, PHP, Node and a server of WSGI make of it."""

import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from unicodedata import normalize
from urllib.parse import quote

import pytest

from deploy.demo.ports import free
from gateway.model.errors import GatewayError
from gateway.wire.target import canonical_target
from tests.attacks.generated import PIECES
from tests.interop.servers import HERE, found, php, running
from tests.raw_http import Connection

pytestmark = pytest.mark.service

SEED = 20261127
# ECLUSE_PATHS=100000 tries as many; some four in ten are let in, and each is asked of every server.
TARGETS = int(os.environ.get("ECLUSE_PATHS", "1000"))

_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.errors;
events {{ worker_connections 64; }}
http {{
  access_log off; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "$uri"; }} }}
}}
"""
Read = Callable[[bytes], bytes]


def of_hexadecimal(body: bytes) -> bytes:
    return bytes.fromhex(body.decode())


def of_wsgi(body: bytes) -> bytes:
    return str(json.loads(body)["PATH_INFO"]).encode("latin-1")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[int, Read]]]:
    folder = tmp_path_factory.mktemp("paths")
    nginx, of_php, node, wsgi = free(4)
    settings = folder / "nginx.conf"
    settings.write_text(_NGINX.format(folder=folder, port=nginx))
    commands = {
        nginx: [found("nginx"), "-p", str(folder), "-c", str(settings), "-e", str(folder / "nginx.errors")],
        node: [found("node"), str(HERE / "paths/path.mjs"), str(node)],
        wsgi: [sys.executable, str(HERE.parent / "attacks/servers/echo_wsgi.py"), str(wsgi)],
    }
    with ExitStack() as stack:
        for port, command in commands.items():
            stack.enter_context(running(command, folder / f"{port}.log", port))
        stack.enter_context(php(folder, of_php, HERE / "paths/path.php"))
        yield {
            "nginx": (nginx, bytes),
            "PHP": (of_php, of_hexadecimal),
            "Node": (node, of_hexadecimal),
            "WSGI": (wsgi, of_wsgi),
        }


def targets() -> list[str]:
    """Of odd pieces, and of any characters."""
    dice = random.Random(SEED)
    found = []
    for _ in range(TARGETS):
        pieces = dice.choices(PIECES, k=dice.choice((1, 2, 2, 3)))
        if dice.random() < 0.5:
            pieces.append(
                quote("".join(chr(dice.choice((dice.randrange(256), dice.randrange(0x3000)))) for _ in "abc"))
            )
        found.append("/" + "/".join(pieces))
    return list(dict.fromkeys(found))


def accepted() -> dict[str, str]:
    """The path that policy sees, of each that is let in."""
    seen = {}
    for target in targets():
        try:
            read = canonical_target(target.encode())
        except (GatewayError, UnicodeEncodeError):
            continue
        seen[target] = "/" + "/".join(read.segments)
    return seen


def test_what_is_read_once_is_read_so_again() -> None:
    for path in accepted().values():
        again = canonical_target(quote(path, safe="/").encode())
        assert "/" + "/".join(again.segments) == path


@pytest.mark.parametrize("name", ["nginx", "PHP", "Node", "WSGI"])
async def test_every_server_makes_the_same_path_of_it(name: str, servers: dict[str, tuple[int, Read]]) -> None:
    port, read = servers[name]
    connection, other, asked = None, [], 0
    for target, path in accepted().items():
        connection = connection or await Connection.open(f"http://127.0.0.1:{port}")
        reading = await connection.exchange(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if reading.status == 200:
            asked += 1
            # Composed or not, letters meet the same rule.
            found = normalize("NFC", read(bytes(reading.body)).decode("utf-8", "replace"))
            if found != path:
                other.append((target, path, found))
        if not connection.usable:
            await connection.close()
            connection = None
    if connection is not None:
        await connection.close()
    assert not other
    assert asked > TARGETS // 20
