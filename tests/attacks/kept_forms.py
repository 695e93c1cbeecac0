"""KF: forms that are kept when the session has ended: for whom, who sends them on, and how much of them there is."""

import asyncio
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

from tests.attacks.cases import Run, expect, numbered
from tests.attacks.outcomes import unseen
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import PORTAL, SEAT, World, host
from tests.browser_like import Person, Response
from tests.cookie_jar import Jar
from tests.raw_http import Header

APP = "kept"
FORM = "application/x-www-form-urlencoded"
_ENDS_WITHIN = 4.2
_FLOOD = 60
_WAITING: dict[Path, list[tuple[str, Jar]]] = {}


async def whose_session_has_ended(world: World, login: str = "alice") -> Person:
    """All that these cases need are signed in at once, so that the end is waited for once."""
    waiting = _WAITING.setdefault(world.folder, [])
    if not any(name == login for name, _ in waiting):
        people = [(name, world.guest()) for name in (*["alice"] * 10, "tilda", "root", "bob")]
        await asyncio.gather(*(world.sign_in(name, world.url(APP, "/"), person=person) for name, person in people))
        await asyncio.sleep(_ENDS_WITHIN)
        waiting += [(name, person.jar) for name, person in people]
    found = next(one for one in waiting if one[0] == login)
    waiting.remove(found)
    return world.guest(found[1])


async def sent(world: World, person: Person, *headers: Header, body: bytes = b"a=b") -> Response:
    url = world.url(APP, "/depot")
    told = [("Content-Type", FORM), ("Origin", world.url(APP, "")), *headers]
    return await person.step("POST", url, told, body=body, initiator=url)


async def kept(world: World, login: str = "alice") -> tuple[Person, str]:
    """A person, and the id of a form of theirs."""
    person = await whose_session_has_ended(world, login)
    page = await sent(world, person)
    expect("Your form is not lost" in page.text, f"the control: it is kept: {page.status} {page.text[:300]}")
    return person, page.links()[-1].rpartition("%3D")[2]


def on_disk(world: World) -> list[str]:
    return [path.name for path in Path(world.folder).rglob("posts/*-*")]


def cookie_of(person: Person, app: str = APP) -> bytes:
    return f"{SEAT}={person.jar.get(host(app), SEAT)}".encode()


async def not_kept(world: World, cookie: bytes, *lines: bytes) -> None:
    """Refused before a byte of its body is asked for; nothing lies on the disk."""
    before = on_disk(world)
    data = request(APP, "/depot", b"Content-Type: text/plain", b"Content-Length: 9999", b"Expect: 100-continue",
                   b"Accept-Language: en",
                   *lines, method=b"POST", cookie=cookie)  # fmt: skip
    seen = await world.send(data)
    unseen(world, seen)
    expect(seen.answer.status == 401 and b"Your form was not sent" in seen.answer.body, f"{seen}")
    expect(on_disk(world) == before, "something was kept")


def refused_with(*lines: bytes, site: bytes = b"same-origin") -> Run:
    async def run(world: World) -> None:
        person = await whose_session_has_ended(world)
        await not_kept(world, cookie_of(person), *NAVIGATION, b"Sec-Fetch-Site: " + site, *lines)

    return run


async def made_up(world: World) -> None:
    ours = (*NAVIGATION, b"Sec-Fetch-Site: same-origin")
    random = urlsafe_b64encode(secrets.token_bytes(48)).rstrip(b"=")
    for cookie in (random[:22] + b"." + random[22:65].ljust(43, b"A"), b"A" * 22 + b"." + b"A" * 43):
        await not_kept(world, f"{SEAT}=".encode() + cookie, *ours)


async def of_the_session_alone(world: World) -> None:
    """The first half of a cookie is the session's id, which other hosts of it have too."""
    person = await whose_session_has_ended(world)
    cookie = cookie_of(person)
    secret = urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=")
    ours = (*NAVIGATION, b"Sec-Fetch-Site: same-origin")
    await not_kept(world, cookie.rpartition(b".")[0] + b"." + secret, *ours)
    portal = f"{SEAT}={person.jar.get(PORTAL, SEAT)}".encode()
    await not_kept(world, portal, *ours)


async def signed_out(world: World) -> None:
    person = world.guest()
    await world.sign_in("alice", world.url(APP, "/"), person=person)
    cookie = cookie_of(person)
    await person.post(world.url(APP, "/_ecluse/logout"), "")
    await asyncio.sleep(_ENDS_WITHIN)
    await not_kept(world, cookie, *NAVIGATION, b"Sec-Fetch-Site: same-origin")


async def _click(world: World, person: Person, id: str, *headers: Header, app: str = APP) -> Response:
    return await person.step(
        "POST", world.url(app, f"/_ecluse/kept/{id}/depot"), [("Origin", world.url(app, "")), *headers],
        initiator=world.url(app, "/"),
    )  # fmt: skip


