"""What policy saw is what the application gets (invariant 2)."""

from dataclasses import replace

import pytest

from gateway.config.api import Api, OpaqueTokens
from gateway.model.errors import GatewayError
from gateway.policy.routes import PathSet
from gateway.wire.target import canonical_target
from tests.config.samples import sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import HOST, ask, blot, files, gateway, reached

# PC01 to PC11: one reading, or none.
REFUSED = [
    b"/public/../admin", b"/public/./../admin", b"/public/..", b"/./admin", b"/public/.", b"/../admin",
    b"/public/%2e%2e/admin", b"/public/%2E%2e/admin", b"/public/.%2e/admin", b"/%2e/admin", b"/public/%2e%2e%2fadmin",
    b"/public%2fadmin", b"/public%2Fadmin", b"/public%5cadmin", b"/public%5Cadmin", b"/public%252fadmin",
    b"/public\\admin", b"/public/%252e%252e/admin", b"/public/%25%32%65", b"/public/%2561dmin",
    b"//admin", b"///admin", b"/public//../admin", b"/public//a", b"/.//admin",
    b"/public;/../admin", b"/public/..;/admin", b"/public/.;/admin", b"/;/admin", b"/public/a;jsessionid=X",
    b"/public/%3b/../admin", b"/public/..%3b/admin", b"/public/a%00", b"/public/a%00.css", b"/public%0aadmin",
    b"/public/a%0d%0aX:%201", b"/public/a%7f", b"/public/%c0%ae%c0%ae/admin", b"/public/%e0%80%ae", b"/public/%ff",
    b"/public/\xe9", b"/public/%", b"/public/%4", b"/public/%zz", b"/public/a#b", b"#/public", b"public/a",
    b"/public/\xef\xbc\x8f", b"/public/%ef%bc%8e%ef%bc%8e/admin",
]  # fmt: skip
BYTE_FOR_BYTE = [
    b"/public", b"/public/", b"/public/a/b.c~_-", b"/public/%61", b"/public/caf%C3%A9", b"/public/a?x=/../admin",
    b"/public/a?", b"/public/a?%2f%00;//", b"/public/a?x=1&x=2#"[:-1], b"/public/a,b(c)!$&'*+=:@", b"/public/%20",
    b"/public/a|b[c]", b"/public/a?<>\"'",
]  # fmt: skip


