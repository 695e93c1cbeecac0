"""A form or an upload that is sent when the session has ended is not lost: kept, then sent on by one click of the same
person, whole and once. Before PHP, which tells what has come."""

import asyncio
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.stores.sealing import read_cookie
from tests.browser_like import Person, Response, origin_of
from tests.interop.servers import php
from tests.patience import PATIENCE
from tests.raw_http import Connection
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, PORTAL_HOST, Place
from tests.walks.world import SEAT, World, ask, opened

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]

SCRIPT = Path(__file__).parent / "php/deposit.php"
LARGE = 20 << 20
BOUNDARY = "----ecluse"
FORM = "application/x-www-form-urlencoded"


SETTINGS = ("post_max_size=64M", "upload_max_filesize=64M")


def write_app(place: Place, keep_posts: str = "{}", idle: str = "10m") -> None:
    place.write_app("one", ONE, keep_posts=keep_posts, session=f"{{idle: {idle}}}", limits="{body: 100MB}")


class Application:
    def __init__(self, folder: Path) -> None:
        self.log = folder / "deposits.jsonl"

    def received(self) -> list[dict[str, Any]]:
        """Of large ones PHP writes a line in several pieces: what has no end yet is left out."""
        whole = self.log.read_text().rpartition("\n")[0] if self.log.exists() else ""
        return [json.loads(line) for line in whole.splitlines()]


@asynccontextmanager
async def before_php(folder: Path, idle: str = "10m") -> AsyncIterator[tuple[World, Application]]:
    place, application = Place(folder), Application(folder)
    write_app(place, idle=idle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPOSITS", str(application.log))
        with php(folder, place.upstream_port, SCRIPT, SETTINGS):
            async with opened(place, serves=False) as world:
                yield world, application
                world.gateway.is_clean()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, Application]]:
    async with before_php(tmp_path_factory.mktemp("kept")) as both:
        yield both


@pytest.fixture
def application(running: tuple[World, Application]) -> Application:
    running[1].log.unlink(missing_ok=True)
    return running[1]


@pytest_asyncio.fixture(loop_scope="module")
async def world(running: tuple[World, Application]) -> AsyncIterator[World]:
    """As it was at the start, whatever the test before has changed."""
    world, _ = running
    await changed(world)
    yield world
    await world.leave()


async def changed(world: World, keep_posts: str = "{}") -> None:
    before = world.place.read("apps/one.yaml")
    write_app(world.place, keep_posts)
    if world.place.read("apps/one.yaml") != before:
        await world.gateway.reload()


def multipart(content: bytes, token: str) -> tuple[str, bytes]:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n'.encode(),
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="piece"; filename="plan.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n".encode()
        + content
        + b"\r\n",
        f"--{BOUNDARY}--\r\n".encode(),
    ]
    return f"multipart/form-data; boundary={BOUNDARY}", b"".join(parts)


async def sent(person: Person, url: str, content_type: str, body: bytes, *more: tuple[str, str]) -> Response:
    headers = [("Content-Type", content_type), ("Origin", origin_of(url)), *more]
    return await person.step("POST", url, headers, body=body, initiator=url)


async def ended(world: World, person: Person) -> None:
    """Their seat ends by a limit now, in the store and in every worker: nobody has to wait for it. In tests/browser and
    in tests/attacks it ends by itself."""
    presented, now = read_cookie(world.cookie(person).partition("=")[2].encode()), int(time.time())
    assert presented is not None
    with closing(sqlite3.connect(world.place.database, timeout=PATIENCE)) as connection:
        ends = "UPDATE seats SET expires_at = ?, ends_at = ? WHERE session_id = ? AND lookup = ?"
        assert connection.execute(ends, (now, now, *presented.key)).rowcount == 1
        connection.execute("INSERT INTO ended (session_id, lookup, at) VALUES (?, ?, ?)", (*presented.key, now))
        connection.commit()
    cookie, found = world.cookie(person), 0
    async with asyncio.timeout(PATIENCE):
        while True:
            answers = await asyncio.gather(*(ask(world.place.url(), "/depot", cookie) for _ in range(8)))
            # Whichever of the workers was asked.
            found = found + 1 if {answer.status for answer in answers} == {401} else 0
            if found == 5:
                return
            await asyncio.sleep(0.2)


