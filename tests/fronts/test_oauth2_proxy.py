"""oauth2-proxy's contract, for an nginx that was set up for it: by questions as bytes, and by the real nginx with the
configuration that oauth2-proxy's pages show, but for the lines that are marked in deploy/fronts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.attacks.world import MARK
from tests.fronts.corpora import cookie_lines, header_lines, paths
from tests.fronts.fronts import GATEWAY, SECRET, SECRETS, Ports, running_front
from tests.fronts.test_fronts import BY_THE_GATEWAY, Front, values
from tests.fronts.test_questions import NAVIGATION, SHOWN, told
from tests.proxy.applications import Application, application
from tests.proxy.gateways import HOST, Answer, Gateway, ask, files, gateway

CLIENT = b"192.0.2.7"
TOLD = (b"X-Auth-Request-User", b"X-Auth-Request-Email", b"X-Auth-Request-Groups", b"Cookie", b"Authorization")


@asynccontextmanager
async def moved(front: str = "front: oauth2-proxy") -> AsyncIterator[tuple[Gateway, Application]]:
    """The application is told of people in the words of --set-xauthrequest."""
    async with application() as behind:
        file = files(behind.port, app=front)["apps/permis.yaml"]
        words = "X-Auth-Request-User: {from: uid}\n    X-Auth-Request-Email: {from: mail}\n    "
        words += "X-Auth-Request-Groups: {from: groups}"
        file = file.replace("X-Remote-User: {from: uid}", words).replace("CTSESSION", "app_user")
        async with gateway(behind, gateway=GATEWAY, secrets=SECRETS, changes={"apps/permis.yaml": file}) as gate:
            yield gate, behind


def question(
    method: bytes, target: bytes, *lines: bytes, path: bytes = b"GET /oauth2/auth", shown: bytes = SHOWN
) -> bytes:
    said = (b"X-Real-IP: " + CLIENT, b"X-Forwarded-Uri: " + target, b"X-Forwarded-Method: " + method)
    return ask(path, shown, *said, *lines)


# --- the answers


async def test_who_may_is_a_202_with_the_headers_of_xauthrequest() -> None:
    async with moved() as (gate, behind):
        cookie = gate.sign_in(uid="helene", mail="helene@metropole.example", groups="agents")
        for _ in range(3):
            answer = await gate.once(question(b"GET", b"/a%20b?x=1", cookie + b"; own=1"))
            assert (answer.status, answer.body) == (202, b"")
            assert told(answer) == (
                (b"X-Auth-Request-User", b"helene"),
                (b"X-Auth-Request-Email", b"helene@metropole.example"),
                (b"X-Auth-Request-Groups", b"agents"),
                (b"Authorization", b""),
                (b"Cookie", b"app_user=present; own=1"),
            )
        answer = await gate.once(question(b"GET", b"/public/x"))
        assert (answer.status, [answer.values(name) for name in TOLD]) == (202, [[b""]] * len(TOLD))
        assert not behind.requests


async def test_who_is_not_signed_in_is_a_401_and_who_may_not_a_403() -> None:
    async with moved() as (gate, behind):
        cookie = gate.sign_in(uid="helene")
        for asked, status in (
            (question(b"GET", b"/private"), 401),
            (question(b"GET", b"/private", *NAVIGATION), 401),
            (question(b"POST", b"/private"), 401),
            (question(b"GET", b"/admin/x", cookie), 403),
            (question(b"GET", b"/public/../admin/x", cookie), 403),
            (question(b"GET", b"/_ecluse/session", cookie), 401),
            (question(b"GET", b"/oauth2/auth", cookie), 401),
            (question(b"TRACE", b"/public/x"), 403),
        ):
            answer = await gate.once(asked)
            assert (answer.status, answer.body) == (status, b""), asked
            assert not [name for name in TOLD if answer.values(name)], asked
        assert (gate.log.events, gate.portal.asked, behind.requests) == ([], [], [])


async def test_nobody_but_the_front_is_answered_and_nothing_is_left_unsaid() -> None:
    async with moved() as (gate, _):
        cookie = gate.sign_in(uid="helene")
        said = (b"X-Real-IP: " + CLIENT, b"X-Forwarded-Uri: /x", b"X-Forwarded-Method: GET")
        wrong = [
            question(b"GET", b"/x", cookie, shown=b"X-Other: 1"),
            question(b"GET", b"/x", cookie, shown=SHOWN + b"0"),
            # oauth2-proxy reads there who else is refused.
            question(b"GET", b"/x", cookie, path=b"GET /oauth2/auth?allowed_groups=admins"),
            question(b"GET", b"/x", cookie, path=b"POST /oauth2/auth"),
            question(b"GET", b"/x", cookie, path=b"GET /oauth2/auth/"),
            *(ask(b"GET /oauth2/auth", SHOWN, cookie, *(one for one in said if one is not left)) for left in said),
            *(ask(b"GET /oauth2/auth", SHOWN, cookie, *said, twice) for twice in said),
        ]
        # A question of this kind was answered, which the next one is like.
        assert (await gate.once(question(b"GET", b"/x", cookie))).status == 202
        for asked in wrong:
            answer = await gate.once(asked)
            assert answer.status in (303, 400, 403), asked
            assert b"helene" not in answer.head, asked


async def test_the_browsers_address_is_what_the_front_says_of_it() -> None:
    """A client's own X-Forwarded-For comes along with it."""
    async with moved() as (gate, _):
        for _ in range(2):
            answer = await gate.once(question(b"GET", b"/public/x", b"X-Forwarded-For: 10.0.0.1"))
            assert answer.status == 202
        refused = await gate.once(question(b"GET", b"/public/x", b"X-Remote-User: forged"))
        assert (refused.status, refused.values(b"X-Ecluse-Status")) == (403, [b"400"])


