"""OC08, acr and max_age: a stronger sign-in is asked for once, believed as far as it goes, never in circles."""

import secrets
import time

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.outcomes import denied, passed
from tests.attacks.provider import Document, sign
from tests.attacks.request import request
from tests.attacks.world import SEAT, World, host
from tests.browser_like import Person

APP = "levels"


def stepping(target: str, status: int, code: str = "", **second: object) -> Run:
    """Alice signs in without a level, then opens `target`; `second` is what the provider then says beside the usual."""

    async def run(world: World) -> None:
        mark, person = world.log_mark(), Person("en")
        with world.alpha.misbehaving(claims=lambda told: told | {"auth_time": int(time.time()) - 60}):
            _, page = await world.sign_in("alice", world.url(APP, "/a"), person=person)
        expect(page.status == 200, f"the control: alice is signed in: {page.status}")
        weak, asked = person.jar.get(host(APP), SEAT), len(world.alpha.asked)
        with world.alpha.misbehaving(claims=lambda told: _changed(told, second)):
            page = await world.follow(person, await person.step("GET", world.url(APP, target)), "alice")
        expect(page.status == status, f"{target}: {page.status}, not {status}: {page.text[:300]}")
        expect(len(world.alpha.asked) == asked + 1, f"the provider was asked {len(world.alpha.asked) - asked} times")
        if code:
            await world.logged(mark, code=code)
            expect(person.jar.get(host(APP), SEAT) == weak, "a refused sign-in has replaced the session")
        await person.close()

    return run


def _changed(told: Document, changes: dict[str, object]) -> Document:
    return {name: value for name, value in (told | changes).items() if value is not None}


async def not_for_a_script(world: World) -> None:
    _, page = await world.sign_in("alice", world.url(APP, "/a"), person=(person := Person("en")))
    answer = await person.script(world.url(APP, "/strong"))
    expect(answer.status == 401 and answer.json()["error"] == "session.too_weak", f"{page.status} {answer.status}")
    await person.close()


async def not_where_it_does_not_help(world: World) -> None:
    """Invariant 10: a signed-in but refused person gets 403, never a redirect."""
    person, _ = await world.sign_in("alice", world.url(APP, "/a"))
    page = await person.step("GET", world.url(APP, "/strong-admin"))
    expect((page.status, page.location) == (403, ""), f"{page.status} {page.location}")
    await person.close()


def by_token(status: int, typ: str = "at+jwt", **changes: object) -> Run:
    """K082: what a program brings is checked in full, on each path and with each cookie."""

    async def run(world: World) -> None:
        now = int(time.time())
        claims = {
            "iss": world.alpha.url, "aud": "urn:levels", "sub": "root", "client_id": "c", "jti": secrets.token_hex(),
            "iat": now, "exp": now + 300, "preferred_username": "root", "email": "root@corp.example",
        }  # fmt: skip
        token = sign(_changed(claims, changes), world.alpha.signing_key, typ=typ)
        line = b"Authorization: Bearer " + token.encode()
        seen = await world.send(request(APP, "/machine/x", line))
        expect(seen.answer.status == status, f"{seen}")
        if status == 200:
            reached = passed(world, seen)
            expect(reached.all(b"X-Remote-User") == [b"root"], f"{reached.raw!r}")
            expect(token.encode() not in reached.raw, "the token went further")
        else:
            expect(b"Bearer error=" in seen.answer.header(b"www-authenticate"), f"{seen}")
            denied(world, seen)
        expect(token not in world.log_text(), "the token is in the log")

    return run


def misspelt(form: bytes) -> Run:
    """With a session: a token that we would not read is none for the application to read either."""

    async def run(world: World) -> None:
        cookie = await world.cookie(APP)
        passed(world, await world.send(request(APP, "/machine/x", cookie=cookie)))
        seen = await world.send(request(APP, "/machine/x", b"Authorization: " + form, cookie=cookie))
        denied(world, seen)

    return run


NOW = int(time.time())
OC08 = (
    ("acr: a stronger sign-in opens the page", stepping("/strong", 200, acr="eidas2")),
    ("acr: one that is too low", stepping("/strong", 403, "login.too_weak", acr="eidas1")),
    ("acr: none", stepping("/strong", 403, "login.too_weak")),
    ("acr: another spelling", stepping("/strong", 403, "login.too_weak", acr="EIDAS3")),
    ("acr: in a list", stepping("/strong", 403, "login.too_weak", acr=["eidas3"])),
    ("acr: words that nobody mapped", stepping("/strong", 403, "login.too_weak", acr="urn:strong")),
    ("max_age: a new sign-in opens the page", stepping("/recent", 200)),
    ("max_age: the provider asked nobody anew",
     stepping("/recent", 403, "login.not_fresh", auth_time=NOW - 86400)),
    ("max_age: it does not say when", stepping("/recent", 403, "login.not_fresh", auth_time=None)),
    ("amr: a method that the provider names", stepping("/card", 200, amr=["hwk"])),
    ("amr: another method", stepping("/card", 403, "login.too_weak", amr=["pwd"])),
    ("a script is not sent anywhere", not_for_a_script),
    ("nor is who would be refused all the same", not_where_it_does_not_help),
    ("an access token in order: the control of those below", by_token(200)),
    ("an expired access token (K082)", by_token(401, exp=NOW - 86400)),
    ("an access token for somebody else (K082)", by_token(401, aud="ecluse")),
    ("an ID token in the place of an access token (K082)", by_token(401, typ="JWT")),
    ("an access token of another issuer (K082)", by_token(401, iss="https://evil.example")),
    ("a second word after it, with a session", misspelt(b"Bearer a.b.c more")),
    ("a tab before it, with a session", misspelt(b"bEARER\ta.b.c")),
    ("something else beside it, with a session", misspelt(b"Bearer a.b.c, Basic YTpi")),
    ("none at all, with a session", misspelt(b"Bearer")),
)  # fmt: skip

CASES: tuple[Case, ...] = numbered("OC08", OC08, first=21, controlled=False)
