"""docs/how-to/run-on-several-machines.md, followed: its files, with addresses and paths of this machine, and no others.
Three gateways, HAProxy before them, and a Valkey that speaks TLS."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
import trustme

from deploy.demo.ports import free
from tests.attacks.provider import Providers
from tests.docs.blocks import blocks
from tests.interop.servers import found, running
from tests.patience import PATIENCE
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, PORTAL_HOST, Place
from tests.walks.upstream import Upstream
from tests.walks.world import World, ask

pytestmark = [pytest.mark.service, pytest.mark.slow]
TREE = Path(__file__).parents[2]
PAGE, FRENCH = TREE / "docs/how-to/run-on-several-machines.md", TREE / "docs/fr/plusieurs-machines.md"
NODES = 3


def told(language: str, within: str) -> str:
    (text,) = [block.text for block in blocks(PAGE) if block.language == language and within in block.text]
    return text


def changed(text: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        assert before in text, f"the page has no {before} any more"
        text = text.replace(before, after)
    return text


@contextmanager
def valkey(folder: Path, ca: trustme.CA) -> Iterator[tuple[int, str]]:
    """Its port, and the password that its users have."""
    (port,) = free(1)
    cert = ca.issue_cert("127.0.0.1")
    cert.cert_chain_pems[0].write_to_path(folder / "own.pem")
    cert.private_key_pem.write_to_path(folder / "own.key")
    here = (("10.0.0.6", "127.0.0.1"), ("tls-port 6379", f"tls-port {port}"), ("/etc/valkey", str(folder)))
    here = (*here, ("/var/lib/valkey", str(folder)))
    conf = changed(told("conf", "maxmemory-policy"), *here)
    users = told("conf", "user ecluse")
    (folder / "valkey.conf").write_text(conf)
    (folder / "users.acl").write_text(users)
    with running([found("valkey-server"), str(folder / "valkey.conf")], folder / "valkey.log", port):
        yield port, users.partition(" >")[2].split()[0]


def node(folder: Path, port: int, front: int, store: tuple[int, str], ca: trustme.CA) -> Place:
    """As the page has it. The portal is at an http address, for people who are tests, and so is the provider."""
    place, (store_port, password) = Place(folder, workers=1), store
    here = (
        ("https://portail.example.org", f"http://{PORTAL_HOST}:{front}"),
        ("10.0.0.11:8080", f"127.0.0.1:{port}"),
        ("10.0.0.5/32", "127.0.0.1/32"),
        ("/var/lib/ecluse", str(folder / "var")),
        ("valkey.example.org:6379", f"127.0.0.1:{store_port}"),
    )
    more = f"admin: 127.0.0.1:{place.admin_port}\nworkers: 1\ndevelopment: true\n"
    place.write("gateway.yaml", changed(told("yaml", "type: redis"), *here) + more)
    (folder / "certs/valkey.password").write_text(password + "\n")
    ca.cert_pem.write_to_path(folder / "certs/ca.pem")
    place.port = front
    return place


@contextmanager
def haproxy(folder: Path, front: int, ports: list[int]) -> Iterator[None]:
    """deploy/nodes/haproxy.cfg, without TLS towards people."""
    text = changed(
        (TREE / "deploy/nodes/haproxy.cfg").read_text(),
        ("bind :443 ssl crt /etc/haproxy/portail.pem", f"bind 127.0.0.1:{front}"),
        ("    http-request set-header X-Forwarded-Proto https\n", ""),
        *((f"10.0.0.1{number}:8080", f"127.0.0.1:{port}") for number, port in enumerate(ports, 1)),
    )
    (folder / "haproxy.cfg").write_text(text)
    with running([found("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")], folder / "haproxy.log", front):
        yield


def test_the_french_page_has_the_same_files_but_for_the_password() -> None:
    english, french = (
        [re.sub(r" >\S+", " >PASSWORD", block.text) for block in blocks(page)] for page in (PAGE, FRENCH)
    )
    assert english == french


async def test_by_this_page_alone_three_machines_share_their_sessions(tmp_path: Path) -> None:
    ca, (front, *ports) = trustme.CA(), free(1 + NODES)
    async with AsyncExitStack() as stack:
        store = stack.enter_context(valkey(tmp_path, ca))
        places = [node(tmp_path / str(port), port, front, store, ca) for port in ports]
        first = places[0]
        upstream, providers = Upstream(), Providers(first.provider_port)
        alpha, beta = providers.add("alpha"), providers.add("beta")
        for place in places:
            place.upstream_port = first.upstream_port
            place.write_provider("alpha", alpha.url)
            place.write_app("one", ONE)
        await upstream.start(first.upstream_port)
        await providers.start()
        gateways = [Gateway(place) for place in places]
        for gateway in gateways:
            stack.push_async_callback(gateway.end)
        await asyncio.gather(*(gateway.start() for gateway in gateways))
        stack.enter_context(haproxy(tmp_path, front, ports))
        world = World(first, gateways[0], upstream, alpha, beta, providers)

        async def seen(cookie: str) -> list[int]:
            return [(await ask(f"http://127.0.0.1:{port}", "/x", cookie)).status for port in ports]

        person = await world.signed_in()
        cookie = world.cookie(person)
        assert await seen(cookie) == [200] * NODES
        page_after = await world.log_out(person)
        assert page_after.status in (200, 303), page_after.text[:500]
        async with asyncio.timeout(PATIENCE):
            while (after := await seen(cookie)) != [401] * NODES:
                assert set(after) <= {200, 401}
        for gateway in gateways:
            gateway.is_clean()
        await world.leave()
        await providers.stop()
        await upstream.stop()
