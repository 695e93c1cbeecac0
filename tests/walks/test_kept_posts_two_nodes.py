"""A form whose session has ended, behind two gateways that share one Valkey and one folder of kept forms. A front sends
each connection to the one that the test says."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from tests.browser_like import Person, Response, origin_of
from tests.interop.servers import php
from tests.patience import PATIENCE
from tests.raw_http import Connection
from tests.stores.redis.servers import server
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, PORTAL_HOST, Place
from tests.walks.test_kept_posts import LARGE, SCRIPT, SETTINGS, Application, multipart, sent, write_app
from tests.walks.world import SEAT, World, opened

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]

# Seconds, and the time that people who are back are given.
SHORT, LONG = 3, "10m"


class Front:
    """One port before both nodes. `leads_to`: the port of the node that a new connection gets."""

    def __init__(self, leads_to: int) -> None:
        self.leads_to = leads_to

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        node = await asyncio.open_connection("127.0.0.1", self.leads_to)
        await asyncio.gather(_passed_on(reader, node[1]), _passed_on(node[0], writer))


async def _passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    writer.close()


class KeptForm(NamedTuple):
    """`told`: the page that says that it is not lost."""

    person: Person
    told: Response
    length: int
    sha256: str

    @property
    def id(self) -> str:
        return self.told.links()[-1].rpartition("%3D")[2]


class Nodes(NamedTuple):
    """`world.place.port` is the front's; `ports` are their own. `posts`: the folder that they share."""

    world: World
    front: Front
    first: Gateway
    second: Gateway
    ports: tuple[int, int]
    application: Application
    posts: Path

    def url(self, target: str = "/depot") -> str:
        return self.world.place.url(ONE, target)

    async def meets(self, person: Person, node: Gateway) -> None:
        """The front sends them to this node from now on."""
        self.front.leads_to = self.ports[node is self.second]
        await person.close()

    async def ready(self, form: KeptForm, login: str = "alice") -> Response:
        """The page with the button, after the sign-in."""
        person = form.person
        return await self.world.follow(person, await person.step("GET", form.told.links()[-1]), login)


def kept_in(folder: Path) -> str:
    return f"{{folder: {folder}}}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nodes]:
    folder = tmp_path_factory.mktemp("shared")
    application, posts, (one, two) = Application(folder), folder / "posts", free(2)
    ports = (one, two)
    with server("valkey", tmp_path_factory.mktemp("valkey")) as valkey, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPOSITS", str(application.log))
        store = f"{{type: redis, server: {{address: '127.0.0.1:{valkey}'}}, "
        store += "keys: [{id: k1, secret: {file: ../certs/store.key}}]}"
        first, second = (
            Place(
                tmp_path_factory.mktemp(f"node{port}"),
                settings={"store": store, "posts": kept_in(posts), "listen": f"[{{address: 127.0.0.1:{port}}}]"},
            )
            for port in ports
        )
        second.settings["portal"] = f"http://{PORTAL_HOST}:{first.port}"
        second.upstream_port, second.provider_port = first.upstream_port, first.provider_port
        second.write_gateway()
        for place in (first, second):
            write_app(place, idle=f"{SHORT}s")
        front = Front(ports[0])
        listening = await asyncio.start_server(front.connected, "127.0.0.1", first.port)
        with php(folder, first.upstream_port, SCRIPT, SETTINGS):
            async with opened(first, serves=False) as world:
                second.write_provider("alpha", world.alpha.url)
                other = Gateway(second)
                try:
                    await other.start()
                    yield Nodes(world, front, world.gateway, other, ports, application, posts)
                    other.is_clean()
                finally:
                    await other.end()
                world.gateway.is_clean()
        listening.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def forms(nodes: Nodes) -> AsyncIterator[list[KeptForm]]:
    """The first node kept one for each of three people. From then on sessions last."""
    people = [await nodes.world.signed_in(url=nodes.url()) for _ in range(3)]
    await asyncio.sleep(SHORT + 1)
    mark, forms = nodes.first.mark(), list[KeptForm]()
    for person in people:
        content = os.urandom(LARGE)
        content_type, body = multipart(content, "token")
        told = await sent(person, nodes.url(), content_type, body)
        assert (told.status, "Your form is not lost" in told.text) == (401, True), told.text
        forms.append(KeptForm(person, told, len(body), hashlib.sha256(content).hexdigest()))
        await nodes.first.logged(mark, event="post.kept", number=len(forms))
    for node in (nodes.first, nodes.second):
        write_app(node.place, idle=LONG)
        await node.reload()
    yield forms
    await nodes.world.leave()


