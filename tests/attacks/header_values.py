"""HS06 to HS11: malformed lines, trailers, lists in one value, and cookies that say who is calling."""

from base64 import b64decode
from urllib.parse import unquote

from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Door, Exchange, exchange
from tests.attacks.forms import FORMS, each, tries
from tests.attacks.outcomes import hex_json, passed, r400, stripped, unseen
from tests.attacks.recorder import Reached
from tests.attacks.request import request
from tests.attacks.world import MARK, World


def refused(*lines: bytes) -> Run:
    async def run(world: World) -> None:
        async for _, _, seen in each(world, *lines):
            r400(world, seen)

    return run


# --- HS06, HS07: malformed names and values ---

MALFORMED_NAMES = (
    ("a blank before the first name", refused(b" X-Remote-User: a")),
    ("a blank before the colon", refused(b"X-Remote-User : a")),
    ("a tab before the colon", refused(b"X-Remote-User\t: a")),
    ("an empty name", refused(b": a")),
    ("no colon", refused(b"X-Remote-User")),
    ("NUL in the name", refused(b"X-Remote\0User: a")),
    ("0x85 in the name", refused(b"X-Remote-User\x85: a")),
    ("0xA0 in the name", refused(b"X-Remote-User\xa0: a")),
    ("U+2010 for a dash", refused("X\u2010Remote\u2010User: a".encode())),
)
MALFORMED_VALUES = (
    ("folded with a blank", refused(b"X-Other: a\r\n X-Remote-User: b")),
    ("folded with a tab", refused(b"X-Other: a\r\n\tX-Remote-User: b")),
    ("a bare CR", refused(b"X-Other: a\rX-Remote-User: b")),
    ("a bare LF", refused(b"X-Other: a\nX-Remote-User: b")),
    ("NUL in the value", refused(b"X-Other: a\0b")),
)


async def blanks_around_a_value(world: World) -> None:
    """RFC 9112 5.1: they are no part of it; and a forged value with them is as forged as without."""
    async for app, user, seen in each(world, b"X-Other: \t a b \t ", b"X-Remote-User: \t" + MARK + b" \t"):
        found = stripped(world, seen, user=user, app=app)
        expect(found.all(b"x-other") == [b"a b"], f"X-Other is {found.all(b'x-other')}")


async def other_bytes_of_a_value(world: World) -> None:
    """The control of HS07: a value that is nobody's business arrives byte for byte."""
    async for app, user, seen in each(world, b"X-Other: \xa0v\xe9\xff\xa0"):
        found = stripped(world, seen, user=user, app=app)
        expect(found.all(b"x-other") == [b"\xa0v\xe9\xff\xa0"], f"X-Other is {found.all(b'x-other')}")


def group_is_not_admins(group: str) -> Run:
    """A person whose group looks like `admins` to someone lenient is in no such group."""

    async def run(world: World) -> None:
        login = f"lookalike-{group.encode().hex()}"
        world.alpha.people[login] = {"groups": [group]}
        person, page = await world.sign_in(login, world.url("prefix-public", "/admin"))
        await person.close()
        expect(page.status == 403, f"{group!r}: {page.status}")

    return run


# --- HS08: trailers ---

TRAILERS = (b"X-Remote-User: " + MARK, b"Host: " + MARK, b"Content-Length: 5", b"Transfer-Encoding: identity",
            b"Cookie: " + MARK)  # fmt: skip


def trailer(line: bytes) -> Run:
    name = line.partition(b":")[0]

    async def run(world: World) -> None:
        for app in FORMS:
            for user, cookie, target in await tries(world, app):
                head = request(
                    app, target, b"Transfer-Encoding: chunked", b"Trailer: " + name, method=b"POST", cookie=cookie
                )
                seen = await world.send(head + b"5\r\nhello\r\n0\r\n" + line + b"\r\n\r\n")
                not_passed_on(world, seen)
                if seen.answer.status == 200:
                    found = stripped(world, seen, user=user, app=app)
                    expect(found.body == b"hello", f"the body is {found.body!r}")
                    expect(found.raw.endswith(b"\r\n0\r\n\r\n"), f"a trailer was passed on: {found.raw!r}")

    return run


