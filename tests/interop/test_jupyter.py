"""Jupyter Server, which JupyterLab is a page of: a terminal and a kernel through WebSockets, and a file with a `;`."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect

from deploy.demo.ports import free
from tests.interop.servers import found, running
from tests.patience import PATIENCE
from tests.proxy.gateways import Gateway, ask, gateway
from tests.proxy.stand_ins import COOKIE

pytestmark = pytest.mark.service

PUBLIC = "http://permis.localhost:8080"
APP = """version: 1
app: permis
hosts: [permis.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole]
paths: {{semicolon: literal}}
tunnel: {{protocols: [websocket]}}
access:
  - {{path: /**, allow: signed_in}}
"""
# The gateway lets nobody in but who may: Jupyter asks for no token beside.
OPTIONS = {
    "IdentityProvider.token": "", "ServerApp.password": "", "ServerApp.allow_remote_access": "True",
    "ServerApp.allow_root": "True", "ServerApp.open_browser": "False", "ServerApp.disable_check_xsrf": "True",
}  # fmt: skip


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, (port,) = tmp_path_factory.mktemp("jupyter"), free(1)
    (folder / "files").mkdir()
    (folder / "files/budget;2027.txt").write_text("été")
    told = [f"--{name}={value}" for name, value in {**OPTIONS, "ServerApp.port": port}.items()]
    command = [found("jupyter-server"), *told, f"--ServerApp.root_dir={folder}/files"]
    with running(command, folder / "jupyter.log", port, {"HOME": str(folder), "PATH": "/usr/bin:/bin"}):
        yield port


@asynccontextmanager
async def before(port: int) -> AsyncIterator[Gateway]:
    async with gateway(0, changes={"apps/permis.yaml": APP.format(port=port)}) as gate:
        gate.sign_in(uid="helene")
        yield gate


async def asked(gate: Gateway, line: bytes, body: bytes = b"") -> dict[str, object]:
    sized = (b"Content-Length: %d" % len(body), b"Content-Type: application/json") if body else ()
    answer = await gate.once(ask(line, b"Cookie: __Host-ecluse=" + COOKIE, *sized, body=body))
    assert answer.status in (200, 201), answer.head
    told: dict[str, object] = json.loads(answer.body)
    return told


def socket(gate: Gateway, path: str) -> connect:
    return connect(
        f"{PUBLIC.replace('http', 'ws')}{path}", host="127.0.0.1", port=gate.port, origin=PUBLIC,
        additional_headers={"Cookie": f"__Host-ecluse={COOKIE.decode()}"},
    )  # fmt: skip


async def test_a_terminal_through_a_websocket(port: int) -> None:
    async with before(port) as gate:
        name = (await asked(gate, b"POST /api/terminals", b"{}"))["name"]
        async with asyncio.timeout(PATIENCE), socket(gate, f"/terminals/websocket/{name}") as terminal:
            await terminal.send(json.dumps(["stdin", "echo $((6*7))une-ligne\r"]))
            seen = ""
            while "42une-ligne" not in seen:
                kind, *more = json.loads(await terminal.recv())
                seen += more[0] if kind == "stdout" else ""


async def test_a_kernel_computes(port: int) -> None:
    async with before(port) as gate:
        kernel = (await asked(gate, b"POST /api/kernels", b"{}"))["id"]
        message = {
            "header": {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s",
                       "date": "", "version": "5.3"},
            "parent_header": {}, "metadata": {}, "channel": "shell", "buffers": [],
            "content": {"code": "print(6 * 7)", "silent": False, "store_history": False, "user_expressions": {},
                        "allow_stdin": False},
        }  # fmt: skip
        async with asyncio.timeout(PATIENCE), socket(gate, f"/api/kernels/{kernel}/channels?session_id=s") as channels:
            await channels.send(json.dumps(message))
            while (told := json.loads(await channels.recv()))["header"]["msg_type"] != "stream":
                pass
            assert told["content"]["text"] == "42\n"


async def test_a_file_whose_name_has_a_semicolon(port: int) -> None:
    async with before(port) as gate:
        for target in (b"/api/contents/budget;2027.txt", b"/api/contents/budget%3B2027.txt"):
            assert (await asked(gate, b"GET " + target))["content"] == "été"
