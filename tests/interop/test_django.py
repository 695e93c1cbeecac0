"""Django with what docs/how-to/applications-in-django.md puts into it."""

import ast
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from deploy.demo.ports import free
from tests.docs.blocks import blocks
from tests.interop.name_bytes import HEADERS, SENT
from tests.interop.servers import HERE, running
from tests.proxy.gateways import Gateway, ask, gateway

pytestmark = pytest.mark.service

DOCS = HERE.parents[1] / "docs"
PAGES = (DOCS / "how-to/applications-in-django.md", DOCS / "fr/applications-en-django.md")
DEBIANS_PYTHON = "/usr/bin/python3"
APP = """version: 1
app: permis
hosts: [permis.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole]
translate:
  preset: django
  headers: {{X-Name: {{from: family_name}}, {headers}}}
access:
  - {{path: /public/**, allow: anyone}}
  - {{path: /**, allow: signed_in}}
"""


@pytest.fixture(scope="module", params=PAGES, ids=lambda page: page.stem)
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, (port,) = tmp_path_factory.mktemp("django"), free(1)
    people, settings = [block.text for block in blocks(request.param) if block.language == "python"]
    (folder / "people.py").write_text(people)
    (folder / "run.py").write_text((HERE / "django/run.py").read_text())
    told = {line.targets[0].id: ast.literal_eval(line.value) for line in ast.parse(settings).body}  # type: ignore[attr-defined]
    command = [DEBIANS_PYTHON, str(folder / "run.py"), f"127.0.0.1:{port}"]
    with running(command, folder / "django.log", port, {"SETTINGS": json.dumps(told)}):
        yield port


@asynccontextmanager
async def before(port: int) -> AsyncIterator[Gateway]:
    async with gateway(0, changes={"apps/permis.yaml": APP.format(port=port, headers=HEADERS)}) as gate:
        yield gate


async def told(gate: Gateway, target: bytes, *lines: bytes) -> dict[str, object]:
    answer = await gate.once(ask(b"GET " + target, *lines))
    assert answer.status == 200, answer.head
    return json.loads(answer.body)


async def test_django_knows_who_it_is_and_no_client_can_say_so(port: int) -> None:
    async with before(port) as gate:
        helene = gate.sign_in(uid="helene", family_name="Lebœuf-Müller")
        for forged in (b"Remote-User: root", b"REMOTE_USER: root", b"Remote_User: root", b"X-Name: root", b"X-Note: a"):
            found = await told(gate, b"/any", helene, forged)
            assert (found["user"], found["last_name"]) == ("helene", "Lebœuf-Müller")
            nobody = await told(gate, b"/public/any", forged)
            assert (nobody["user"], nobody["last_name"]) == ("", "")


async def test_a_name_arrives_in_each_encoding_byte_by_byte(port: int) -> None:
    async with before(port) as gate:
        found = await told(gate, b"/any", gate.sign_in(uid="helene", family_name="Lebœuf-Müller"))
        headers = found["headers"]
        assert isinstance(headers, dict)
        names = {name: bytes.fromhex(value) for name, value in headers.items() if name.startswith("HTTP_NOM_")}
        assert names == {f"HTTP_NOM_{one.upper().replace('-', '_')}": sent for one, sent in SENT.items()}