async def test_on_one_connection_what_is_like_the_question_before_is_judged_by_its_own_values() -> None:
    async with moved() as (gate, _):
        client, cookie = await gate.client(), gate.sign_in(uid="helene")
        for asked, status, who in (
            *[(question(b"GET", b"/x", cookie), 202, [b"helene"])] * 3,
            (question(b"GET", b"/admin/x", cookie), 403, []),
            (question(b"GET", b"/y", cookie).replace(CLIENT, b"192.0.2.8"), 202, [b"helene"]),
            (question(b"GET", b"/x", b"Cookie: __Host-ecluse=" + b"f" * 43), 401, []),
            (question(b"GET", b"/x", cookie, path=b"GET /oauth2/auth?allowed_groups=a"), 400, []),
        ):
            answer = await client.ask(asked)
            assert (answer.status, answer.values(b"X-Auth-Request-User")) == (status, who), asked


async def test_what_the_front_may_write_under_another_name_no_client_sends() -> None:
    async with moved() as (gate, _):
        cookie = gate.sign_in(uid="helene")
        for name in (b"X-Auth-Request-User", b"X-User", b"X-Email", b"x-auth-request-groups", b"GAP-Auth"):
            answer = await gate.once(question(b"GET", b"/x", cookie, name + b": forged"))
            assert (answer.status, answer.values(b"X-Ecluse-Status")) == (403, [b"400"]), name
            assert b"helene" not in answer.head


async def test_without_that_front_its_paths_are_the_applications() -> None:
    async with moved("") as (gate, behind):
        cookie = gate.sign_in(uid="helene")
        for path in (b"/oauth2/auth", b"/oauth2/sign_in?rd=/x", b"/oauth2/sign_out"):
            assert (await gate.once(ask(b"GET " + path, cookie))).status == 200
            assert behind.requests[-1].startswith(b"GET " + path + b" HTTP/1.1\r\n")


# --- the ways to sign in and out


async def test_a_sign_in_begins_for_the_page_that_the_person_was_going_to() -> None:
    async with moved() as (gate, behind):
        for path in (b"/oauth2/sign_in", b"/oauth2/start"):
            answer = await gate.once(ask(b"GET " + path + b"?rd=http://permis.localhost/private?x=1&y=2", *NAVIGATION))
            assert (answer.status, answer.values(b"Location")) == (303, [b"/portal"])
            call = gate.portal.asked[-1].call
            assert (call.purpose, call.target) == ("challenge", "/private?x=1&y=2")
        # As of any page of the application, a script is told that it has no session.
        answer = await gate.once(ask(b"GET /oauth2/start?rd=/private", b"Accept: application/json"))
        assert (answer.status, answer.body.partition(b" ")[0]) == (401, b"session.required")
        assert not behind.requests


