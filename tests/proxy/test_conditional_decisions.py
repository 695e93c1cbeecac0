"""Rules that turn on the request: asked anew each time, and of nothing but what the application will be given."""

import pytest

from gateway.access.outcome import Forward
from gateway.proxy import request as asking
from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway


def rule(condition: str) -> str:
    """One more rule of the application."""
    return f"  - {{path: /on/**, allow: {condition}}}"


@pytest.mark.parametrize(
    ("condition", "line", "headers", "status"),
    [
        ("{network: 127.0.0.0/8}", b"GET /on/a", (), 200),
        ("{network: 10.0.0.0/8}", b"GET /on/a", (), 403),
        ("{network: 10.0.0.0/8}", b"GET /on/a", (b"X-Forwarded-For: 10.1.1.1",), 403),
        ("{not: {network: 10.0.0.0/8}}", b"GET /on/a", (), 200),
        ("{method: GET}", b"HEAD /on/a", (), 200),
        ("{method: GET}", b"POST /on/a", (b"Content-Length: 0",), 403),
        ("{header: {name: X-Mode, equals: print}}", b"GET /on/a", (b"x-mode: print",), 200),
        ("{header: {name: X-Mode, equals: print}}", b"GET /on/a", (b"X-Mode: print", b"X-Mode: edit"), 403),
        ("{header: {name: X-Mode, equals: print}}", b"GET /on/a", (b"X_Mode: print",), 403),
        ("{header: {name: X-Mode, equals: print}}", b"GET /on/a", (b"X-Mode: print", b"Connection: x-mode"), 403),
        ("{query: {name: mode, equals: print}}", b"GET /on/a?mode=print", (), 200),
        ("{query: {name: mode, equals: print}}", b"GET /on/a?mode=print&mode=edit", (), 403),
        ("{query: {name: mode, equals: print}}", b"GET /on/a", (), 403),
        ("{all: [signed_in, {query: {name: mode, equals: print}}]}", b"GET /on/a?mode=print", (), 401),
        ("{all: [signed_in, {query: {name: mode, equals: print}}]}", b"GET /on/a?mode=edit", (), 403),
        ("{when: 'request.path == \"/on/a\"'}", b"GET /on/a", (), 200),
        ("{when: 'request.path == \"/on/a\"'}", b"GET /on/b", (), 403),
        ("{when: '1/0 == 1'}", b"GET /on/b", (), 403),
    ],
)
async def test_a_request_is_judged_by_itself(
    condition: str, line: bytes, headers: tuple[bytes, ...], status: int
) -> None:
    async with application() as upstream, gateway(upstream, app=rule(condition)) as gate:
        client = await gate.client()
        for _ in range(2):
            answer = await client.ask(ask(line, *headers))
            assert answer.status == status
            # What is kept of this path is not what was answered now.
            await client.ask(ask(b"GET /on/a?mode=other"))


async def test_the_same_lines_are_asked_again_when_the_clock_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1764061200.0]  # 10:00 in Paris
    monkeypatch.setattr(asking, "time", lambda: clock[0])
    office = "{all: [signed_in, {time: {zone: Europe/Paris, hours: '08:00-12:00'}}]}"
    async with application() as upstream, gateway(upstream, app=rule(office)) as gate:
        client, cookie = await gate.client(), gate.sign_in(uid="jdupont")
        assert (await client.ask(ask(b"GET /on/a", cookie))).status == 200
        clock[0] += 2 * 3600
        assert (await client.ask(ask(b"GET /on/a", cookie))).status == 403
        clock[0] -= 2 * 3600
        assert (await client.ask(ask(b"GET /on/a", cookie))).status == 200
        decisions = gate.plane.tables.lanes[0].decisions
        assert {key: cell for key, cell in decisions.items() if cell != [0]} == {
            ("allow", "policy.allowed"): [2],
            ("deny", "policy.not_allowed"): [1],
        }


async def test_behind_a_listed_proxy_the_network_is_the_browsers() -> None:
    trusted = "trusted_proxies: [127.0.0.1]\n"
    async with (
        application() as upstream,
        gateway(upstream, app=rule("{network: 192.0.2.0/24}"), gateway=trusted) as gate,
    ):
        client = await gate.client()
        for address, status in ((b"192.0.2.7", 200), (b"198.51.100.1", 403), (b"192.0.2.8", 200)):
            assert (await client.ask(ask(b"GET /on/a", b"X-Forwarded-For: " + address))).status == status


async def test_what_no_request_can_change_is_kept_and_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with application() as upstream, gateway(upstream, app=rule("{all: [signed_in, {method: GET}]}")) as gate:
        client, cookie = await gate.client(), gate.sign_in(uid="jdupont")
        assert (await client.ask(ask(b"GET /on/a", cookie))).status == 200
        lane = gate.plane.tables.lanes[0]
        (seat,) = gate.sessions.hot.values()
        assert [type(one) for one in seat.outcomes.values()] == [tuple, Forward]
        monkeypatch.setattr(lane.__class__, "decide", None)
        assert (await client.ask(ask(b"GET /on/a", cookie))).status == 200


async def test_an_expression_that_cannot_be_told_is_counted() -> None:
    async with application() as upstream, gateway(upstream, app=rule("{when: 'user.mail == \"a\"'}")) as gate:
        cookie = gate.sign_in(uid="jdupont")
        assert (await gate.once(ask(b"GET /on/a", cookie))).status == 403
        gate.plane.flush()
        assert gate.plane.counters.values["ecluse_policy_errors_total", "permis"] == 1