@pytest.mark.parametrize("target", REFUSED)
async def test_invariant_2_a_path_of_two_readings_is_a_400(target: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in()
        client = await gate.client()
        client.send(ask(b"GET " + target, cookie) + ask(b"GET /public/b"))
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        assert app.peers == []


async def test_invariant_2_what_is_let_through_goes_byte_for_byte() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for target in BYTE_FOR_BYTE * 2:
            assert (await client.ask(ask(b"GET " + target))).status == 200, target
            assert blot(app.requests.pop()) == reached(b"GET " + target)


@pytest.mark.parametrize(
    "target", [b"/%61dmin/x", b"/admin/x", b"/adm%69n/x", b"/%61%64%6d%69%6e/x", b"/admin?/public/"]
)
async def test_invariant_2_policy_matches_the_single_decoding(target: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in()
        assert (await gate.once(ask(b"GET " + target, cookie))).status == 403
        assert app.peers == []


async def test_invariant_2_a_leniency_loosens_what_it_names_and_nothing_else() -> None:
    lenient = "paths: {parameters: [jsessionid], case: insensitive, merge_slashes: true, encoding: latin1}\n"
    async with application() as app, gateway(app, app=lenient) as gate:
        client = await gate.client()
        for target in (b"/PUBLIC/a", b"/public/a;jsessionid=1F", b"//public//a", b"/public/caf%E9"):
            assert (await client.ask(ask(b"GET " + target))).status == 200, target
            assert blot(app.requests.pop()) == reached(b"GET " + target)
        cookie = gate.sign_in()
        for target in (b"/ADMIN/x", b"//admin/x", b"/admin;jsessionid=1/x", b"//ADMIN;jsessionid=1/x"):
            assert (await client.ask(ask(b"GET " + target, cookie))).status == 403, target
        for target in (b"/public/../a", b"/public/a;b=c", b"/public/%2f", b"/public/..;jsessionid=1/admin"):
            assert (await gate.once(ask(b"GET " + target))).status == 400, target


async def test_invariant_2_the_leniencies_of_windows_and_aspnet_are_decided_as_the_application_maps_the_path() -> None:
    lenient = 'paths: {case: insensitive, windows: true, cookieless: true, escaped: ["?"]}\n'
    admin = (b"/admin./x", b"/ADMIN%20", b"/(S(x))/admin/x", b"/(A(x)F(y))/Admin./x")
    plain = (b"/public/a.", b"/(S(x))/public/a", b"/public/Quoi%3F")
    other = (b"/admin~1/x", b"/admin::$DATA", b"/admin../x", b"/(S(x))/(S(y))/admin", b"/public/C%23", b"/adm%C4%B1n/x")
    async with application() as app, gateway(app) as strict, gateway(app, app=lenient) as gate:
        cookie = gate.sign_in()
        for target in plain:
            assert (await gate.once(ask(b"GET " + target))).status == 200, target
            assert blot(app.requests.pop()) == reached(b"GET " + target)
        for target in admin:
            assert (await gate.once(ask(b"GET " + target, cookie))).status == 403, target
        for target in other:
            assert (await gate.once(ask(b"GET " + target, cookie))).status == 400, target
        for target in (b"/(S(x))/public/a", b"/public/Quoi%3F", b"/public/a%23"):
            assert (await strict.once(ask(b"GET " + target))).status == 400, target


async def test_invariant_2_a_path_in_utf_8_passes_a_latin_1_host_where_both_readings_meet_the_same_rules() -> None:
    lenient = files(9001, app="paths: {encoding: latin1}\n")["apps/permis.yaml"]
    rule = "access:\n  - {path: /public/œuvres/**, allow: signed_in}\n"
    rule += "  - {path: /public/ici/**, allow: {network: 127.0.0.0/8}}\n"
    async with application() as app:
        file = lenient.replace("9001", str(app.port)).replace("access:\n", rule)
        async with gateway(app, changes={"apps/permis.yaml": file}) as gate:
            for target in (b"/public/l%E2%80%99%C5%93uf%20%E2%82%AC", b"/public/l%92%9Cuf%20%80", b"/public/caf%C3%A9"):
                assert (await gate.once(ask(b"GET " + target))).status == 200, target
                assert blot(app.requests.pop()) == reached(b"GET " + target)
            assert (await gate.once(ask(b"GET /public/%9Cuvres/1"))).status == 401
            assert (await gate.once(ask(b"GET /public/%C5%93uvres/1"))).status == 400
            # This rule may ask for the path by itself, of which it would be given one reading.
            assert (await gate.once(ask(b"GET /public/ici/a"))).status == 200
            assert (await gate.once(ask(b"GET /public/ici/%C3%A9"))).status == 400
            app.requests.pop()
            assert app.requests == []


def test_invariant_2_whose_token_it_is_is_one_reading_too() -> None:
    """Invariant 7: in the other one, an opaque token would be another provider's."""
    snapshot = sample_snapshot(files(9001, app="paths: {encoding: latin1}\n"))
    app = snapshot.apps["permis"]

    opaque = (OpaqueTokens("metropole", paths=PathSet(("/public/œuvres/**",))), OpaqueTokens("prefecture", b"p_"))
    app = replace(app, api=Api(("metropole", "prefecture"), PathSet(("/**",)), opaque=opaque))
    app.check_readings(canonical_target(b"/public/%9Cuvres/1", app.leniency))
    app.check_readings(canonical_target(b"/public/caf%C3%A9", app.leniency))
    with pytest.raises(GatewayError):
        app.check_readings(canonical_target(b"/public/%C5%93uvres/1", app.leniency))


def test_a_path_whose_limits_turn_on_how_it_is_read_is_refused() -> None:
    limits = "limits: {body: 1MB, paths: [{path: /public/œuvres/**, body: 100MB}]}\n"
    app = sample_snapshot(files(9001, app=f"paths: {{encoding: latin1}}\n{limits}")).apps["permis"]
    app.check_readings(canonical_target(b"/public/%9Cuvres/1", app.leniency))
    app.check_readings(canonical_target(b"/public/caf%C3%A9", app.leniency))
    with pytest.raises(GatewayError):
        app.check_readings(canonical_target(b"/public/%C5%93uvres/1", app.leniency))


async def test_a_host_with_an_underscore_answers_where_its_file_lists_it() -> None:
    """In a Host line and in the authority of a target, which have to be one."""
    listing = files(9)["apps/permis.yaml"].replace("[permis.localhost]", "[permis.localhost, per_mis.localhost]")
    cases = (
        (b"GET /public/a", b"per_mis.localhost:8080", 200),
        (b"GET http://per_mis.localhost:8080/public/a", b"per_mis.localhost:8080", 200),
        (b"GET http://per_mis.localhost:8080/public/a", b"permis.localhost:8080", 400),
        (b"GET http://per_mi_s.localhost:8080/public/a", b"per_mis.localhost:8080", 400),
        (b"GET /public/a", b"per_mi_s.localhost:8080", 400),
        (b"GET /public/a", b"portail_.localhost:8080", 400),
    )
    async with application() as app:
        listing = listing.replace(":9,", f":{app.port},").replace(":9}", f":{app.port}}}")
        async with gateway(app, changes={"apps/permis.yaml": listing}) as gate:
            for line, host, status in cases:
                answer = await gate.once(ask(line).replace(b"Host: " + HOST, b"Host: " + host))
                assert answer.status == status, (line, host)
            assert [b"X-Forwarded-Host: per_mis.localhost:8080\r\n" in one for one in app.requests] == [True, True]
