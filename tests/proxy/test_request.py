"""From a head to the scrubbed lines for upstream (invariant 3: no client can say who it is)."""

import pytest

from tests.proxy.applications import application
from tests.proxy.gateways import ask, blot, gateway, reached

# HS01, HS02, HS03: the injected name in any spelling, and the reserved names.
FORGED = [
    b"X-Remote-User: admin", b"x-remote-user: admin", b"X-REMOTE-USER: admin", b"X-rEMOTE-uSER: admin",
    b"X_Remote_User: admin", b"X-Remote_User: admin", b"x_remote_user: admin", b"X.Remote.User: admin",
    b"X~Remote~User: admin", b"X!Remote!User: admin", b"X|Remote|User: admin", b"XRemoteUser: admin",
    b"X--Remote--User: admin", b"X-Remote-User-: admin", b"HTTP_X_REMOTE_USER: admin", b"X-Remote-User:",
    b"REMOTE_USER: admin", b"Remote-User: admin", b"X-Remote-Groups: admin", b"X-Anything_At-All: 1",
    b"Proxy: http://evil", b"X-Original-URL: /admin", b"X-Rewrite-URL: /admin",
    b"X-Forwarded-Host: evil", b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: https", b"X-Forwarded-Prefix: /x",
    b"Forwarded: for=127.0.0.1;host=evil;proto=https", b"X-Real-IP: 10.0.0.1", b"Shib-Session-ID: 1",
    b"OIDC-Claim-Sub: 1", b"Mellon-Uid: 1", b"Auth-User: 1", b"SSL-Client-Verify: 1", b"X-Client-Cert: 1",
    b"X-Envoy-External-Address: 1", b"X-Accel-Redirect: /", b"X-WebAuth-User: 1", b"X-Auth-Request-User: 1",
    b"X-Request-Id: 0123", b"Ecluse-User: 1", b"X-Ecluse-User: 1", b"Content.Length: 3", b"Content_Length: 3",
    b"Transfer.Encoding: chunked", b"TE: trailers", b"Trailer: X-Remote-User", b"Keep-Alive: 5",
    b"Proxy-Connection: close", b"Proxy-Authorization: Basic eA==", b"traceparent: 00-1-1-01", b"Host_: evil",
]  # fmt: skip


@pytest.mark.parametrize("line", [b"GET /public/a", b"GET /a", b"OPTIONS /public/a", b"HEAD /a"])
async def test_invariant_3_no_forged_line_reaches_the_application(line: bytes) -> None:
    """Alone, among others, before and behind, and the same once more."""
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in(uid="jdupont")
        injected = () if b"public" in line else (b"X-Remote-User: jdupont",)
        for forged in FORGED:
            client = await gate.client()
            own = () if b"public" in line else (cookie,)
            kept = () if b"public" in line else (b"Cookie: CTSESSION=present",)
            for lines in ((forged, b"X-A: 1"), (b"X-A: 1", forged), (forged, b"X-A: 1", forged)):
                assert (await client.ask(ask(line, *lines, *own))).status == 200
                assert blot(app.requests.pop()) == reached(line, b"X-A: 1", *kept, injected=injected), forged
            client.close()


async def test_invariant_3_also_where_the_attribute_is_missing() -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in(mail="a@metropole.example")
        await gate.once(ask(b"GET /a", cookie, b"X-Remote-User: admin"))
        assert blot(app.requests[0]) == reached(b"GET /a", b"Cookie: CTSESSION=present")


