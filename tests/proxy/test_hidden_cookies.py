"""Cookies of an application that browsers do not get: taken, kept, sent again; and those that are renamed."""

import asyncio
import re
from collections.abc import Iterable
from hashlib import sha256
from time import time

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.proxy import hidden_cookies
from gateway.wire.cookie_jar import MOST_COOKIES, CookieJar, JarCookie
from tests.patience import until
from tests.proxy.applications import OK, Application, application
from tests.proxy.gateways import Gateway, ask, gateway
from tests.proxy.websocket_ends import ORIGIN, TUNNEL, WANTS, taking

HIDDEN = "cookies: {hidden: [PHPSESSID]}\n"
ALL = "cookies: {hidden: ['*'], visible: [lang]}\n"
MARK = re.compile(rb"__Host-ecluse-c=([0-9a-f]{8}\.[0-9]+\.[0-9a-f]{8}); Path=/; Secure; HttpOnly; SameSite=Lax")


class Jars:
    """As stores.applications.cookie_jars, for one session, without a seal.

    `writes`: how many there were; `most`: cookies in one."""

    def __init__(self) -> None:
        self.jar: CookieJar | None = CookieJar()
        self.writes = self.reads = self.most = 0
        self.holds = asyncio.Event()
        self.holds.set()
        self.error: GatewayError | None = None

    async def read(self, host: str, cookie: bytes) -> CookieJar | None:
        self.reads += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return self.jar

    async def keep(
        self, host: str, cookie: bytes, cookies: Iterable[JarCookie], mark: tuple[str, int] | None
    ) -> CookieJar | None:
        cookies = tuple(cookies)
        await self.holds.wait()
        if self.error is not None:
            raise self.error
        if self.jar is not None:
            self.writes += 1
            self.most = max(self.most, len(cookies))
            self.jar = self.jar.with_cookies(cookies, time())
            self.jar = self.jar if mark is None else self.jar.with_mark(*mark)
        return self.jar


def sets(*cookies: str) -> bytes:
    lines = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok".encode("latin-1")


def cookie_line(request: bytes) -> bytes:
    found = re.search(rb"\r\nCookie: ([^\r]*)\r\n", request)
    return b"" if found is None else found[1]


async def asked(gate: Gateway, behind: Application, *lines: bytes, path: bytes = b"/a") -> tuple[bytes, list[bytes]]:
    """The Cookie line that the application gets, and the Set-Cookie lines that the browser gets."""
    answer = await gate.once(ask(b"GET " + path, *lines))
    assert answer.status == 200
    return cookie_line(behind.requests[-1]), answer.values(b"Set-Cookie")


async def test_it_stays_here_and_comes_back_to_the_application() -> None:
    async with (
        application(sets("PHPSESSID=s1; path=/", "theme=dark")) as behind,
        gateway(behind, app=HIDDEN, jars=Jars()) as gate,
    ):
        me = gate.sign_in()
        first, given = await asked(gate, behind, me)
        assert first == b"CTSESSION=present"
        assert given[0] == b"theme=dark"
        assert MARK.fullmatch(given[1])
        assert len(given) == 2
        assert await asked(gate, behind, me + b"; theme=dark") == (
            b"CTSESSION=present; PHPSESSID=s1; theme=dark", [],
        )  # fmt: skip


@pytest.mark.parametrize("app", [HIDDEN, ALL])
async def test_a_browser_says_none_of_them(app: str) -> None:
    """Invariant 3: neither before the application has set one, nor beside it."""
    async with application(OK, sets("PHPSESSID=s1")) as behind, gateway(behind, app=app, jars=Jars()) as gate:
        me = gate.sign_in()
        forged = b"; PHPSESSID=mine; phpsessid=mine; PHPSESSID[0]=mine; __Host-ecluse-c=x"
        for expected in (b"CTSESSION=present", b"CTSESSION=present", b"CTSESSION=present; PHPSESSID=s1"):
            assert (await asked(gate, behind, me + forged))[0] == expected
        assert b"mine" not in behind.received


