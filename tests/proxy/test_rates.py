"""How often somebody may ask: the buckets themselves, and what is refused on real sockets."""

from copy import copy
from dataclasses import replace
from time import thread_time

from hypothesis import given
from hypothesis import strategies as st

from gateway.config.exchange_limits import Rate
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.proxy.rates import Buckets
from tests.fronts.fronts import GATEWAY, SECRET, SECRETS
from tests.proxy.applications import application
from tests.proxy.gateways import HOST, Gateway, ask, gateway
from tests.proxy.stand_ins import COOKIE, identity, seat

PUBLIC = ask(b"GET /public/")
OTHER = b"B" * len(COOKIE)
PROXIED = "trusted_proxies: [127.0.0.1/32]\n"


def requests(**rates: str) -> str:
    said = ", ".join(f"{name}: {{rate: {rate}}}" for name, rate in rates.items())
    return f"limits: {{requests: {{{said}}}}}\n"


def limited(gate: Gateway, reason: str) -> int:
    return int(gate.counters.values.get(("ecluse_requests_limited_total", "permis", reason), 0))


# --- the buckets ---


@given(
    st.integers(1, 50),
    st.floats(0.001, 10),
    st.lists(st.floats(0, 5), max_size=200),
)
def test_no_more_pass_than_the_rate_and_the_burst_allow(burst: int, every: float, pauses: list[float]) -> None:
    buckets, rate, now, passed = Buckets(), Rate(every, burst), 100.0, 0
    for pause in pauses:
        now += pause
        wait = buckets.take(1, rate, now)
        passed += not wait
        assert wait <= every + 1e-6
        # Who waits as long as they are told is let in.
        after = copy(buckets)
        after._full_at = buckets._full_at.copy()
        assert not wait or not after.take(1, rate, now + wait)
    assert passed <= burst + (now - 100.0) / every + 1e-6


def test_a_pause_fills_the_bucket_and_no_further() -> None:
    buckets, rate = Buckets(), Rate(1.0, 3)
    assert [buckets.take(1, rate, 0.0) for _ in range(4)] == [0, 0, 0, 1.0]
    assert [buckets.take(1, rate, 1.0) for _ in range(2)] == [0, 1.0]
    assert [buckets.take(1, rate, 1000.0) for _ in range(4)] == [0, 0, 0, 1.0]
    # Another's is full meanwhile.
    assert not buckets.take(2, rate, 1000.0)


def test_a_flood_of_addresses_takes_no_more_room_and_frees_nobody_who_goes_on() -> None:
    buckets, rate = Buckets(most=100), Rate(3600.0, 2)
    assert [buckets.take(-1, rate, 0.0) for _ in range(2)] == [0, 0]
    for number in range(1000):
        buckets.take(number, rate, float(number))
        if number % 50 == 0:
            assert buckets.take(-1, rate, float(number)) > 0
    assert len(buckets) == 100


def test_a_rate_that_a_reload_corrects_keeps_nobody_out_any_longer() -> None:
    buckets, wrong, right = Buckets(), Rate(3600.0, 10), Rate(0.01, 100)
    assert [bool(buckets.take(1, wrong, 0.0)) for _ in range(11)] == [False] * 10 + [True]
    assert buckets.take(1, right, 1.0) <= 0.01 + 1e-6
    assert not buckets.take(1, right, 1.01)


def test_buckets_that_are_full_again_are_forgotten() -> None:
    buckets, rate = Buckets(), Rate(1.0, 2)
    for number in range(1000):
        buckets.take(number, rate, 0.0)
    for number in range(1000):
        buckets.take(-1, rate, 100.0 + number)
    assert len(buckets) == 1


def test_a_new_address_finds_its_bucket_without_a_scan_over_those_that_went() -> None:
    """By the time that it takes among many, against the time among few."""

    def spent(most: int) -> float:
        buckets, rate = Buckets(most), Rate(3600.0, 200)
        for number in range(most):
            buckets.take(hash(str(number)), rate, 0.0)
        began = thread_time()
        for number in range(most, most + 60_000):
            buckets.take(hash(str(number)), rate, 0.0)
        return thread_time() - began

    assert spent(65_536) < 5 * spent(64)


# --- on real sockets ---


async def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="3/h")) as gate:
        client = await gate.client()
        assert [(await client.ask(PUBLIC)).status for _ in range(4)] == [200, 200, 200, 429]
        answer = await client.ask(PUBLIC)
        (wait,) = answer.values(b"Retry-After")
        assert 1190 <= int(wait) <= 1200
        assert answer.body.startswith(b"limit.requests")
        assert len(app.requests) == 3
        assert limited(gate, "client") == 2
        # A line for each would be a flood of its own.
        ((event, told),) = gate.log.events
        assert (event, told["reason"], told["client"]) == ("requests.limited", "client", "127.0.0.1")


async def test_people_who_are_signed_in_count_for_themselves_and_a_strangers_flood_costs_them_nothing() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h", per_person="3/h")) as gate:
        client = await gate.client()
        assert [(await client.ask(PUBLIC)).status for _ in range(3)] == [200, 200, 429]
        helene, paul = gate.sign_in(uid="helene"), gate.sign_in(OTHER, uid="paul")
        gate.sessions.hot[OTHER] = seat(HOST.decode(), replace(identity(uid="paul"), subject="paul"), OTHER)
        assert [(await client.ask(ask(b"GET /x", helene))).status for _ in range(4)] == [200, 200, 200, 429]
        assert [(await client.ask(ask(b"GET /x", paul))).status for _ in range(4)] == [200, 200, 200, 429]
        # A new session of the same person is no new bucket.
        third = gate.sign_in(b"C" * len(COOKIE), uid="helene")
        assert (await client.ask(ask(b"GET /x", third))).status == 429
        assert (limited(gate, "client"), limited(gate, "person")) == (1, 3)


