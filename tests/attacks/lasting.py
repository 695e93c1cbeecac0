"""SE05, SE06: limits in time. Who goes on sending, or reading, holds nothing for longer than the files say, and no
stream outlives what let it in."""

import asyncio
import secrets
import time

from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.outcomes import denied, passed
from tests.attacks.provider import sign
from tests.attacks.recorder import Script
from tests.attacks.request import request
from tests.attacks.world import SEAT, World, host
from tests.browser_like import Person
from tests.patience import until

# It never stops for long: what ends it is no timeout.
EVENTS = Script(
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    goes_on=b"5\r\ndata\n\r\n",
)


def cookie_of(person: Person, app: str) -> bytes:
    return b"%b=%b" % (SEAT.encode(), (person.jar.get(host(app), SEAT) or "").encode())


async def streamed(world: World, app: str, target: str, *lines: bytes, cookie: bytes = b"") -> None:
    """It streams, and is cut without its end."""
    world.recorder.scripts[target.encode()] = EVENTS
    try:
        seen = await world.send(request(app, target, *lines, cookie=cookie))
    finally:
        del world.recorder.scripts[target.encode()]
    expect(b"data\n" in seen.received, f"the control: it streamed: {seen}")
    expect(seen.closed and not seen.received.endswith(b"0\r\n\r\n"), f"it was not cut: {seen}")


async def dripped_upload(world: World) -> None:
    """A byte at a time, each within the time for a piece: `timeouts.total` holds for all of them. Twenty seconds of it,
    counted and in chunks, at once."""
    head = request("lasting", "/public/drip", b"Content-Length: 80", method=b"POST")
    chunked = request("lasting", "/public/drip", b"Transfer-Encoding: chunked", method=b"POST")
    for pieces in ([head, *[b"a"] * 80], [chunked, *[b"1\r\na\r\n"] * 79, b"0\r\n\r\n"]):
        seen = await world.send(pieces, pause=0.25)
        expect(seen.answer.status == 408 and seen.closed, f"expected 408: {seen}")
        expect(not world.recorder.requests, f"it was whole: {world.recorder.requests}")


async def endless_answer(world: World) -> None:
    await streamed(world, "lasting", "/public/stream")


async def of_a_replaced_seat(world: World) -> None:
    """A stronger sign-in has given the browser another seat of that host: what streams for the one before is cut."""
    person, _ = await world.sign_in("alice", world.url("levels", "/a"))
    before = cookie_of(person, "levels")
    world.recorder.forget()
    streaming = asyncio.create_task(streamed(world, "levels", "/a", cookie=before))
    await until(lambda: [found for found in world.recorder.requests if found.target == b"/a"])
    with world.alpha.misbehaving(claims=lambda told: told | {"acr": "eidas2"}):
        page = await world.follow(person, await person.step("GET", world.url("levels", "/strong")), "alice")
        if way := page.way_on():
            page = await world.follow(person, await person.step("GET", way), "alice")
    after = cookie_of(person, "levels")
    expect(page.status == 200 and after != before, f"the control: it is another seat: {page.status}")
    await streaming
    denied(world, await world.send(request("levels", "/a", cookie=before)))
    passed(world, await world.send(request("levels", "/a", cookie=after)))


async def of_an_expired_token(world: World) -> None:
    """RFC 9068: a program's access token lets nothing go on that is longer than it."""
    now = int(time.time())
    claims = {
        "iss": world.alpha.url, "aud": "urn:levels", "sub": "root", "client_id": "c", "jti": secrets.token_hex(),
        "iat": now, "exp": now + 10, "preferred_username": "root", "email": "root@corp.example",
    }  # fmt: skip
    token = sign(claims, world.alpha.signing_key, typ="at+jwt").encode()
    await streamed(world, "levels", "/machine/stream", b"Authorization: Bearer " + token)


CASES: tuple[Case, ...] = (
    Case("SE05.4", "an upload that drips for as long as it likes", dripped_upload),
    Case("SE05.5", "an answer that never ends", endless_answer),
    uncontrolled("SE06.5", "a stream of a seat that was replaced", of_a_replaced_seat),
    Case("SE06.6", "a stream of an access token that has expired", of_an_expired_token),
)