async def test_where_all_are_hidden_scripts_have_those_that_are_named() -> None:
    async with (
        application(sets("a=1", "lang=fr", "b=2; Max-Age=0")) as behind,
        gateway(behind, app=ALL, jars=Jars()) as gate,
    ):
        me = gate.sign_in()
        assert (await asked(gate, behind, me))[1][0] == b"lang=fr"
        assert (await asked(gate, behind, me + b"; lang=fr; a=9"))[0] == b"CTSESSION=present; a=1; lang=fr"


async def test_of_nobody_nothing_is_kept_and_nothing_is_given() -> None:
    jars = Jars()
    async with application(then=sets("PHPSESSID=s1", "a=1")) as behind, gateway(behind, app=HIDDEN, jars=jars) as gate:
        for _ in range(2):
            assert await asked(gate, behind, path=b"/public/") == (b"", [b"a=1"])
    assert (jars.reads, jars.writes) == (0, 0)


async def test_paths_expiry_and_deletion_are_the_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    later = [0]
    monkeypatch.setattr("gateway.proxy.hidden_cookies.time", lambda: time() + later[0])
    acts = (
        sets("PHPSESSID=s1; Path=/app", "phpsessid=x; Path=/; Domain=other.example", "PHPSESSID=old; Max-Age=600"),
        OK, OK, sets("PHPSESSID=; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    )  # fmt: skip
    async with application(*acts) as behind, gateway(behind, app=HIDDEN, jars=Jars()) as gate:
        me = gate.sign_in()
        await asked(gate, behind, me)
        assert (await asked(gate, behind, me, path=b"/app/x"))[0].endswith(b"PHPSESSID=s1; PHPSESSID=old")
        assert (await asked(gate, behind, me, path=b"/application"))[0].endswith(b"present; PHPSESSID=old")
        later[0] = 601
        assert (await asked(gate, behind, me, path=b"/app"))[0].endswith(b"present; PHPSESSID=s1")
        assert (await asked(gate, behind, me, path=b"/app"))[0] == b"CTSESSION=present"


async def test_an_applications_cookie_is_none_that_is_injected() -> None:
    async with (
        application(sets("PHPSESSID=s1", 'x="a, CTSESSION=forged"', "ct_session=forged")) as behind,
        gateway(behind, app="cookies: {hidden: ['*']}\n", jars=Jars()) as gate,
    ):
        me = gate.sign_in()
        await asked(gate, behind, me)
        assert (await asked(gate, behind, me))[0] == b"CTSESSION=present; PHPSESSID=s1"


async def test_warm_requests_are_the_same_bytes_and_ask_nobody() -> None:
    jars = Jars()
    async with application(sets("PHPSESSID=s1")) as behind, gateway(behind, app=HIDDEN, jars=jars) as gate:
        client, me = await gate.client(), gate.sign_in()
        for _ in range(5):
            await client.ask(ask(b"GET /a", me))
        await until(lambda: jars.writes == 1)
        assert jars.reads == 1
        assert [cookie_line(request) for request in behind.requests[1:]] == [b"CTSESSION=present; PHPSESSID=s1"] * 4


async def test_one_that_is_set_with_every_answer_is_few_writes_and_the_last_one_counts() -> None:
    jars = Jars()
    async with (
        application(*[sets(f"PHPSESSID=s{number}") for number in range(200)]) as behind,
        gateway(behind, app=HIDDEN, jars=jars) as gate,
    ):
        client, me = await gate.client(), gate.sign_in()
        began = asyncio.get_running_loop().time()
        for _ in range(200):
            await client.ask(ask(b"GET /a", me))
        took = asyncio.get_running_loop().time() - began
        await until(lambda: gate.plane.hidden_cookies._writing is None)
    assert jars.writes <= 3 + took / 0.1
    assert jars.jar is not None
    assert [cookie.value for cookie in jars.jar.cookies] == [b"s199"]


async def test_a_response_that_sets_more_than_a_jar_holds_is_refused() -> None:
    many, most = (sets(*(f"c{number}=1" for number in range(count))) for count in (MOST_COOKIES + 1, MOST_COOKIES))
    chunked = many.replace(b"Content-Length: 2\r\n\r\nok", b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    async with application(many, chunked, most, OK) as behind, gateway(behind, app=ALL, jars=Jars()) as gate:
        me = gate.sign_in()
        for _ in range(2):
            refused = await gate.once(ask(b"GET /a", me))
            assert (refused.status, refused.values(b"Set-Cookie")) == (502, [])
        assert (await asked(gate, behind, me))[0] == b"CTSESSION=present"
        assert (await asked(gate, behind, me))[0].count(b"=1") == MOST_COOKIES


async def test_without_a_store_what_is_to_be_written_is_never_more_than_a_jar_holds() -> None:
    jars, responses = Jars(), [sets(*(f"c{batch}x{number}=1" for number in range(40))) for batch in range(4)]
    async with application(*responses, OK) as behind, gateway(behind, app=ALL, jars=jars) as gate:
        me = gate.sign_in()
        jars.holds.clear()
        for _ in responses:
            await asked(gate, behind, me)
        jars.holds.set()
        await until(lambda: jars.jar is not None and any(one.name == b"c3x39" for one in jars.jar.cookies))
        assert jars.most == MOST_COOKIES
        assert (await asked(gate, behind, me))[0].count(b"=1") == MOST_COOKIES


async def test_one_that_only_lives_longer_is_written_seldom_and_gives_no_mark() -> None:
    jars = Jars()
    async with (
        application(then=sets("PHPSESSID=s; Max-Age=600")) as behind,
        gateway(behind, app=HIDDEN, jars=jars) as gate,
    ):
        me = gate.sign_in()
        given = [(await asked(gate, behind, me))[1] for _ in range(5)]
        await until(lambda: gate.plane.hidden_cookies._writing is None)
    assert [len(lines) for lines in given] == [1, 0, 0, 0, 0]
    assert jars.writes == 1


# --- two workers


async def test_another_worker_waits_for_what_the_browser_has_seen() -> None:
    """A redirect after a sign-in mostly comes by another connection, and so to any worker."""
    jars = Jars()
    async with (
        application(OK, sets("PHPSESSID=new")) as behind,
        gateway(behind, app=HIDDEN, jars=jars) as one,
        gateway(behind, app=HIDDEN, jars=jars) as two,
    ):
        me = one.sign_in()
        two.sign_in()
        assert (await asked(two, behind, me))[0] == b"CTSESSION=present"
        jars.holds.clear()
        _, (given,) = await asked(one, behind, me)
        next_one = asyncio.create_task(asked(two, behind, me + b"; " + given.partition(b";")[0]))
        await asyncio.sleep(0.1)
        assert not next_one.done()
        jars.holds.set()
        assert (await next_one)[0] == b"CTSESSION=present; PHPSESSID=new"
        assert b"ecluse" not in behind.received


class Slow(Jars):
    """One worker's way to the store of another: its writes wait."""

    def __init__(self, jars: Jars) -> None:
        super().__init__()
        self.behind = jars

    async def read(self, host: str, cookie: bytes) -> CookieJar | None:
        return await self.behind.read(host, cookie)

    async def keep(
        self, host: str, cookie: bytes, cookies: Iterable[JarCookie], mark: tuple[str, int] | None
    ) -> CookieJar | None:
        await self.holds.wait()
        return await self.behind.keep(host, cookie, cookies, mark)


async def test_two_changes_at_once_reach_a_third_worker_in_a_second() -> None:
    """The browser has one mark, of the change that was written sooner. So does whoever of the two wrote sooner."""
    jars = Jars()
    late = Slow(jars)
    late.holds.clear()
    both = "cookies: {hidden: ['*']}\n"
    async with (
        application(OK, sets("a=1"), sets("b=2"), then=OK) as behind,
        gateway(behind, app=both, jars=late) as one,
        gateway(behind, app=both, jars=jars) as two,
        gateway(behind, app=both, jars=jars) as three,
    ):
        me, *_ = [gate.sign_in() for gate in (one, two, three)]
        await asked(three, behind, me)
        await asked(one, behind, me)
        _, (given,) = await asked(two, behind, me)
        me += b"; " + given.partition(b";")[0]
        assert (await asked(three, behind, me))[0] == b"CTSESSION=present; b=2"
        late.holds.set()
        await until(lambda: one.plane.hidden_cookies._writing is None)
        await asyncio.sleep(hidden_cookies._SETTLED)
        for gate in (three, two, one):
            assert set((await asked(gate, behind, me))[0].split(b"; ")) == {b"CTSESSION=present", b"a=1", b"b=2"}
        reads = jars.reads
        await asyncio.sleep(hidden_cookies._SETTLED)
        await asked(three, behind, me)
        assert jars.reads == reads, "once"


async def test_a_store_out_of_reach_when_a_change_is_looked_for_once_more_refuses_nothing() -> None:
    jars = Jars()
    async with application(sets("PHPSESSID=s1"), then=OK) as behind, gateway(behind, app=HIDDEN, jars=jars) as gate:
        me = gate.sign_in()
        await asked(gate, behind, me)
        await until(lambda: jars.writes == 1)
        jars.error = GatewayError(store_codes.UNREACHABLE)
        await asyncio.sleep(hidden_cookies._SETTLED)
        assert (await asked(gate, behind, me))[0] == b"CTSESSION=present; PHPSESSID=s1"


async def test_a_mark_that_stands_for_nothing_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_cookies, "_WAITED", 0.1)
    jars = Jars()
    async with application() as behind, gateway(behind, app=HIDDEN, jars=jars) as gate:
        me = gate.sign_in()
        tag = sha256(b"session-abcd").hexdigest()[:8].encode()
        await asked(gate, behind, me + b"; __Host-ecluse-c=00000000.7." + tag)
        reads = jars.reads
        assert reads > 1
        await asked(gate, behind, me + b"; __Host-ecluse-c=00000000.7." + tag)
        assert jars.reads == reads
        # Of another session, or of no form that we make.
        for nothing in (b"00000000.9.00000000", b"x", b"00000000.1", b"0000000g.1." + tag, b"00000000.1x." + tag):
            await asked(gate, behind, me + b"; __Host-ecluse-c=" + nothing)
        assert jars.reads == reads


async def test_what_both_set_is_all_kept() -> None:
    jars = Jars()
    async with application(*[sets(f"n{number}=v") for number in range(6)]) as behind:
        both = "cookies: {hidden: ['*']}\n"
        async with gateway(behind, app=both, jars=jars) as one, gateway(behind, app=both, jars=jars) as two:
            me = one.sign_in()
            two.sign_in()
            await asyncio.gather(*[asked(gate, behind, me) for gate in (one, two) for _ in range(3)])
            await until(lambda: not (one.plane.hidden_cookies._writing or two.plane.hidden_cookies._writing))
    assert jars.jar is not None
    assert {cookie.name for cookie in jars.jar.cookies} == {b"n%d" % number for number in range(6)}


# --- trouble, and the end


async def test_a_store_out_of_reach_is_503_and_never_a_request_without_them() -> None:
    """Invariant 9."""
    jars = Jars()
    async with application(then=sets("PHPSESSID=s1")) as behind, gateway(behind, app=HIDDEN, jars=jars) as gate:
        me = gate.sign_in()
        jars.error = GatewayError(store_codes.UNREACHABLE)
        assert (await gate.once(ask(b"GET /a", me))).status == 503
        assert not behind.requests
        jars.error = None
        await asked(gate, behind, me)
        jars.error = GatewayError(store_codes.UNREACHABLE)
        assert (await asked(gate, behind, me))[0] == b"CTSESSION=present; PHPSESSID=s1"
        jars.error = None
        await until(lambda: jars.writes == 1)


async def test_an_answer_that_comes_after_the_end_keeps_and_gives_nothing() -> None:
    jars = Jars()
    async with application(OK, None) as behind, gateway(behind, app=HIDDEN, jars=jars) as gate:
        me = gate.sign_in()
        await asked(gate, behind, me)
        client = await gate.client()
        client.send(ask(b"GET /b", me))
        await until(lambda: len(behind.requests) == 2)
        gate.sessions.revoke(["session-abcd"])
        behind.peers[-1].send(sets("PHPSESSID=late"))
        assert (await client.answer()).values(b"Set-Cookie") == []
    assert jars.writes == 0


async def test_a_jar_of_a_session_that_has_ended_is_written_no_more() -> None:
    jars = Jars()
    async with application(sets("PHPSESSID=s1")) as behind, gateway(behind, app=HIDDEN, jars=jars) as gate:
        me = gate.sign_in()
        jars.jar = None
        await asked(gate, behind, me)
        await until(lambda: gate.plane.hidden_cookies._writing is None)
    assert jars.writes == 0


async def test_what_is_told_at_a_sign_out_has_the_hidden_one() -> None:
    app = HIDDEN + "logout: {url: /app/bye?x=1, cookies: [PHPSESSID]}\n"
    async with (
        application(OK, sets("PHPSESSID=s1; Path=/app"), OK) as behind,
        gateway(behind, app=app, jars=Jars()) as gate,
    ):
        me = gate.sign_in()
        for expected in (b"", b"PHPSESSID=s1", b"PHPSESSID=s1"):
            await asked(gate, behind, me)
            assert gate.seen[-1][3] == expected


# --- renamed


async def test_renamed_cookies_are_apart_on_one_domain() -> None:
    app = "cookies: {prefix: permis_, host_only: true, visible: [lang]}\n"
    acts = (sets("JSESSIONID=1; Domain=example.org; Path=/", "lang=fr", "__Host-x=2; Secure; Path=/", "nameless"),)
    async with application(*acts) as behind, gateway(behind, app=app) as gate:
        me = gate.sign_in()
        _, given = await asked(gate, behind, me)
        assert given == [b"permis_JSESSIONID=1; Path=/", b"lang=fr", b"__Host-permis_x=2; Secure; Path=/"]
        brought = (
            b"; permis_JSESSIONID=1; JSESSIONID=of-another; lang=fr; permis_CTSESSION=forged; permis_ct-session=forged"
        )
        assert (await asked(gate, behind, me + brought))[0] == b"CTSESSION=present; JSESSIONID=1; lang=fr"


async def test_an_interim_response_gives_no_hidden_cookie_either() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: PHPSESSID=s1\r\nLink: </a>\r\n\r\n"
    async with application(early + sets("PHPSESSID=s2")) as behind, gateway(behind, app=HIDDEN, jars=Jars()) as gate:
        client = await gate.client()
        client.send(ask(b"GET /a", gate.sign_in()))
        first, second = await client.answer(), await client.answer()
        assert b"PHPSESSID" not in first.head + second.head


async def test_the_opening_of_a_websocket_is_a_request_and_a_response_like_any() -> None:
    first = taking(lambda _: None, b"Set-Cookie: PHPSESSID=s1", b"Set-Cookie: lang=fr")
    async with application(first, taking()) as behind, gateway(behind, app=HIDDEN + TUNNEL, jars=Jars()) as gate:
        me, given = gate.sign_in(), []
        for _ in range(2):
            client = await gate.client()
            client.send(ask(b"GET /ws", me, ORIGIN, *WANTS))
            opened = await client.answer()
            assert opened.status == 101
            given += [value for value in opened.values(b"Set-Cookie") if not value.startswith(b"__Host-ecluse")]
        assert given == [b"lang=fr"]
        assert b"PHPSESSID=s1" in behind.requests[1]