def not_passed_on(world: World, seen: Exchange) -> None:
    """Refused in the middle of a body, or passed on without the trailer: no word of it reaches the application."""
    expect(seen.answer.status in (200, 400), f"answered {seen}")
    expect(MARK not in world.recorder.all_bytes, f"a trailer reached the application: {world.recorder.all_bytes!r}")
    if seen.answer.status == 400:
        expect(not world.recorder.requests, "a refused request reached the application whole")


async def thousand_trailers(world: World) -> None:
    lines = b"".join(b"X-Remote-User: %b%d\r\n" % (MARK, number) for number in range(1000))
    for app in FORMS:
        data = request(app, "/public/page", b"Transfer-Encoding: chunked", method=b"POST") + b"0\r\n" + lines + b"\r\n"
        seen = await world.send(data)
        not_passed_on(world, seen)
        expect(seen.answer.status == 400, f"1000 trailers were read: {seen.statuses}")


# --- HS10: lists in one value ---

LISTS = (
    ["users,admins"], ["a;admin"], ["a|b"], ["a\\,b", "a\\"], ["", "users", ""], [f"group {n}" for n in range(500)],
)  # fmt: skip


def split_again(number: int, groups: list[str]) -> Run:
    """Either the application gets the same list back by splitting and decoding, or it gets no request."""
    wanted = [group for group in groups if group]

    async def run(world: World) -> None:
        if not world.is_gateway:
            # What a gateway would send that joins without a thought: seen by the same check, or it is worth nothing.
            naive = b"X-Groups: " + ";".join(groups).encode()
            read_lists(passed(world, await world.send(request("lists", "/", naive))), wanted, encoded=True)
        world.alpha.people[f"list-{number}"] = {"groups": groups}
        for app in ("lists", "plain-lists"):
            seen = await world.send(request(app, "/", cookie=await world.cookie(app, f"list-{number}")))
            if seen.answer.status == 403:
                unseen(world, seen)
                expect(app == "plain-lists", f"what can be encoded was refused: {seen}")
            else:
                read_lists(passed(world, seen), wanted, encoded=app == "lists")

    return run


def read_lists(found: Reached, wanted: list[str], *, encoded: bool) -> None:
    """As the application reads them: split, then decode."""
    plain = b"".join(found.all(b"X-Groups")).decode()
    got = [unquote(part) for part in plain.split(";")] if encoded else plain.split(",")
    expect(got == wanted, f"the application reads {got[:5]}, not {wanted[:5]}")
    if encoded:
        got = [b64decode(part).decode() for part in b"".join(found.all(b"X-Groups-Encoded")).split(b",")]
        expect(got == wanted, f"the application reads {got[:5]}, not {wanted[:5]}")


# --- HS11: cookies that say who is calling ---

COOKIES = (
    ("a cookie of an injected name", (b"Cookie: app_user=%b; theme=dark",)),
    ("twice", (b"Cookie: app_user=%b; theme=dark; app_user=%b",)),
    ("the name percent-encoded", (b"Cookie: app%%5Fuser=%b; theme=dark; %%61pp_user=%b",)),
    ("the name in quotes, in capitals, with a dot, a blank or a bracket",
     (b'Cookie: "app_user"=%b; APP_USER=%b; app.user=%b; app user=%b; app_user[x]=%b; theme=dark',)),
    ("on two lines", (b"Cookie: theme=dark", b"Cookie: app_user=%b")),
)  # fmt: skip

MORE_COOKIES = (
    ("without a name, so that what follows is one (CVE-2023-23934)",
     (b"Cookie: =app_user=%b; ==app_user=%b; [=app_user=%b; \"=app_user=%b; x=1,=app_user=%b; theme=dark",)),
    ("our own without a name", (b"Cookie: =__Host-ecluse=%b; theme=dark; _=__Host-ecluse-b=%b",)),
    ("behind a byte that no value has, where WebOb and old Pythons search on",
     (b"Cookie: a=1[app_user=%b; b=1]app_user=%b; c=1\\app_user=%b; d=1\xe9app_user=%b; theme=dark",)),
    ("a name in the escapes of Perl and classic ASP", (b"Cookie: %%u0061pp_user=%b; theme=dark",)),
    ("a name that ends at a separator", (b"Cookie: app_user/%b; theme=dark; app_user{%b=1",)),
)  # fmt: skip

ARRAYS = (
    ("an array of PHP, a blank before it, and what a NUL ends",
     (b"Cookie: app user[x]=%b; app.user[]=%b; app user%%00x=%b; app[user%%00x=%b; theme=dark",)),
)  # fmt: skip