async def kept(world: World, person: Person, body: bytes = b"objet=essai", target: str = "/depot") -> Response:
    """The page that tells of a form whose session has ended."""
    await ended(world, person)
    page = await sent(person, world.place.url(ONE, target), FORM, body)
    assert page.status == 401, page.text
    assert "Your form is not lost" in page.text
    return page


async def ready(world: World, person: Person, page: Response, login: str = "alice") -> Response:
    """The page with the button, after the sign-in."""
    return await world.follow(person, await person.step("GET", page.links()[-1]), login)


def on_disk(place: Place) -> list[str]:
    folder = place.folder / "var/posts"
    return [name for name in os.listdir(folder) if name != ".lock"] if folder.exists() else []


async def cleared(place: Place) -> None:
    async with asyncio.timeout(PATIENCE):
        while on_disk(place):
            await asyncio.sleep(0.02)


def resident(gateway: Gateway) -> int:
    """Bytes that the largest worker had at most."""
    return max(
        int(line.split()[1]) << 10
        for pid in gateway.workers()
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )


async def test_an_upload_of_20_mb_arrives_whole_and_once(world: World, application: Application) -> None:
    place = world.place
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    page = await person.open(place.url(ONE, "/depot"))
    content = os.urandom(LARGE)
    content_type, body = multipart(content, page.forms()[0].fields[0][1])
    before = resident(world.gateway)
    await ended(world, person)
    told = await sent(person, place.url(ONE, "/depot?annee=2026"), content_type, body)
    assert told.status == 401, told.text
    assert "Your form is not lost" in told.text
    assert application.received() == []
    assert b"plan.pdf" not in b"".join(path.read_bytes() for path in (place.folder / "var/posts").iterdir())
    button = await ready(world, person, told)
    assert "Your form is ready to be sent" in button.text
    assert "Lebœuf (alice@corp.example)" in button.text
    done = await person.submit(button, button.forms()[0])
    assert done.status == 200, done.text
    (got,) = application.received()
    assert done.json() == got
    assert (got["target"], got["type"], got["length"]) == ("/depot?annee=2026", content_type, str(len(body)))
    assert (got["user"], got["origin"]) == ("alice", place.url(ONE, ""))
    assert got["referer"] in ("", place.url(ONE))
    assert got["file"] == {"name": "plan.pdf", "size": LARGE, "sha256": hashlib.sha256(content).hexdigest()}
    assert got["token_is_good"]
    assert not [name for name in got["cookies"] if "ecluse" in name]
    assert resident(world.gateway) - before < 16 << 20
    again = await person.submit(button, button.forms()[0])
    assert again.status == 410
    assert len(application.received()) == 1
    await cleared(place)


async def test_nobody_else_on_that_browser_sends_it(world: World, application: Application) -> None:
    person = await world.signed_in(url=world.place.url(ONE, "/depot"))
    page = await kept(world, person)
    person.jar.forget(PORTAL_HOST)
    other = await ready(world, person, page, "bob")
    assert (other.status, "This form belongs to another person" in other.text) == (403, True)
    id = page.links()[-1].rpartition("%3D")[2]
    click = await person.post(world.place.url(ONE, f"/_ecluse/kept/{id}/depot"), "")
    assert click.status == 403
    stranger = await world.signed_in("root", world.place.url(ONE, "/depot"))
    elsewhere = await stranger.post(world.place.url(ONE, f"/_ecluse/kept/{id}/depot"), "")
    assert elsewhere.status == 410, "another browser"
    assert application.received() == []
    person.jar.forget(PORTAL_HOST)
    person.jar.forget(ONE, SEAT)
    mark = world.gateway.mark()
    button = await ready(world, person, page, "alice")
    assert (await person.submit(button, button.forms()[0])).status == 200
    sent = await world.gateway.logged(mark, event="post.sent")
    # The last sign-in of all is hers: the log may have said of the others' after the mark.
    assert sent["person"] == world.gateway.lines(event="login.succeeded")[-1]["person"]
    assert [one["user"] for one in application.received()] == ["alice"]


