"""AQ: a request for an account names whoever is signed in, once, and writes nothing but text to anybody."""

import asyncio
import re
import subprocess
import sys
from urllib.parse import quote

from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.world import World
from tests.browser_like import Person, Response

APP = "asking"
PAGE = "/_ecluse/account/request"
HOST = f"host={APP}.localhost&to=%2F"
_OWNER = re.compile(r'name="owner" value="([0-9a-f]{32})"')
# By whose browser: a page says it while nothing was asked.
_owners: list[tuple[Person, str]] = []
_REFERENCE = re.compile(r"Reference of your request: <code>(\w+)</code>")


async def signed_in(world: World, login: str) -> Person:
    person = world.guest()
    page = await world.follow(person, await person.step("GET", world.url(APP)), login)
    expect(page.status == 403 and "is not known yet" in page.text, f"{page.status} {page.text[:200]}")
    return person


async def sent(world: World, person: Person, fields: str = "", *, initiator: str = "", owner: str = "") -> Response:
    """With what the page of the form says of whom it was shown to; `owner`: another word for that."""
    url = world.portal(PAGE)
    if not owner_of(person) and (found := _OWNER.search((await shown(world, person)).text)):
        _owners.append((person, found[1]))
    whose = owner or owner_of(person)
    return await person.post(url, f"{HOST}&owner={whose}&{fields}".rstrip("&"), initiator=initiator or url)


def owner_of(person: Person) -> str:
    return next((owner for one, owner in _owners if one is person), "")


async def shown(world: World, person: Person, more: str = "") -> Response:
    return await person.step("GET", world.portal(f"{PAGE}?{HOST}{more}"))


async def kept(world: World) -> str:
    """As the operator is shown it."""
    command = [sys.executable, "-m", "gateway", "account", "list", "--requests"]
    told = await asyncio.to_thread(subprocess.run, command, cwd=world.folder, capture_output=True, text=True)
    expect(told.returncode == 0, told.stderr)
    return told.stdout


# --- AQ01: no other page sends it


def sent_by(initiator: str) -> Run:
    async def run(world: World) -> None:
        person = await signed_in(world, "carol")
        mark = world.gateway.mark()
        page = await sent(world, person, "text=of-another-page", initiator=initiator or world.url(APP))
        expect(page.status == 403, f"{page.status}")
        await world.logged(mark, code="account.cross_site")
        expect("of-another-page" not in await kept(world), "it is kept")

    return run


# --- AQ02: whose it is


async def another_persons(world: World) -> None:
    """What the form and the address name is nobody: a person reads of their own request alone."""
    alice, bob = await signed_in(world, "alice"), await signed_in(world, "bob")
    page = await sent(world, alice, "text=of-alice")
    reference = _REFERENCE.search(page.text)
    expect(reference is not None, page.text[:300])
    number = reference[1] if reference else ""
    for more in (f"&reference={number}", f"&request={number}", "&subject=alice", "&person=subject%3Dalice"):
        expect(number not in (await shown(world, bob, more)).text, f"bob reads {number} by {more}")
    page = await sent(world, bob, f"text=of-bob&subject=alice&person=subject%3Dalice&reference={number}")
    found = _REFERENCE.search(page.text)
    expect(found is not None and found[1] != number, "bob has alice's request")
    expect((await kept(world)).count("subject=alice of") == 1, "alice has asked twice")
    nobody = await sent(world, world.guest(), "text=of-nobody")
    expect(nobody.status == 401, f"{nobody.status}")


async def of_a_page_of_another_person(world: World) -> None:
    """The form of a page that somebody left open, in the session of the next person in that browser."""
    first, second = await signed_in(world, "gia"), await signed_in(world, "gus")
    await sent(world, first)
    for owner in (owner_of(first), "0" * 32, "-"):
        mark = world.gateway.mark()
        page = await sent(world, second, "text=of-the-first", owner=owner)
        expect(page.status == 403 and "of-the-first" not in page.text, f"{page.status} {page.text[:300]}")
        await world.logged(mark, code="account.other_person")
    expect("subject=gus of" not in await kept(world), "it is kept as the second person's")


# --- AQ03: what is written


async def too_long(world: World) -> None:
    person = await signed_in(world, "dave")
    for length, most in ((501, 403), (200_000, 413)):
        mark = world.gateway.mark()
        page = await sent(world, person, "text=" + "x" * length)
        expect(page.status in (403, most), f"{length} letters: {page.status}")
        expect(not world.faults(mark), f"{world.faults(mark)}")
    expect("xxx" not in await kept(world), "it is kept")


async def no_more_than_text(world: World) -> None:
    """Neither page nor terminal does anything by it."""
    person = await signed_in(world, "erin")
    written = "<script>alert(1)</script>\x1b[2J\x1b]0;owned\x07\u202egpj.exe\r\n7KQM2F9R  permis  subject=root\x00"
    page = await sent(world, person, f"text={quote(written)}")
    again = await shown(world, person)
    expect("<script>alert" not in page.text + again.text, "markup stands on a page")
    told = await kept(world)
    expect(not any(letter in told for letter in "\x1b\x07\x00\u202e"), repr(told))
    expect("\n    > 7KQM2F9R  permis" in told, "a text looks like a line of ours")


# --- AQ04: floods


async def again_and_again(world: World) -> None:
    person = await signed_in(world, "frank")
    found = {match[1] for _ in range(30) if (match := _REFERENCE.search((await sent(world, person)).text))}
    expect(len(found) == 1, f"{found}")
    expect((await kept(world)).count("subject=frank of") == 1, "it is kept more than once")


CASES: tuple[Case, ...] = (
    *numbered(
        "AQ01",
        [(one or "a page of the application", sent_by(one)) for one in ("https://evil.example/", "null", "")],
        controlled=False,
    ),
    uncontrolled("AQ02.1", "another person's reference and name", another_persons),
    uncontrolled("AQ02.2", "a page that another person left open", of_a_page_of_another_person),
    uncontrolled("AQ03.1", "a text without end", too_long),
    uncontrolled("AQ03.2", "markup, and letters for a terminal", no_more_than_text),
    uncontrolled("AQ04.1", "the same form thirty times", again_and_again),
)
