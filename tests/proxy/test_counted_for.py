"""For whom a request counts, where how often somebody may ask is bounded: a flood of strangers behind the address of
people who are signed in, on real sockets."""

import pytest

from gateway.model.codes import api_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.session import Seat
from gateway.saml.soap import fault
from tests.config.samples import METROPOLE
from tests.fronts.fronts import GATEWAY, SECRET, SECRETS
from tests.proxy.applications import application
from tests.proxy.gateways import HOST, Gateway, ask, gateway
from tests.proxy.stand_ins import COOKIE, identity, seat
from tests.proxy.test_rates import OTHER, PUBLIC, limited, requests

PORTAL = b"portail.localhost"
OF_COOKIE = b"Cookie: __Host-ecluse=" + COOKIE


def made_up(number: int) -> bytes:
    return b"Cookie: __Host-ecluse=" + (b"%02d" % number) * (len(COOKIE) // 2)


def at_portal(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    return ask(line, *headers, body=body).replace(b"Host: " + HOST, b"Host: " + PORTAL)


def notice(path: bytes) -> bytes:
    return at_portal(b"POST " + path, b"Content-Length: 14", body=b"logout_token=x")


def known_to_the_store(gate: Gateway, cookie: bytes, uid: str, host: bytes = HOST) -> bytes:
    gate.sessions.cold[cookie] = seat(host.decode(), identity(uid=uid), cookie)
    return b"Cookie: __Host-ecluse=" + cookie


async def flood(gate: Gateway) -> None:
    assert [(await gate.once(PUBLIC)).status for _ in range(3)] == [200, 200, 429]


# --- who has to be looked up ---


async def test_a_strangers_flood_keeps_out_no_person_whom_this_worker_has_to_look_up() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        await flood(gate)
        helene, paul = known_to_the_store(gate, COOKIE, "helene"), known_to_the_store(gate, OTHER, "paul")
        assert [(await gate.once(ask(b"GET /x", who))).status for who in (helene, paul)] == [200, 200]
        assert limited(gate, "client") == 1


async def test_after_a_restart_all_colleagues_behind_one_address_are_let_in() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        cookies = [known_to_the_store(gate, b"%04d" % n * (len(COOKIE) // 4), f"p{n}") for n in range(8)]
        assert [(await gate.once(ask(b"GET /x", cookie))).status for cookie in cookies] == [200] * 8


async def test_made_up_cookies_ask_the_store_no_oftener_than_the_rate_and_cost_no_more_than_other_requests() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        asked = [ask(b"GET /public/", made_up(number)) for number in range(6)]
        assert [(await gate.once(one)).status for one in asked] == [200, 200, 429, 429, 429, 429]
        assert gate.sessions.loads == 2
        # They were counted as a stranger's, too.
        assert (await gate.once(PUBLIC)).status == 429


class Programs:
    """`good` alone is accepted."""

    def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
        return None

    async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
        if token != b"good":
            raise GatewayError(api_codes.TOKEN, "not good")
        return seat(host, identity(uid="program"), token)


async def test_a_strangers_flood_keeps_out_no_program_whose_token_has_to_be_looked_up() -> None:
    tokens = {"providers/metropole.yaml": METROPOLE.replace("  scopes:", "  api: {audience: [a]}\n  scopes:")}
    api = "api: {providers: [metropole], paths: [/api/**]}"
    rates = requests(per_client="2/h")
    async with application() as app, gateway(app, app=api, changes=tokens, gateway=rates, callers=Programs()) as gate:
        await flood(gate)

        async def with_token(token: bytes) -> int:
            return (await gate.once(ask(b"GET /api/a", b"Authorization: Bearer " + token))).status

        assert [await with_token(b"good") for _ in range(4)] == [200] * 4
        assert [await with_token(b"bad") for _ in range(2)] == [429] * 2
        # Both had been looked up, which two may be.
        assert await with_token(b"good") == 429


# --- what ends sessions (invariant 12) ---


@pytest.mark.parametrize("line", [b"GET /_ecluse/logout", b"GET /bye"])
async def test_a_strangers_flood_keeps_nobody_from_signing_out(line: bytes) -> None:
    rates = requests(per_client="2/h", per_person="1/h")
    async with application() as app, gateway(app, app='logout: {links: ["/bye"]}', gateway=rates) as gate:
        await flood(gate)
        assert (await gate.once(ask(line))).status == 429
        # Whom this worker knows, also who asked too often; and whom the store has to name.
        helene = gate.sign_in(uid="helene")
        assert [(await gate.once(ask(b"GET /x", helene))).status for _ in range(2)] == [200, 429]
        assert [(await gate.once(ask(line, helene))).status for _ in range(3)] == [303] * 3
        paul = known_to_the_store(gate, OTHER, "paul")
        assert (await gate.once(ask(line, paul))).status == 303
        # A cookie that means nothing signs nobody out.
        assert [(await gate.once(ask(line, made_up(number)))).status for number in range(3)] == [429] * 3
        assert gate.sessions.loads == 3


async def test_ending_another_session_is_a_sign_out_and_other_pages_count_for_the_person() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h", per_person="1/h")) as gate:
        await flood(gate)
        helene = known_to_the_store(gate, COOKIE, "helene", PORTAL)
        end = at_portal(b"POST /_ecluse/sessions/end", helene, b"Content-Length: 3", body=b"a=b")
        assert [(await gate.once(end)).status for _ in range(3)] == [303] * 3
        assert gate.portal.asked[-1].body == b"a=b"
        assert [(await gate.once(at_portal(b"GET /_ecluse/sessions", helene))).status for _ in range(2)] == [303, 429]
        assert limited(gate, "client") == 1


@pytest.mark.parametrize("path", [b"/_ecluse/oidc/backchannel/metropole", b"/_ecluse/saml/soap"])
async def test_a_providers_calls_that_end_sessions_are_not_counted(path: bytes) -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        await flood(gate)
        assert [(await gate.once(notice(path))).status for _ in range(10)] == [303] * 10
        assert len(gate.portal.asked) == 10
        # Nobody serves it elsewhere, in another way, or by another name.
        others = (at_portal(b"GET " + path), notice(path + b"x"), notice(path).replace(PORTAL, HOST))
        assert [(await gate.once(other)).status for other in others] == [429] * 3


SCIM = b"/_ecluse/scim/v2/Users"
LISTED = (
    "scim: {keys: [{id: s1, secret: {env: KEPT}}], "
    "clients: [{name: ville, provider: metropole, tokens: [{env: TOKEN}]}]}\n"
)
DIRECTORY = {"env:KEPT": b"0123456789-of-what-is-told-0123456789", "env:TOKEN": b"0123456789abcdef0123456789abcdef"}


async def test_what_a_directory_says_of_people_is_not_counted_but_what_strangers_say_there() -> None:
    settings = requests(per_client="2/h") + LISTED
    answer = ((b"Content-Type", b"application/scim+json"),)
    async with application() as app, gateway(app, gateway=settings, secrets=DIRECTORY) as gate:
        await flood(gate)
        for page in (Page(200, answer, b"{}"), Page(404, answer, b"{}"), Page(503, answer, b"{}")):
            gate.portal.page = page
            asked = at_portal(b"PATCH " + SCIM + b"/1", b"Content-Length: 2", body=b"{}")
            assert [(await gate.once(asked)).status for _ in range(4)] == [page.status] * 4
        gate.portal.page = Page(401, answer, b"{}")
        assert [(await gate.once(at_portal(b"GET " + SCIM))).status for _ in range(4)] == [401, 401, 429, 429]
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        await flood(gate)
        assert (await gate.once(at_portal(b"GET " + SCIM))).status == 429, "no directory is listed"


WRONG = (Page(400, (), b""), Page(500, (), fault("Client")))
TRY_AGAIN = (Page(503, (), b""), Page(500, (), fault("Server")))


@pytest.mark.parametrize("page", [*WRONG, *TRY_AGAIN])
@pytest.mark.parametrize(
    "path",
    [b"/_ecluse/oidc/backchannel/metropole", b"/_ecluse/oidc/backchannel/metropole?x", b"/_ecluse/saml/soap"],
)
async def test_what_only_looked_like_a_providers_call_is_counted(path: bytes, page: Page) -> None:
    """Where the store could not say, it may have been one."""
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        good, gate.portal.page = gate.portal.page, page
        wrong = [(await gate.once(notice(path))).status for _ in range(4)]
        assert wrong == ([page.status] * 2 + [429] * 2 if page in WRONG else [page.status] * 4)
        # It has a count of its own, and what another address sends is another's.
        assert (await gate.once(PUBLIC)).status == 200
        gate.portal.page = good
        assert (await gate.once(notice(path))).status == (429 if page in WRONG else 303)


UNREAD = [
    pytest.param((b"Content-Length: 9999999",), b"", 413, id="a size that is too large"),
    pytest.param((b"Transfer-Encoding: chunked",), b"%x\r\n" % (1 << 20) + b"x" * (1 << 20), 413, id="too large"),
    pytest.param((b"Transfer-Encoding: chunked",), b"no size\r\n", 400, id="no body at all"),
]


@pytest.mark.parametrize(("headers", "body", "status"), UNREAD)
@pytest.mark.parametrize("path", [b"/_ecluse/oidc/backchannel/metropole", b"/_ecluse/saml/soap", SCIM])
async def test_a_call_whose_body_is_not_taken_is_counted_as_one_that_is_refused(
    path: bytes, headers: tuple[bytes, ...], body: bytes, status: int
) -> None:
    settings = requests(per_client="2/h") + LISTED
    async with application() as app, gateway(app, gateway=settings, secrets=DIRECTORY) as gate:
        wrong = at_portal(b"POST " + path, *headers, body=body)
        assert [(await gate.once(wrong)).status for _ in range(3)] == [status, status, 429]
        assert (await gate.once(PUBLIC)).status == 200
        assert gate.portal.asked == []


@pytest.mark.parametrize(("headers", "body", "status"), UNREAD)
async def test_but_not_of_a_directory_that_shows_its_token(
    headers: tuple[bytes, ...], body: bytes, status: int
) -> None:
    """What else it tells, that somebody is out, has to be heard."""
    settings = requests(per_client="2/h") + LISTED
    async with application() as app, gateway(app, gateway=settings, secrets=DIRECTORY) as gate:
        shown = b"Authorization: Bearer " + DIRECTORY["env:TOKEN"]
        asked = at_portal(b"POST " + SCIM, shown, *headers, body=body)
        assert [(await gate.once(asked)).status for _ in range(4)] == [status] * 4
        made_up = at_portal(b"POST " + SCIM, shown + b"x", *headers, body=body)
        assert [(await gate.once(made_up)).status for _ in range(3)] == [status, status, 429]


async def test_a_call_whose_body_does_not_come_is_counted_too() -> None:
    settings = requests(per_client="2/h") + LISTED
    async with application() as app, gateway(app, gateway=settings, secrets=DIRECTORY) as gate:
        late = at_portal(b"POST " + SCIM, b"Content-Length: 9", body=b"x")
        for _ in range(2):
            client = await gate.client()
            client.send(late)
            await gate.until(lambda: any(one.active.upstream for one in gate.plane.connections))
            await gate.clock.passes(3600)
            assert (await client.answer()).status == 408
            client.close()
            await gate.until(lambda: not gate.plane.connections)
        assert (await gate.once(late)).status == 429


async def test_calls_in_the_name_of_one_provider_cost_no_other_one_theirs() -> None:
    """Several may be called from one address: the trouble of one is not another's."""
    more = {"providers/ville.yaml": METROPOLE.replace("provider: metropole", "provider: ville")}
    async with application() as app, gateway(app, changes=more, gateway=requests(per_client="2/h")) as gate:
        good, gate.portal.page = gate.portal.page, WRONG[0]
        wrong = notice(b"/_ecluse/oidc/backchannel/metropole")
        assert [(await gate.once(wrong)).status for _ in range(3)] == [400, 400, 429]
        gate.portal.page = good
        assert (await gate.once(notice(b"/_ecluse/oidc/backchannel/ville"))).status == 303
        assert (await gate.once(notice(b"/_ecluse/saml/soap"))).status == 303
        assert (await gate.once(wrong)).status == 429


@pytest.mark.parametrize("path", [b"/_ecluse/oidc/frontchannel/metropole?sid=x", b"/_ecluse/saml/logout"])
async def test_what_a_browser_brings_of_a_provider_to_end_sessions_is_counted_apart(path: bytes) -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        await flood(gate)
        asked = at_portal(b"GET " + path)
        assert [(await gate.once(asked)).status for _ in range(3)] == [303, 303, 429]


# --- the others ---


async def test_a_flood_of_questions_without_the_fronts_secret_is_counted() -> None:
    settings = GATEWAY + requests(per_client="2/h")
    async with application() as app, gateway(app, app="front: nginx", gateway=settings, secrets=SECRETS) as gate:
        by_browser = (b"X-Forwarded-For: 192.0.2.9",)
        wrong = (b"X-Ecluse-Front: " + SECRET[::-1], b"X-Forwarded-For: 192.0.2.8")
        for lines in (by_browser, wrong):
            asked = ask(b"GET /_ecluse/authz/nginx", *lines)
            assert [(await gate.once(asked)).status for _ in range(4)] == [403, 403, 429, 429]


async def test_strangers_leave_half_of_what_an_application_takes_to_people_who_are_signed_in() -> None:
    async with application() as app, gateway(app, app="limits: {requests: {all: {rate: 6/h}}}") as gate:
        helene = gate.sign_in(uid="helene")
        assert [(await gate.once(PUBLIC)).status for _ in range(5)] == [200, 200, 200, 429, 429]
        assert [(await gate.once(ask(b"GET /x", helene))).status for _ in range(4)] == [200, 200, 200, 429]
        assert limited(gate, "all") == 3
