"""Heads of responses under `rewrite`, and under `responses.add`, `replace` and `banners`."""

import pytest

from tests.config.samples import sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import ask, files, gateway
from tests.proxy.test_fence import swap

# The application sees its public name, and so may write it as it listens.
PUBLIC = "http://permis.localhost:8080"
ADDRESSES = "rewrite: {headers: true, internal: ['http://intranet:8080']}\n"


async def head(app: str, *lines: str, times: int = 1) -> list[str]:
    """The lines that a browser gets of a response with these lines, the last of `times` alike."""
    text = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", *lines, "Content-Length: 2", ""))
    async with application(*[text.encode("latin-1") + b"ok"] * times) as behind, gateway(behind, app=app) as gate:
        client = await gate.client()
        answers = [await client.ask(ask(b"GET /public/a")) for _ in range(times)]
        assert len({answer.head for answer in answers}) == 1
        got = answers[-1].head.decode("latin-1").split("\r\n")
        return [line for line in got[1:-2] if line != "Content-Length: 2"]


@pytest.mark.parametrize("times", [1, 3])
async def test_addresses_are_made_public(times: int) -> None:
    lines = (
        "Server: a", "Location: http://intranet:8080/a", "Content-Location: http://intranet:8080/b",
        "Refresh: 0;url=http://intranet:8080/c", "Link: <http://intranet:8080/d>; rel=next",
        "Set-Cookie: s=1; Domain=intranet; Path=/", "X-Address: http://intranet:8080/",
    )  # fmt: skip
    assert await head(ADDRESSES, *lines, times=times) == [
        "Server: a", f"Location: {PUBLIC}/a", f"Content-Location: {PUBLIC}/b", f"Refresh: 0;url={PUBLIC}/c",
        f"Link: <{PUBLIC}/d>; rel=next", "Set-Cookie: s=1; Path=/", "X-Address: http://intranet:8080/",
    ]  # fmt: skip


async def test_without_the_switch_nothing_is_touched() -> None:
    lines = ["Location: http://127.0.0.1:1/a", "Set-Cookie: s=1; Domain=intranet", "Server: a", "Refresh: 0"]
    assert await head("", *lines) == lines


async def own_address(upstream: str, told: str) -> str:
    async with application() as behind:
        answer = f"HTTP/1.1 302 Found\r\nLocation: {told.format(port=behind.port)}\r\nContent-Length: 0\r\n\r\n"
        behind.then = answer.encode()
        async with gateway(behind, app="rewrite: {headers: true}", upstream=upstream) as gate:
            return (await gate.once(ask(b"GET /public/a"))).values(b"Location")[0].decode()


@pytest.mark.parametrize(
    ("upstream", "told"),
    [
        ("", "http://127.0.0.1:{port}/"),
        ("", "http://permis.localhost:{port}/"),
        ("host: upstream", "http://127.0.0.1:{port}/"),
        ("host: upstream", "https://127.0.0.1:{port}/"),
        ("host: intranet.ville.example", "http://intranet.ville.example/"),
        ("host: intranet.ville.example", "https://intranet.ville.example/"),
        ("host: intranet.ville.example", "http://intranet.ville.example:{port}/"),
    ],
)
async def test_an_application_s_own_addresses_are_known(upstream: str, told: str) -> None:
    assert await own_address(upstream, told) == PUBLIC + "/"


async def test_another_name_of_the_machine_is_not_its_own() -> None:
    assert await own_address("host: upstream", "http://permis.localhost:1/") == "http://permis.localhost:1/"


async def test_a_cookie_of_ours_passes_in_no_form() -> None:
    lines = ("Set-Cookie: __Host-ecluse=x; Domain=intranet", "Set-Cookie: a=1; Domain=intranet", "Location: /")
    assert await head(ADDRESSES, *lines) == ["Set-Cookie: a=1", "Location: /"]