async def the_version_of_the_line(world: World) -> None:
    """`$Version=1` at the head of a line, or a quote that is left open, tells old Tomcats to read all that follows in
    another way: nothing of the client's stands before ours."""
    if not world.is_gateway:
        # What a gateway that appends would send.
        _ours_first(passed(world, await world.send(request("lists", "/", b"Cookie: $Version=1; app_user=alice"))))
    for app in FORMS:
        for forged in (b"$Version=1; theme=dark", b'x="', b'x="; a=b', b"$Version=1, $Path=/"):
            for user, cookie, target in await tries(world, app):
                seen = await world.send(request(app, target, cookie=b"; ".join(filter(None, (forged, cookie)))))
                if user:
                    _ours_first(stripped(world, seen, user=user, app=app))


def _ours_first(found: Reached) -> None:
    lines = found.all(b"cookie")
    expect(len(lines) == 1 and lines[0].startswith(b"app_user=alice; "), f"the cookies are {lines}")


def filled(line: bytes) -> bytes:
    return line % ((MARK,) * line.count(b"%b"))


def only_our_cookie(*lines: bytes) -> Run:
    """And our own session cookie goes no further than here."""
    forged = tuple(map(filled, lines))

    async def run(world: World) -> None:
        for app in FORMS:
            for user, cookie, target in await tries(world, app):
                held = (*forged[:-1], forged[-1] + b"; " + cookie) if cookie else forged
                found = stripped(world, await world.send(request(app, target, *held)), user=user, app=app)
                wanted = (b"app_user=alice; " if user else b"") + b"theme=dark"
                expect(found.all(b"cookie") == [wanted], f"the cookies are {found.all(b'cookie')}, not {wanted!r}")

    return run


NAMES = (b"X-Remote-User", b"X_Remote_User", b"x_remote_user", b"X.Remote.User", b"X~Remote~User", b"X-Remote_User",
         b"HTTP_X_REMOTE_USER", b"X_Dept", b"X.Dept", b"x-dept", b"Auth-User", b"Remote_User")  # fmt: skip


async def what_php_reads(world: World) -> None:
    """In PHP, which folds and decodes: neither a forged cookie nor a forged header is seen under our names."""
    cookies = b"; ".join(
        filled(line).removeprefix(b"Cookie: ") for _, lines in (*COOKIES, *MORE_COOKIES, *ARRAYS) for line in lines
    )
    door = world.door if world.is_gateway else Door(world.ports["php"])
    for name in NAMES:
        data = request("legacy", "/public/page", name + b": " + MARK, b"Cookie: " + cookies)
        seen = await exchange(door, data)
        expect(seen.answer.status == 200, f"{name!r}: {seen}")
        told = hex_json(seen.answer.body)
        shows = [key for key, value in told["server"].items() if MARK in value]
        expect(not shows, f"{name!r}: PHP was told {shows}")
        expect(told["cookies"] == {b"theme": b"dark"}, f"PHP was told {told['cookies']}")


CASES: tuple[Case, ...] = (
    *numbered("HS06", MALFORMED_NAMES),
    *numbered("HS07", MALFORMED_VALUES),
    Case("HS07.6", "blanks at the ends of a value", blanks_around_a_value),
    uncontrolled("HS07.7", "a group with no-break spaces around it", group_is_not_admins("\xa0admins\xa0")),
    uncontrolled("HS07.8", "a group with a next-line character before it", group_is_not_admins("\x85admins")),
    Case("HS07.9", "the other bytes of a value are nobody's business", other_bytes_of_a_value),
    *numbered("HS08", ((line.partition(b":")[0].decode(), trailer(line)) for line in TRAILERS)),
    Case("HS08.6", "1000 trailers", thousand_trailers),
    *numbered("HS10", ((repr(groups[:2]), split_again(number, groups)) for number, groups in enumerate(LISTS))),
    *numbered("HS11", ((meaning, only_our_cookie(*lines)) for meaning, lines in COOKIES)),
    Case("HS11.6", "what PHP reads of all of them", what_php_reads),
    *numbered("HS11", ((meaning, only_our_cookie(*lines)) for meaning, lines in MORE_COOKIES), first=7),
    Case("HS11.12", "nothing before ours tells how to read it", the_version_of_the_line),
    *numbered("HS11", ((meaning, only_our_cookie(*lines)) for meaning, lines in ARRAYS), first=13),
)