async def test_who_is_signed_in_is_led_on_and_who_may_not_is_told_so() -> None:
    async with moved() as (gate, behind):
        cookie = gate.sign_in(uid="helene")
        for rd, to in (
            (b"?rd=/x?y=1", b"/x?y=1"), (b"?rd=%2Fpublic%2Fx", b"/public/x"), (b"?rd=https://evil.example/x", b"/"),
            (b"?rd=//evil.example", b"/"), (b"?rd=/oauth2/start", b"/"), (b"?rd=/_ecluse/logout", b"/"), (b"", b"/"),
        ):  # fmt: skip
            answer = await gate.once(ask(b"GET /oauth2/sign_in" + rd, cookie, *NAVIGATION))
            assert (answer.status, answer.values(b"Location")) == (303, [to]), rd
            assert answer.values(b"Cache-Control") == [b"no-store"]
        answer = await gate.once(ask(b"GET /oauth2/sign_in?rd=/admin/x", cookie, *NAVIGATION))
        assert answer.status == 403
        assert "Réservé aux administrateurs.".encode() in answer.body
        # A page that is everybody's: who asks to sign in, does.
        answer = await gate.once(ask(b"GET /oauth2/start?rd=/public/x?y=%26", *NAVIGATION))
        assert (answer.status, answer.values(b"Location")) == (303, [b"/_ecluse/login?to=/public/x%3Fy%3D%2526"])
        assert (await gate.once(ask(b"POST /oauth2/start?rd=/x", cookie, b"Content-Length: 0"))).status == 400
        assert not behind.requests


async def test_other_pages_of_oauth2_proxy_are_the_portals_to_answer() -> None:
    async with moved() as (gate, behind):
        for path in (b"/oauth2/sign_out", b"/oauth2/userinfo", b"/oauth2/callback?code=x", b"/oauth2"):
            await gate.once(ask(b"GET " + path, gate.sign_in(uid="helene")))
            assert gate.portal.asked[-1].call.target == path.decode()
        assert not behind.requests


# --- the real nginx


@asynccontextmanager
async def fronted(folder: Path, changes: dict[str, str] | None = None) -> AsyncIterator[Front]:
    async with moved() as (gate, behind):
        (port,) = free(1)
        with running_front("oauth2-proxy", folder, Ports(port, gate.port, behind.port), HOST.decode(), changes):
            yield Front(gate, behind, port)


async def asked(front: Front, line: bytes, *lines: bytes) -> tuple[Answer, list[bytes]]:
    return await front.ask(ask(line, *lines))


@pytest.mark.service
async def test_an_nginx_of_oauth2_proxy_asks_here(tmp_path: Path) -> None:
    async with fronted(tmp_path) as front:
        cookie = front.gate.sign_in(uid="helene", mail="helene@metropole.example")
        lines = (b"Accept: text/html", b"User-Agent: Firefox", b"X-Own: 1", cookie + b"; a=b")
        answer, (came,) = await asked(front, b"GET /permis/a%20b?x=1", *lines)
        assert (answer.status, answer.body) == (200, b"ok")
        assert came.startswith(b"GET /permis/a%20b?x=1 HTTP/1.")
        assert BY_THE_GATEWAY not in came
        for name, value in (
            (b"Host", HOST), (b"X-User", b"helene"), (b"X-Email", b"helene@metropole.example"), (b"X-Own", b"1"),
            (b"Cookie", b"app_user=present; a=b"), (b"User-Agent", b"Firefox"), (b"X-Forwarded-For", b"127.0.0.1"),
            (b"X-Real-IP", b"127.0.0.1"),
        ):  # fmt: skip
            assert values(came, name) == [value], name
        assert b"ecluse" not in came.lower()
        _, (came,) = await asked(front, b"GET /public/x")
        assert values(came, b"X-User") in ([], [b""])
        body = b"x=1&" * 5_000
        _, (came,) = await front.ask(ask(b"POST /form", cookie, b"Content-Length: %d" % len(body), body=body))
        assert came.endswith(b"\r\n\r\n" + body)


