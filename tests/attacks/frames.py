"""CS03: a frame gets a seat of a session that is there on a listed page of the same site, and nowhere else."""

import sqlite3
from contextlib import closing

from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.outcomes import denied
from tests.attacks.request import request
from tests.attacks.world import PORTAL, SEAT, World

APP = "prefix-public"
PAGE = "/private/page"
EMBEDDED = "dossier.portail.localhost"
FRAME = (b"Accept: text/html", b"Sec-Fetch-Dest: iframe", b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Site: same-site")


def page_of(world: World, name: str) -> bytes:
    return f"Referer: {world.url(name)}".encode()


async def frames_begin_nothing(world: World) -> None:
    """But on a page of a host of the same site that the file lists: whoever writes the lines of a browser there has no
    cookie of anybody's, and gets as far as the portal."""
    before, listed = tickets(world), page_of(world, "intranet.portail.localhost")
    cross = tuple(line.replace(b"same-site", b"cross-site") for line in FRAME)
    for lines, method in (
        ((*FRAME, page_of(world, "autre.portail.localhost")), b"GET"), (FRAME, b"GET"), ((*cross, listed), b"GET"),
        ((*FRAME[:-1], listed), b"GET"), ((*FRAME, FRAME[-1], listed), b"GET"), ((*FRAME, listed), b"POST"),
        ((*FRAME, b"Sec-Purpose: prefetch", listed), b"GET"),
        ((*FRAME, listed.replace(b"intranet.portail.localhost", b"intranet.portail.localhost.evil")), b"GET"),
        ((FRAME[0], FRAME[1].replace(b"iframe", b"image"), *FRAME[2:], listed), b"GET"),
    ):  # fmt: skip
        seen = await world.send(request(EMBEDDED, PAGE, *lines, method=method, body=b"" if method == b"POST" else None))
        denied(world, seen)
        expect(seen.answer.status == 401 and not seen.answer.header(b"location"), f"{method} {lines}: {seen}")
        # Nor where the file lists nobody.
        seen = await world.send(request(APP, PAGE, *FRAME, page_of(world, APP)))
        expect(seen.answer.status == 401, f"{lines}: {seen}")
    expect(tickets(world) == before, "something was begun")


async def forged_frame(world: World) -> None:
    """Every line of a listed page's frame, by a program: a transaction of its own, and no provider, seat or page."""
    seen = await world.send(request(EMBEDDED, PAGE, *FRAME, page_of(world, "intranet.portail.localhost")))
    denied(world, seen)
    start = seen.answer.header(b"location").decode().partition("/_ecluse/")[2]
    expect(start.startswith("start?t="), f"{seen}")
    seen = await world.send(request(PORTAL, f"/_ecluse/{start}", *FRAME))
    expect(seen.answer.status == 401 and not seen.answer.header(b"location"), f"a provider is asked: {seen}")
    expect(not any(line.startswith(SEAT.encode()) for line in seen.answer.all(b"set-cookie")), f"{seen}")
    policy = seen.answer.header(b"content-security-policy")
    origins = " ".join(world.url(name).rstrip("/") for name in ("intranet.portail.localhost", EMBEDDED))
    expect(policy.endswith(f"frame-ancestors {origins}".encode()), f"others may frame it: {policy!r}")


async def frame_finishes_no_other(world: World) -> None:
    """A sign-in that a person has begun at the top, led into a frame by a page that knows its address."""
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    start = await person.step("GET", world.url(EMBEDDED, PAGE))
    lines = [("Sec-Fetch-Dest", "iframe"), ("Sec-Fetch-Site", "same-site")]
    page = await person.step("GET", start.location, lines)
    expect(page.status == 401 and not page.location, f"{page.status} {page.location}")
    page = await person.step("GET", start.location)
    expect("/_ecluse/enter?" in page.location, f"the control: at the top it goes on: {page.status}")


def tickets(world: World) -> int:
    """What is under way, as the store counts it."""
    with closing(sqlite3.connect(f"file:{world.folder / 'var/sessions.sqlite'}?mode=ro", uri=True)) as connection:
        (number,) = connection.execute("SELECT count(*) FROM tickets").fetchone()
    return int(number)


CASES: tuple[Case, ...] = (
    Case("CS03.5", "frames begin nothing but on listed pages of the same site", frames_begin_nothing),
    uncontrolled("CS03.6", "a program that writes a listed frame's lines", forged_frame),
    uncontrolled("CS03.7", "a sign-in of the top, in a frame", frame_finishes_no_other),
)
