"""AC: no client says a cookie that the gateway keeps for an application, and no browser is given one."""

from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.recorder import Answering
from tests.attacks.request import request
from tests.attacks.world import World

APP = "jarred"
KEPT = b"kept-here"

FORGED = (
    b"PHPSESSID=forged", b"phpsessid=forged", b"PHP_SESSID=forged", b"PHPSESSID[0]=forged", b"PHP.SESSID=forged",
    b"PHP SESSID=forged", b" PHPSESSID =forged", b"PHP%53ESSID=forged", b"PHP%u0053ESSID=forged", b"=PHPSESSID=forged",
    b'a="b, PHPSESSID=forged"', b"a=b, PHPSESSID=forged", b"$Version=1; PHPSESSID=forged", b"PHPSESSID\0x=forged",
    b'q="x; PHPSESSID=forged"', b"jarred_PHPSESSID=forged", b"jarred_phpsessid=forged", b"jarred_PHPSESSID[0]=forged",
    b"jarred_app_user=forged", b"jarred_APP-USER=forged", b"app_user=forged",
    b"jarred___Host-ecluse=forged", b"jarred_jarred_PHPSESSID%3dforged=1", b"jarred_=PHPSESSID=forged",
    b'lang="fr, PHPSESSID=forged"', b"lang=fr PHPSESSID=forged", b"__Host-ecluse-c=forged",
)  # fmt: skip
SET = (
    b"PHPSESSID=%b; Path=/", b"phpsessid=%b", b"PHPSESSID=%b; Domain=localhost", b" PHPSESSID = %b",
    b"=PHPSESSID=%b", b"%b", b"PHPSESSID[0]=%b", b"__Host-ecluse-c=%b", b"__HOST-ecluse=%b",
)  # fmt: skip


def sets(line: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nSet-Cookie: %b\r\nContent-Length: 2\r\n\r\nok" % line


def answering(world: World, response: bytes) -> Answering:
    return Answering(world.recorder, lambda _: response)


def says_none(forged: bytes) -> Run:
    async def run(world: World) -> None:
        cookie = await world.cookie(APP)
        with answering(world, sets(b"PHPSESSID=%b; Path=/" % KEPT)) as app:
            await world.send(request(APP, "/page", cookie=cookie))
            for brought in (cookie + b"; " + forged, forged + b"; " + cookie):
                await world.send(request(APP, "/page", cookie=brought))
            await world.send(request(APP, "/public/page", cookie=forged))
        for one in app.reached:
            expect(b"forged" not in one.raw, f"it reached the application: {one.all(b'cookie')}")

    return run


def gives_none(line: bytes) -> Run:
    async def run(world: World) -> None:
        cookie = await world.cookie(APP)
        with answering(world, sets(line % KEPT)):
            for target, brought in (("/page", cookie), ("/public/page", b"")):
                seen = await world.send(request(APP, target, cookie=brought))
                expect(seen.answer.status == 200, f"{seen}")
                expect(KEPT.decode() not in repr(seen.answer), f"the browser was given it: {seen}")

    return run


async def another_persons(world: World) -> None:
    """What is kept for one person goes with nobody else's request."""
    alice, bob = await world.cookie(APP), await world.cookie(APP, "bob")
    with answering(world, sets(b"PHPSESSID=of-alice; Path=/")):
        given = (await world.send(request(APP, "/page", cookie=alice))).answer.all(b"set-cookie")
    # As her browser does: by its mark another worker knows that its own reading is too old.
    (mark,) = [line.partition(b";")[0] for line in given if line.startswith(b"__Host-ecluse-c=")]
    with answering(world, sets(b"x=1")) as app:
        await world.send(request(APP, "/page", cookie=bob))
        await world.send(request(APP, "/public/page"))
        await world.send(request(APP, "/page", cookie=alice + b"; " + mark))
    told = [b"of-alice" in one.raw for one in app.reached]
    expect(told == [False, False, True], f"{told}")


CASES: tuple[Case, ...] = (
    *numbered("AC01", [(repr(forged), says_none(forged)) for forged in FORGED]),
    *numbered("AC02", [(repr(line), gives_none(line)) for line in SET]),
    uncontrolled("AC03.1", "nobody has another person's", another_persons),
)