async def test_banners_are_left_out() -> None:
    lines = ("Server: Apache/2.2.3", "x-powered-by: PHP/5.3", "X-AspNet-Version: 2.0", "X-Serve: 1", "Via: 1.1 a")
    assert await head("responses: {banners: false}", *lines, times=2) == ["X-Serve: 1", "Via: 1.1 a"]


ADDED = """responses:
  add: {X-Content-Type-Options: nosniff, Strict-Transport-Security: max-age=31536000}
  replace: {Content-Security-Policy: "frame-ancestors 'self'"}
"""


async def test_lines_are_added_where_the_application_sends_none() -> None:
    assert await head(ADDED, "X-A: 1", times=2) == [
        "X-A: 1", "Content-Security-Policy: frame-ancestors 'self'", "X-Content-Type-Options: nosniff",
        "Strict-Transport-Security: max-age=31536000",
    ]  # fmt: skip


async def test_its_own_lines_count_and_are_replaced_where_the_file_says_so() -> None:
    lines = ("x-content-type-options: other", "Content-Security-Policy: default-src *", "content-security-policy: b",
             "Strict-Transport-Security: max-age=63072000")  # fmt: skip
    assert await head(ADDED, *lines) == [
        "x-content-type-options: other", "Strict-Transport-Security: max-age=63072000",
        "Content-Security-Policy: frame-ancestors 'self'",
    ]  # fmt: skip


async def test_what_is_dropped_of_its_own_counts_as_absent() -> None:
    got = await head(ADDED, "Strict-Transport-Security: max-age=0")
    assert "Strict-Transport-Security: max-age=31536000" in got
    assert "Strict-Transport-Security: max-age=0" not in got


async def test_a_line_that_connection_names_is_none_of_the_browser_s() -> None:
    assert await head(ADDRESSES, "Connection: Location", "Location: http://intranet:8080/") == []


async def test_a_304_and_an_interim_response() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: <http://intranet:8080/a.css>; rel=preload\r\n\r\n"
    later = b"HTTP/1.1 304 Not Modified\r\nContent-Location: http://intranet:8080/a\r\n\r\n"
    async with application(early + later) as behind, gateway(behind, app=ADDRESSES + ADDED) as gate:
        client = await gate.client()
        hint = await client.ask(ask(b"GET /public/a"))
        assert hint.head == b"HTTP/1.1 103 Early Hints\r\nLink: <%b/a.css>; rel=preload\r\n\r\n" % PUBLIC.encode()
        answer = await client.answer()
        assert answer.values(b"Content-Location") == [PUBLIC.encode() + b"/a"]
        assert answer.values(b"X-Content-Type-Options") == [b"nosniff"]


async def test_each_host_of_an_application_has_its_own_address() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://intranet:8080/a\r\nContent-Length: 0\r\n\r\n"
    async with application(*[answer] * 2) as behind, gateway(behind, changes=two_hosts(behind.port)) as gate:
        for host in (b"un.localhost", b"deux.localhost"):
            got = await gate.once(b"GET /public/a HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
            assert got.values(b"Location") == [b"http://%b:8080/a" % host]


def two_hosts(port: int) -> dict[str, str]:
    return {
        "apps/permis.yaml": f"""version: 1
app: permis
hosts: ["*.localhost"]
upstream: {{url: "http://127.0.0.1:{port}"}}
providers: [metropole]
{ADDRESSES}access: [{{path: /public/**, allow: anyone}}]
"""
    }


async def test_a_reload_changes_what_open_connections_do() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://intranet:8080/a\r\nContent-Length: 0\r\n\r\n"
    async with application(*[answer] * 3) as behind, gateway(behind) as gate:
        client, found = await gate.client(), []
        for app in ("", ADDRESSES, ""):
            swap(gate, sample_snapshot(files(behind.port, app=app)))
            found += (await client.ask(ask(b"GET /public/a"))).values(b"Location")
        assert found == [b"http://intranet:8080/a", PUBLIC.encode() + b"/a", b"http://intranet:8080/a"]