@pytest.fixture
def form(nodes: Nodes, forms: list[KeptForm]) -> KeptForm:
    nodes.application.log.unlink(missing_ok=True)
    return forms.pop()


def came_once(nodes: Nodes, form: KeptForm) -> None:
    (got,) = nodes.application.received()
    assert (got["user"], got["length"]) == ("alice", str(form.length))
    assert got["file"] == {"name": "plan.pdf", "size": LARGE, "sha256": form.sha256}


async def test_what_one_node_kept_the_other_sends_on_once(nodes: Nodes, form: KeptForm) -> None:
    """All that follows the keeping, the sign-in included, is at the other node; then both are clicked at once."""
    kept = len(os.listdir(nodes.posts))
    await nodes.meets(form.person, nodes.second)
    button = await nodes.ready(form)
    assert "Your form is ready to be sent" in button.text, button.text
    action, lines = button.forms()[0].action, []
    for port in nodes.ports * 3:
        nodes.front.leads_to = port
        lines.append(await Connection.open(action))
    click = (
        f"POST {action.removeprefix(nodes.url(''))} HTTP/1.1\r\nHost: {ONE}:{nodes.world.place.port}\r\n"
        f"Origin: {origin_of(action)}\r\nAccept: text/html\r\nCookie: {form.person.jar.to_send(action)}\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    answers = await asyncio.gather(*(line.exchange(click.encode()) for line in lines))
    assert sorted(answer.status for answer in answers) == [200] + [410] * 5
    for line in lines:
        await line.close()
    came_once(nodes, form)
    async with asyncio.timeout(PATIENCE):
        while len(os.listdir(nodes.posts)) == kept:
            await asyncio.sleep(0.02)


async def test_another_person_never_sends_it_at_either_node(nodes: Nodes, form: KeptForm) -> None:
    person, action = form.person, nodes.url(f"/_ecluse/kept/{form.id}/depot")
    for node in (nodes.second, nodes.first):
        await nodes.meets(person, node)
        person.jar.forget(PORTAL_HOST)
        other = await nodes.ready(form, "bob")
        assert (other.status, "This form belongs to another person" in other.text) == (403, True)
        assert (await person.post(action, "")).status == 403
        stranger = await nodes.world.signed_in("root", nodes.url())
        assert (await stranger.post(action, "")).status == 410, "another browser"
        person.jar.forget(ONE, SEAT)
    assert nodes.application.received() == []
    person.jar.forget(PORTAL_HOST)
    await nodes.meets(person, nodes.second)
    button = await nodes.ready(form)
    assert (await person.submit(button, button.forms()[0])).status == 200
    came_once(nodes, form)


async def test_without_a_shared_folder_a_form_waits_at_the_node_that_kept_it(
    nodes: Nodes, form: KeptForm, tmp_path: Path
) -> None:
    """As the page for operators says: a click at the other one finds nothing, and nothing is lost by it."""
    place, person = nodes.second.place, form.person
    place.settings["posts"] = kept_in(tmp_path / "own")
    place.write_gateway()
    await nodes.second.reload()
    await nodes.meets(person, nodes.second)
    button = await nodes.ready(form)
    elsewhere = await person.submit(button, button.forms()[0])
    assert (elsewhere.status, "no longer available" in elsewhere.text) == (410, True), elsewhere.text
    await nodes.meets(person, nodes.first)
    again = await person.step("GET", button.url)
    assert (await person.submit(again, again.forms()[0])).status == 200
    came_once(nodes, form)