async def not_sent(world: World, person: Person, id: str, status: int, *headers: Header, app: str = APP) -> None:
    before = len(world.recorder.requests)
    found = await _click(world, person, id, *headers, app=app)
    expect(found.status == status, f"{found.status} {found.text[:300]}")
    expect(len(world.recorder.requests) == before, "something was sent on")


async def by_another_person(world: World) -> None:
    person, id = await kept(world)
    person.jar.forget(PORTAL)
    person.jar.forget(host(APP), SEAT)
    await world.sign_in("mallory", world.url(APP, "/"), person=person)
    await not_sent(world, person, id, 403)


async def in_another_browser(world: World) -> None:
    """The same person even, whose link was stolen."""
    _, id = await kept(world)
    thief = world.guest()
    await world.sign_in("alice", world.url(APP, "/"), person=thief)
    await not_sent(world, thief, id, 410)
    page = await thief.step("GET", world.url(APP, f"/_ecluse/kept?post={id}"))
    expect(page.status == 410 and "/depot" not in page.text, "it is shown to another browser")


async def by_another_site(world: World) -> None:
    person, id = await kept(world)
    await world.sign_in("alice", world.url(APP, "/"), person=person)
    for headers in (
        (("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")),
        (("Origin", "https://evil.example"),),
        (("Sec-Fetch-Site", "same-site"),),
        (("Origin", "null"), ("Sec-Fetch-Site", "cross-site")),
    ):
        await not_sent(world, person, id, 403, *headers)
    await not_sent(world, person, id, 410, app="prefix-public")


async def twice(world: World) -> None:
    person, id = await kept(world)
    await world.sign_in("alice", world.url(APP, "/"), person=person)
    before = len(world.recorder.requests)
    found = await asyncio.gather(*(_click(world, person, id) for _ in range(8)))
    expect(sorted(page.status for page in found) == [200] + [410] * 7, f"{[page.status for page in found]}")
    expect(len(world.recorder.requests) == before + 1, "sent on more than once")
    await not_sent(world, person, id, 410)


async def odd_ids(world: World) -> None:
    person, id = await kept(world)
    await world.sign_in("alice", world.url(APP, "/"), person=person)
    for odd in ("..", "%2e%2e", "..%2f..%2fetc", id + "%00", id[:-1], "A" * 5000, "'; DROP TABLE tickets", "%ff"):
        before = len(world.recorder.requests)
        found = await _click(world, person, odd.replace(" ", "+"))
        expect(found.status in (400, 404, 410, 414), f"{odd}: {found.status}")
        expect(len(world.recorder.requests) == before, f"{odd} was sent on")


async def strangers_flood(world: World) -> None:
    """Nothing is kept for who was never here, and there is room for who was."""
    before = on_disk(world)
    for number in range(_FLOOD):
        cookie = f"{SEAT}={'A' * 22}.{number:043d}".encode()
        data = request(APP, "/depot", *NAVIGATION, b"Sec-Fetch-Site: same-origin", method=b"POST", cookie=cookie,
                       body=b"x" * 50_000)  # fmt: skip
        unseen(world, await world.send(data))
    expect(on_disk(world) == before, "a stranger's form was kept")
    await kept(world, "tilda")


async def ones_own_flood(world: World) -> None:
    person = await whose_session_has_ended(world, "root")
    pages = [await sent(world, person, body=b"x" * 1000) for _ in range(_FLOOD)]
    number = sum("Your form is not lost" in page.text for page in pages)
    expect(number == 20, f"{number} of {_FLOOD} are kept")
    await kept(world, "bob")


CASES = (
    *numbered(
        "KF01",
        [
            ("of another site", refused_with(b"Origin: https://evil.example", site=b"cross-site")),
            ("another Origin, whatever Fetch Metadata say", refused_with(b"Origin: https://evil.example")),
            ("another method, by a header that is not sent on", refused_with(b"X-HTTP-Method-Override: DELETE")),
            ("of the same site, another host", refused_with(site=b"same-site")),
            ("a typed address, which sends no form", refused_with(site=b"none")),
            ("with a made-up cookie", made_up),
            ("with half a cookie, or another host's", of_the_session_alone),
            ("of somebody who signed out", signed_out),
        ],
        controlled=False,
    ),
    *numbered(
        "KF02",
        [
            ("sent on by another person", by_another_person),
            ("sent on in another browser", in_another_browser),
            ("sent on by another site, or on another host", by_another_site),
            ("sent on twice", twice),
            ("ids that lead elsewhere", odd_ids),
        ],
        controlled=False,
    ),
    *numbered("KF03", [("a stranger's flood", strangers_flood), ("one's own", ones_own_flood)], controlled=False),
)