async def test_it_is_not_sent_in_the_name_of_another_organisation(world: World, application: Application) -> None:
    """The same person, signed in again for another one: the page says for which, and offers another sign-in."""
    first, second = "21590350100017", "13002526500013"
    alice, before = world.alpha.people["alice"], world.place.read("providers/alpha.yaml")
    told = before.replace("groups: groups,", "groups: groups, siret: siret,")
    told = told.replace("asserts: {", f'tenant: siret\nasserts: {{siret: ["{first}", "{second}"], ')
    world.place.write("providers/alpha.yaml", told)
    await world.gateway.reload()
    try:
        alice["siret"] = first
        person = await world.signed_in(url=world.place.url(ONE, "/depot"))
        page = await kept(world, person)
        person.jar.forget(PORTAL_HOST)
        alice["siret"] = second
        mark = world.gateway.mark()
        other = await ready(world, person, page)
        assert other.status == 403, other.text
        assert "filled in for another organisation" in other.text
        assert f"For the organisation:</dt><dd>{second}</dd>" in other.text
        assert first not in other.text
        line = await world.gateway.logged(mark, event="request.refused", code="session.form_other_organisation")
        assert line["detail"] == f"its person is now signed in for {second}"
        id = page.links()[-1].rpartition("%3D")[2]
        click = await person.post(world.place.url(ONE, f"/_ecluse/kept/{id}/depot"), "")
        assert (click.status, application.received()) == (403, [])
        alice["siret"] = first
        left = await person.submit(other, other.forms()[0])
        assert "signed out" in left.text
        button = await world.follow(person, await person.step("GET", other.url))
        assert f"For the organisation:</dt><dd>{first}</dd>" in button.text
        assert (await person.submit(button, button.forms()[0])).status == 200
        assert [one["user"] for one in application.received()] == ["alice"]
    finally:
        alice.pop("siret", None)
        world.place.write("providers/alpha.yaml", before)
        await world.gateway.reload()