@pytest.mark.parametrize(
    "connection",
    [
        (b"Connection: X-Remote-User",),
        (b"connection: keep-alive, x-remote-user",),
        (b"CONNECTION: X_Remote_User",),
        (b"Connection: keep-alive", b"Connection: X-Remote-User"),
        (b"Connection: Cookie, Host, Content-Length",),
        (b"Connection: keep-alive,,X-Remote-User, X-Request-Id, X-Forwarded-For",),
    ],
)
async def test_invariant_3_connection_tokens_are_processed_before_the_injection(connection: tuple[bytes, ...]) -> None:
    """HS04."""
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in(uid="jdupont")
        await gate.once(ask(b"POST /a", *connection, cookie, b"Content-Length: 2", body=b"hi"))
        assert blot(app.requests[0]) == reached(
            b"POST /a", b"Cookie: CTSESSION=present", injected=(b"X-Remote-User: jdupont",),
            end=b"Content-Length: 2", body=b"hi",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("cookie", "left"),
    [
        (b"CTSESSION=forged", b""),
        (b"ctsession=forged; a=1", b"a=1"),
        (b'"CTSESSION"=forged; a=1', b"a=1"),
        (b"CT_SESSION=forged; a=1", b"a=1"),
        (b"CT%53ESSION=forged; a=1", b"a=1"),
        (b"a=1; CTSESSION=x; CTSESSION=y; b=2", b"a=1; b=2"),
    ],
)
async def test_invariant_3_a_cookie_named_like_an_injected_one_is_dropped(cookie: bytes, left: bytes) -> None:
    """HS11."""
    async with application() as app, gateway(app) as gate:
        own = gate.sign_in(uid="jdupont")
        client = await gate.client()
        await client.ask(ask(b"GET /public/a", b"Cookie: " + cookie))
        await client.ask(ask(b"GET /a", own + b"; " + cookie))
        await client.ask(ask(b"GET /a", b"Cookie: " + cookie, own))
        assert blot(app.requests[0]) == reached(b"GET /public/a", *((b"Cookie: " + left,) if left else ()))
        ours = b"Cookie: CTSESSION=present" + (b"; " + left if left else b"")
        for request in app.requests[1:]:
            assert blot(request) == reached(b"GET /a", ours, injected=(b"X-Remote-User: jdupont",))


@pytest.mark.parametrize("injects", [True, False])
async def test_invariant_3_authorization_goes_on_only_where_the_application_gets_none_from_us(injects: bool) -> None:
    async with application() as app:
        changes = {
            "apps/permis.yaml": "version: 1\napp: permis\nhosts: [permis.localhost]\n"
            f"upstream: {{url: 'http://127.0.0.1:{app.port}'}}\nproviders: [metropole]\n"
            f"translate: {{headers: {{{'Authorization' if injects else 'X-User'}: {{from: uid}}}}}}\n"
            "access: [{path: /**, allow: anyone}]\n"
        }
        async with gateway(app, changes=changes) as gate:
            await gate.once(ask(b"GET /public/a", b"Authorization: Basic YTpi"))
            kept = () if injects else (b"Authorization: Basic YTpi",)
            assert blot(app.requests[0]) == reached(b"GET /public/a", *kept)
            two = await gate.once(ask(b"GET /a", b"Authorization: Basic YTpi", b"authorization: Basic Yzpk"))
            assert two.status == 400


@pytest.mark.parametrize(
    "line",
    [
        b" X-Remote-User: a", b"X-Remote-User : a", b"X-Remote-User\t: a", b": a", b"no colon", b"X\0Y: a",
        b"X\x85: a", b"X\xa0: a", b"X\xe2\x80\x90Remote: a", b"A: a\r\n b", b"A: a\r\n\tb", b"A: a\rb", b"A: a\nb",
        b"A: a\0b",
    ],
)  # fmt: skip
async def test_a_line_of_no_header_is_a_400(line: bytes) -> None:
    """HS06, HS07."""
    async with application() as app, gateway(app) as gate:
        for raw in (ask(b"GET /public/a", line), ask(b"GET /public/a", line, b"X-A: 1")):
            client = await gate.client()
            client.send(raw + ask(b"GET /public/b"))
            assert (await client.answer()).status == 400
            assert await client.is_closed()
        assert app.peers == []


async def test_values_are_bytes_and_stay_so() -> None:
    values = [b"X-A: \xe9t\xe9", "X-B: é".encode(), b"X-C: a\tb", b"X-D:", b'X-E: "a,b;c=d"', b"X-F: \xa0admin\xa0"]
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /public/a", *values))
        kept = [b"X-D: " if value == b"X-D:" else value for value in values]
        assert blot(app.requests[0]) == reached(b"GET /public/a", *kept)


async def test_absolute_form_of_the_same_host_goes_on_as_origin_form() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for target in (b"http://permis.localhost/public/a?b", b"http://PERMIS.localhost/public/a?b"):
            assert (await client.ask(ask(b"GET " + target))).status == 200
            assert blot(app.requests.pop()) == reached(b"GET /public/a?b")


@pytest.mark.parametrize("again", [0, 1])
@pytest.mark.parametrize(
    "target",
    [b"http://other.localhost/public/a", b"http://u@permis.localhost/public/a", b"//evil/public", b"*", b"http:///a"],
)
async def test_a_target_elsewhere_is_a_400(target: bytes, again: int) -> None:
    """PC12; also behind a request with the same lines."""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for _ in range(again):
            await client.ask(ask(b"GET /public/a"))
        assert (await client.ask(ask(b"GET " + target))).status == 400
        assert len(app.requests) == again