@pytest.mark.service
async def test_through_it_a_sign_in_begins_and_comes_back(tmp_path: Path) -> None:
    async with fronted(tmp_path) as front:
        answer, came = await asked(front, b"GET /private?x=1&y=2", *NAVIGATION)
        assert (answer.status, came) == (302, [])
        # nginx says its own address before it, without the port that it listens on here.
        (to,) = answer.values(b"Location")
        path = to[to.index(b"/oauth2/") :]
        assert path == b"/oauth2/sign_in?rd=http://permis.localhost/private?x=1&y=2"
        answer, came = await asked(front, b"GET " + path, *NAVIGATION)
        assert (answer.status, answer.values(b"Location"), came) == (303, [b"/portal"], [])
        call = front.gate.portal.asked[-1].call
        assert (call.purpose, call.target, call.client) == ("challenge", "/private?x=1&y=2", "127.0.0.1")
        cookie = front.gate.sign_in(uid="helene")
        answer, came = await asked(front, b"GET " + path, cookie, *NAVIGATION)
        assert (answer.status, answer.values(b"Location"), came) == (303, [b"/private?x=1&y=2"], [])
        assert len((await asked(front, b"GET /private?x=1&y=2", cookie))[1]) == 1
        answer, came = await asked(front, b"GET /admin/x", cookie, *NAVIGATION)
        assert (answer.status, came) == (403, [])
        for page in (b"/_ecluse/login?to=/x", b"/oauth2/sign_out"):
            await asked(front, b"GET " + page)
            assert front.gate.portal.asked[-1].call.target == page.decode()
        front.gate.plane.revoked(front.gate.sessions.revoke(["session-abcd"]))
        answer, came = await asked(front, b"GET /private", cookie)
        assert (answer.status, came) == (302, [])


@pytest.mark.service
async def test_invariants_2_to_4_through_it(tmp_path: Path) -> None:
    """By nobody and by a person: what is refused in any other application is refused here, or nothing of it arrives."""
    async with fronted(tmp_path) as front:
        cookie = front.gate.sign_in(uid="helene", groups="administrateurs")
        for target in paths():
            for lines in ((), (cookie,)):
                answer, came = await asked(front, b"GET " + target, *lines)
                assert not came, (target, came)
                assert answer.status in (302, 400, 401, 403, 404), (target, answer.head)
        arrived = 0
        for lines in header_lines():
            for more, who in (((), []), ((cookie,), [b"helene"])):
                answer, came = await asked(front, b"GET /public/x", *lines, *more)
                assert answer.status in (200, 400, 403), (lines, answer.head)
                for request in came:
                    arrived += 1
                    assert MARK not in request, (lines, request)
                    assert [value for value in values(request, b"X-User") if value] == who, (lines, request)
        assert arrived > 100
        for lines in cookie_lines():
            for more in (b"", b"; " + cookie.partition(b": ")[2]):
                answer, came = await asked(front, b"GET /public/x", *lines[:-1], lines[-1] + more)
                for request in came:
                    assert MARK not in request, (lines, request)
                    assert b"ecluse" not in b"; ".join(values(request, b"Cookie")).lower(), (lines, request)


@pytest.mark.service
async def test_no_client_of_it_asks_or_says_what_nginx_says(tmp_path: Path) -> None:
    async with fronted(tmp_path) as front:
        cookie = front.gate.sign_in(uid="helene")
        asks = (SHOWN, b"X-Real-IP: 10.0.0.1", b"X-Forwarded-Method: GET", b"X-Forwarded-Uri: /public/x")
        for target in (
            b"/oauth2/auth", b"/oauth2/auth?x", b"/oauth2/%61uth", b"//oauth2/auth", b"/oauth2//auth",
            b"/oauth2/./auth",
            b"/_ecluse/authz/oauth2-proxy", b"/_ecluse/authz/nginx", b"/OAUTH2/auth", b"/oauth2/x/../auth",
        ):  # fmt: skip
            answer, came = await asked(front, b"GET " + target, *asks, cookie)
            assert b"helene" not in answer.head, target
            assert not [one for one in came if BY_THE_GATEWAY in one], target
        answer, came = await asked(front, b"GET /private", *asks[1:])
        assert (answer.status, came) == (302, [])
        answer, came = await asked(front, b"POST /private", *asks[1:], b"Content-Length: 0")
        assert (answer.status, came) == (302, [])


@pytest.mark.service
async def test_with_a_wrong_secret_nothing_passes(tmp_path: Path) -> None:
    async with fronted(tmp_path, {SECRET.decode(): "guessed"}) as front:
        answer, came = await asked(front, b"GET /public/x", front.gate.sign_in(uid="helene"))
        assert (answer.status, came) == (403, [])
        await front.gate.until(lambda: front.gate.log.named("request.refused"))
        assert front.gate.log.named("request.refused")[0]["code"] == "front.unknown"