async def test_nothing_is_kept_for_a_cookie_that_was_no_seat_nor_for_another_site(
    world: World, application: Application
) -> None:
    place = world.place
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    gone = await world.signed_in("bob", place.url(ONE, "/depot"))
    # What the tests before have kept goes when it has been sent.
    before = {*on_disk(place)}
    cookie, signed_out = world.cookie(person), world.cookie(gone)
    await world.log_out(gone)
    await ended(world, person)
    ours = place.url(ONE, "")
    made_up = f"{SEAT}={'A' * 22}.{'B' * 43}"
    origin = ("Origin", ours)
    refused = {
        "made up": (made_up, [origin]),
        "one character": (cookie[:-1] + ("A" if cookie[-1] != "A" else "B"), [origin]),
        "signed out": (signed_out, [origin]),
        "no cookie": ("", [origin]),
        "another site": (cookie, [("Origin", "https://evil.example")]),
        "another origin": (cookie, [("Origin", ours + "0")]),
        "another site, says the browser": (cookie, [origin, ("Sec-Fetch-Site", "cross-site")]),
        "same site": (cookie, [origin, ("Sec-Fetch-Site", "same-site")]),
        "a contradiction": (cookie, [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")]),
        "two origins": (cookie, [origin, ("Origin", "https://evil.example")]),
        "two sites": (cookie, [origin, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")]),
        "nobody says": (cookie, []),
    }
    for why, (brought, headers) in refused.items():
        lines = [("Cookie", brought)] if brought else []
        lines += [
            ("Accept", "text/html"),
            ("Accept-Language", "en"),
            ("Content-Type", FORM),
            ("Content-Length", "1000"),
            *headers,
        ]
        head = "".join(f"{name}: {value}\r\n" for name, value in lines)
        connection = await Connection.open(place.url())
        # Nothing of the body was sent: it was not waited for.
        request = f"POST /depot HTTP/1.1\r\nHost: {ONE}:{place.port}\r\nExpect: 100-continue\r\n{head}\r\n"
        reading = await connection.exchange(request.encode())
        assert (reading.status, reading.interim) == (401, 0), why
        assert b"Your form was not sent" in reading.body, why
        await connection.close()
    script = await person.script(place.url(ONE, "/depot"), "POST", [origin])
    assert (script.status, script.header("Content-Type").partition(";")[0]) == (401, "application/json")
    assert {*on_disk(place)} <= before


async def test_a_chunked_upload_is_invited_and_kept(world: World, application: Application) -> None:
    place = world.place
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    await ended(world, person)
    head = (
        f"POST /depot HTTP/1.1\r\nHost: {ONE}:{place.port}\r\nOrigin: {place.url(ONE, '')}\r\nAccept: text/html\r\n"
        f"Cookie: {world.cookie(person)}\r\nContent-Type: text/x-any; charset=latin9\r\n"
    )
    sending = head + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    connection = await Connection.open(place.url())
    connection._writer.write(sending.encode())
    assert await connection._reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (b"a" * 70_000, b"b" * 300_000, b"c"))
    reading = await connection.exchange(body + b"0\r\n\r\n")
    assert reading.status == 401
    await connection.close()
    page = Response(401, tuple(reading.headers), bytes(reading.body), place.url(ONE, "/depot"), b"")
    person.jar.receive(page.url, page.all("Set-Cookie"))
    button = await ready(world, person, page)
    done = await person.submit(button, button.forms()[0])
    sent_body = b"a" * 70_000 + b"b" * 300_000 + b"c"
    assert done.json()["sha256"] == hashlib.sha256(sent_body).hexdigest()
    assert done.json()["type"] == "text/x-any; charset=latin9"

    # Half of one, then the client leaves; and one that says more than it has.
    for more in ("Content-Length: 500000", "Transfer-Encoding: chunked"):
        mark = world.gateway.mark()
        connection = await Connection.open(place.url())
        connection._writer.write(f"{head}{more}\r\n\r\n1000\r\n".encode() + b"x" * 4096)
        async with asyncio.timeout(PATIENCE):
            while not on_disk(place):
                await asyncio.sleep(0.02)
        await connection.close()
        await cleared(place)
        assert not world.gateway.lines(mark, event="post.kept")


async def test_what_was_not_sent_on_can_be_asked_for_again(world: World, application: Application) -> None:
    """The rules refuse it; then the application is not there; then it arrives."""
    place = world.place
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    button = await ready(world, person, await kept(world, person))
    before, mark = place.read("apps/one.yaml"), world.gateway.mark()
    deny = "  - {path: /depot, methods: [POST], deny: anyone}\n"
    place.write("apps/one.yaml", before.replace("access:\n", f"access:\n{deny}"))
    await world.gateway.reload()
    denied = await person.submit(button, button.forms()[0])
    assert denied.status == 403, denied.text
    await world.gateway.logged(mark, event="post.returned")
    away = before.replace(f":{place.upstream_port}", ":9")
    place.write("apps/one.yaml", away)
    await world.gateway.reload()
    nowhere = await person.submit(button, button.forms()[0])
    assert nowhere.status == 502, nowhere.text
    await world.gateway.logged(mark, event="post.returned", number=2)
    place.write("apps/one.yaml", before)
    await world.gateway.reload()
    assert application.received() == []
    done = await person.submit(button, button.forms()[0])
    assert done.status == 200, done.text
    assert [one["fields"] for one in application.received()] == [{"objet": "essai"}]
    returned = 'ecluse_posts_total{app="one",result="returned"}'
    await world.gateway.measured(lambda metrics: metrics.get(returned, 0) >= 2)


async def test_two_clicks_at_once_send_it_once_and_whole(world: World, application: Application) -> None:
    place = world.place
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    button = await ready(world, person, await kept(world, person, b"objet=" + b"x" * (8 << 20)))
    clicks = await asyncio.gather(*(person.submit(button, button.forms()[0]) for _ in range(6)))
    assert sorted(click.status for click in clicks) == [200] + [410] * 5
    assert [one["size"] for one in application.received()] == [6 + (8 << 20)]


def is_under_way_to(port: int) -> bool:
    """Whether bytes wait in a connection to this port, at either end (proc_net_tcp(5))."""
    fields = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = f":{port:04X}"
    return any(
        queues.strip("0") != ":" for _, local, remote, state, queues, *_ in fields
        if state == "01" and (local.endswith(ends) or remote.endswith(ends))
    )  # fmt: skip


async def test_who_leaves_after_the_click_has_it_sent_all_the_same(world: World, application: Application) -> None:
    """As a browser does where the button is pressed twice: it ends the first connection."""
    place = world.place
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    button = await ready(world, person, await kept(world, person, b"objet=" + b"x" * (16 << 20)))
    target = button.forms()[0].action.removeprefix(place.url(ONE, ""))
    cookies = person.jar.to_send(place.url(ONE))
    connection = await Connection.open(place.url())
    connection._writer.write(
        f"POST {target} HTTP/1.1\r\nHost: {ONE}:{place.port}\r\nOrigin: {place.url(ONE, '')}\r\nAccept: text/html\r\n"
        f"Cookie: {cookies}\r\nContent-Length: 0\r\n\r\n".encode()
    )
    async with asyncio.timeout(PATIENCE):
        # Before its first byte is on its way, it would be given back.
        while not (is_under_way_to(place.upstream_port) or application.received()):
            await asyncio.sleep(0.002)
    connection._writer.transport.abort()
    async with asyncio.timeout(PATIENCE):
        while not application.received():
            await asyncio.sleep(0.02)
    assert [one["size"] for one in application.received()] == [6 + (16 << 20)]
    await cleared(place)


async def test_a_page_of_the_response_leads_to_the_application(world: World, application: Application) -> None:
    """The address bar holds ours: a relative link, and the form that the application shows again, lead where they
    should."""
    place = world.place
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    button = await ready(world, person, await kept(world, person, target="/dossiers/7/depot?annee=2026"))
    action = button.forms()[0].action
    done = await person.submit(button, button.forms()[0])
    assert done.status == 200
    assert done.json()["target"] == "/dossiers/7/depot?annee=2026"
    link = await person.step("GET", action.partition("/depot?")[0] + "/style.css")
    assert (link.status, link.location) == (303, place.url(ONE, "/dossiers/7/style.css"))
    content_type, body = multipart(b"corrected", "token")
    again = await sent(person, action, content_type, body)
    assert (again.status, again.location) == (307, place.url(ONE, "/dossiers/7/depot?annee=2026"))
    for odd in ("//evil.example/", "/\\evil.example", "//evil.example", "/%2e%2e/%2e%2e/x"):
        away = await person.step("GET", action.partition("/dossiers")[0] + odd)
        assert away.status == 400 or away.location.startswith(place.url(ONE, "/")), odd
        assert "//evil" not in away.location[8:], odd


async def test_what_was_kept_for_long_enough_says_so(world: World, application: Application) -> None:
    place = world.place
    await changed(world, "{lasts: 1s}")
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    await ended(world, person)
    page = await sent(person, place.url(ONE, "/depot"), FORM, b"objet=essai")
    assert "Your form is not lost" in page.text
    await asyncio.sleep(2)
    late = await ready(world, person, page)
    assert late.status == 410
    assert "no longer kept" in late.text
    assert "Back to the application" in late.text


async def test_what_is_larger_than_the_file_says_is_not_kept(world: World, application: Application) -> None:
    """One that says so is refused before its body; one that does not, where it passes the limit, and leaves nothing."""
    place = world.place
    await changed(world, "{largest: 100KB}")
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    await ended(world, person)
    head = (
        f"POST /depot HTTP/1.1\r\nHost: {ONE}:{place.port}\r\nOrigin: {place.url(ONE, '')}\r\nAccept: text/html\r\n"
        f"Accept-Language: en\r\nCookie: {world.cookie(person)}\r\nContent-Type: {FORM}\r\n"
    )
    connection = await Connection.open(place.url())
    told = await connection.exchange(f"{head}Expect: 100-continue\r\nContent-Length: 102401\r\n\r\n".encode())
    assert (told.status, told.interim) == (401, 0)
    assert b"Your form was not sent" in told.body
    await connection.close()
    mark, before = world.gateway.mark(), len(on_disk(place))
    for size, status in ((102_401, 413), (102_400, 401)):
        connection = await Connection.open(place.url())
        chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n".encode() + b"x" * size + b"\r\n0\r\n\r\n"
        assert (await connection.exchange(chunked)).status == status
        await connection.close()
        if status == 401:
            await world.gateway.logged(mark, event="post.kept")
    (kept,) = world.gateway.lines(mark, event="post.kept")
    assert kept["person"] in {line["person"] for line in world.gateway.lines(event="login.succeeded")}
    async with asyncio.timeout(PATIENCE):
        while len(on_disk(place)) > before + 1:
            await asyncio.sleep(0.02)


async def test_a_file_that_was_altered_is_not_sent(world: World, application: Application) -> None:
    place = world.place
    person = await world.signed_in(url=place.url(ONE, "/depot"))
    button = await ready(world, person, await kept(world, person))
    for name in on_disk(place):
        (place.folder / "var/posts" / name).write_bytes(b"altered")
    assert (await person.submit(button, button.forms()[0])).status == 410
    assert application.received() == []