async def test_a_cookie_that_this_worker_does_not_know_counts_for_the_address_before_the_store_is_asked() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        made_up = [b"Cookie: __Host-ecluse=" + b"%d" % number * len(COOKIE) for number in range(4)]
        gate.sessions.error = GatewayError(store_codes.UNREACHABLE, "away")
        assert [(await gate.once(ask(b"GET /x", cookie))).status for cookie in made_up] == [503, 503, 429, 429]


async def test_a_person_whom_the_store_has_to_name_is_counted_once_as_either() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="1/h", per_person="1/h")) as gate:
        gate.sessions.cold[COOKIE] = seat(HOST.decode(), identity(uid="helene"))
        asked = ask(b"GET /x", b"Cookie: __Host-ecluse=" + COOKIE)
        assert [(await gate.once(asked)).status for _ in range(2)] == [200, 429]
        assert limited(gate, "person") == 1


async def test_behind_a_listed_proxy_the_browsers_address_counts_and_of_ipv6_the_64() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h") + PROXIED) as gate:
        client = await gate.client()

        async def of(address: bytes) -> int:
            return (await client.ask(ask(b"GET /public/", b"X-Forwarded-For: " + address))).status

        assert [await of(b"192.0.2.1") for _ in range(3)] == [200, 200, 429]
        assert [await of(b"192.0.2.2") for _ in range(2)] == [200, 200]
        assert [await of(b"2001:db8:1:2::%d" % last) for last in range(3)] == [200, 200, 429]
        assert await of(b"2001:db8:1:3::1") == 200
        # What the client itself says stands further left, and counts for nobody.
        assert await of(b"198.51.100.7, 192.0.2.1") == 429


async def test_a_stranger_who_names_other_addresses_is_counted_as_one() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        lines = [b"X-Forwarded-For: 192.0.2.%d" % number for number in range(3)]
        assert [(await gate.once(ask(b"GET /public/", line))).status for line in lines] == [200, 200, 429]


async def test_an_application_has_limits_of_its_own_and_one_for_all_that_reaches_it() -> None:
    rates = "limits: {requests: {per_person: {rate: 1/h}, all: {rate: 5/h}}}"
    async with application() as app, gateway(app, app=rates) as gate:
        helene = gate.sign_in(uid="helene")
        assert [(await gate.once(ask(b"GET /x", helene))).status for _ in range(2)] == [200, 429]
        # What does not reach the application takes nothing of what may.
        assert [(await gate.once(ask(b"GET /private"))).status for _ in range(5)] == [401] * 5
        assert [(await gate.once(PUBLIC)).status for _ in range(3)] == [200, 200, 429]
        assert (limited(gate, "person"), limited(gate, "all")) == (1, 1)
        assert len(app.requests) == 3


async def test_sign_in_pages_count_for_the_address() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        asked = ask(b"GET /_ecluse/login")
        assert [(await gate.once(asked)).status for _ in range(3)] == [303, 303, 429]
        assert len(gate.portal.asked) == 2


async def test_a_body_that_is_refused_is_not_read_as_a_request() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="1/h")) as gate:
        client = await gate.client()
        form = ask(b"POST /public/", b"Content-Length: 3", body=b"a=1")
        assert [(await client.ask(form)).status for _ in range(3)] == [200, 429, 429]
        slow = await gate.client()
        slow.send(ask(b"POST /public/", b"Content-Length: 300000"))
        answer = await slow.answer()
        assert (answer.status, answer.values(b"Connection")) == (429, [b"close"])


async def test_a_reload_empties_no_bucket() -> None:
    async with application() as app, gateway(app, gateway=requests(per_client="2/h")) as gate:
        assert [(await gate.once(PUBLIC)).status for _ in range(3)] == [200, 200, 429]
        gate.plane.tables = gate.plane._new_tables()
        assert (await gate.once(PUBLIC)).status == 429


async def test_a_burst_is_what_may_come_at_once() -> None:
    rates = "limits: {requests: {per_client: {rate: 1/h, burst: 3}}}\n"
    async with application() as app, gateway(app, gateway=rates) as gate:
        assert [(await gate.once(PUBLIC)).status for _ in range(4)] == [200, 200, 200, 429]


async def test_a_front_is_told_no_and_its_question_counts_for_the_browser_alone() -> None:
    settings = GATEWAY + requests(per_client="2/h", per_person="3/h")
    async with application() as app, gateway(app, app="front: nginx", gateway=settings, secrets=SECRETS) as gate:
        lines = (b"X-Ecluse-Front: " + SECRET, b"X-Original-Method: GET", b"X-Original-URI: /public/")

        async def asked(*more: bytes) -> tuple[int, list[bytes]]:
            answer = await gate.once(ask(b"GET /_ecluse/authz/nginx", *lines, b"X-Forwarded-For: 192.0.2.1", *more))
            return answer.status, answer.values(b"X-Ecluse-Status")

        assert [await asked() for _ in range(3)] == [(200, []), (200, []), (403, [b"429"])]
        helene = gate.sign_in(uid="helene")
        assert [await asked(helene) for _ in range(4)] == [(200, [])] * 3 + [(403, [b"429"])]


async def test_where_nothing_is_bounded_nobody_is_counted() -> None:
    async with application() as app, gateway(app) as gate:
        assert [(await gate.once(PUBLIC)).status for _ in range(50)] == [200] * 50
        assert len(gate.plane.rates.buckets) == 0
