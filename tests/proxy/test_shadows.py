"""Shadows: evaluated beside the live rules on what comes, counted and told, never enforced."""

from gateway.access.outcome import Forward
from tests.proxy.applications import application
from tests.proxy.gateways import APP, Gateway, ask, gateway

DIFFERENCES = "ecluse_policy_shadow_differences_total"


def told(gate: Gateway) -> list[tuple[object, ...]]:
    gate.plane.flush()
    return [
        tuple(event[name] for name in ("app", "live", "live_rule", "shadow", "shadow_rule"))
        for event in gate.log.named("policy.shadow")
    ]


def counted(gate: Gateway) -> dict[tuple[str, ...], float]:
    gate.plane.flush()
    return {key[1:]: value for key, value in gate.plane.counters.values.items() if key[0] == DIFFERENCES}


async def test_a_rule_that_would_refuse_lets_everybody_through_and_is_counted() -> None:
    rule = "  - {path: /new/**, allow: {group: ONDE}, shadow: true}"
    async with application() as upstream, gateway(upstream, app=rule) as gate:
        client, cookie = await gate.client(), gate.sign_in(uid="jdupont", groups="externes")
        for _ in range(3):
            assert (await client.ask(ask(b"GET /new/a", cookie))).status == 200
        assert (await client.ask(ask(b"GET /a", cookie))).status == 200
        file = "policies/apps/permis.yaml"
        difference = ("permis", "allow", f"{file}:14", "deny", f"{file}:15")
        assert told(gate) == [difference]
        assert counted(gate) == {difference: 3}
        assert gate.plane.counters.values["ecluse_policy_decisions_total", "permis", "allow", "policy.allowed"] == 4
        assert (await client.ask(ask(b"GET /new/b", cookie))).status == 200
        assert (told(gate), counted(gate)) == ([difference], {difference: 4})
        assert gate.log.named("policy.shadow")[0]["revision"] == gate.plane.holder.snapshot.revision


async def test_a_rule_that_would_let_in_lets_nobody_in() -> None:
    rule = "  - {path: /**, allow: anyone, shadow: true}"
    async with application() as upstream, gateway(upstream, app=rule) as gate:
        client = await gate.client()
        assert (await client.ask(ask(b"GET /a"))).status == 401
        assert (await client.ask(ask(b"GET /admin/a"))).status == 401
        assert upstream.peers == []
        assert [one[1::2] for one in told(gate)] == [("challenge", "allow")]


async def test_a_whole_file_is_compared_with_what_the_application_is_told() -> None:
    port_and_more = {"url": "http://127.0.0.1:9", "upstream": "", "more": ""}
    beside = APP.format(**port_and_more).replace("app: permis\n", "app: permis\nshadow: true\n")
    changes = {"apps/next.yaml": beside.replace("X-Remote-User: {from: uid}", "X-Remote-User: {from: mail}")}
    async with application() as upstream, gateway(upstream, changes=changes) as gate:
        client = await gate.client()
        cookie = gate.sign_in(uid="jdupont", mail="j@metropole.example")
        answer = await client.ask(ask(b"GET /a", cookie))
        assert answer.status == 200
        assert (await client.ask(ask(b"GET /public/a"))).status == 200
        assert [one[1::2] for one in told(gate)] == [("allow", "allow, told otherwise")]


async def test_a_shadow_that_turns_on_the_request_is_asked_each_time() -> None:
    rule = "  - {path: /**, allow: {all: [signed_in, {query: {name: mode, equals: print}}]}, shadow: true}"
    async with application() as upstream, gateway(upstream, app=rule) as gate:
        client, cookie = await gate.client(), gate.sign_in(uid="jdupont")
        for target in (b"GET /a?mode=print", b"GET /a?mode=edit", b"GET /a?mode=print", b"GET /a"):
            assert (await client.ask(ask(target, cookie))).status == 200
        assert list(counted(gate).values()) == [2]


async def test_without_a_shadow_nothing_is_compared() -> None:
    async with application() as upstream, gateway(upstream) as gate:
        cookie = gate.sign_in(uid="jdupont")
        assert (await gate.once(ask(b"GET /a", cookie))).status == 200
        (seat,) = gate.sessions.hot.values()
        assert [type(one) for one in seat.outcomes.values()] == [tuple, Forward]
        assert not gate.plane.tables.lanes[0].differing
