import asyncio
import datetime
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
import uvloop
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.federation.addresses import Resolver
from gateway.federation.client import LARGEST_BODY, ProviderClient
from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.oidc.documents import Call, ProviderResponse
from tests.federation.servers import get, raw_server, web_server

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def client(
    *,
    ca: bytes | None = None,
    private: bool = True,
    seconds: float = 5.0,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[ProviderClient]:
    sender = ProviderClient(ca, None, private, resolver or Resolver(), seconds)
    try:
        yield sender
    finally:
        await sender.close()


async def refusal(sender: ProviderClient, url: str) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        await sender.send(get(url))
    return refused.value


# --- what is sent and read --------------------------------------------------------------------------------------------


async def test_a_call_is_sent_as_it_was_made() -> None:
    call = Call("token answer", "POST", "", (("Authorization", "Basic YTpi"), ("Accept", "application/json")), b"a=b")

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen = {name: request.headers.get(name) for name in ("Authorization", "Accept", "Accept-Encoding", "Cookie")}
        body = (await request.read()).decode()
        return web.json_response(
            {**seen, "body": body, "target": request.raw_path}, headers={"Cache-Control": "no-store"}
        )

    async with web_server(handle) as port, client() as sender:
        url = f"http://127.0.0.1:{port}/a/%2e%2e/B?x=%20&y=a+b"
        answer = await sender.send(Call(call.what, call.method, url, call.headers, call.body))
    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert answer.cache_control == "no-store"
    assert answer.body == (
        b'{"Authorization": "Basic YTpi", "Accept": "application/json", "Accept-Encoding": "identity", '
        b'"Cookie": null, "body": "a=b", "target": "/a/%2e%2e/B?x=%20&y=a+b"}'
    )


async def test_a_media_type_is_read_without_its_parameters() -> None:
    typed = b"HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\n\r\n{}"
    async with raw_server(typed) as raw, client() as sender:
        assert await sender.send(get(raw.url)) == ProviderResponse(200, "application/json", b"{}")


async def test_a_redirect_is_an_answer_and_goes_nowhere() -> None:
    async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as target, client() as sender:
        location = f"Location: {target.url}\r\nContent-Length: 0\r\n\r\n".encode()
        for status in (b"301", b"302", b"303", b"307", b"308"):
            async with raw_server(b"HTTP/1.1 " + status + b" Go\r\n" + location) as raw:
                assert (await sender.send(get(raw.url))).status == int(status)
        assert target.connections == 0


async def test_nothing_is_kept_between_two_calls() -> None:
    cookie = HEAD + b"Set-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\n{}"
    async with raw_server(cookie) as raw, client() as sender:
        # by name: a cookie jar leaves cookies of bare addresses alone anyway
        for _ in range(2):
            await sender.send(get(f"http://op.localhost:{raw.port}/"))
        assert len(raw.requests) == 2
        assert not any(b"cookie:" in request.lower() for request in raw.requests)


async def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as proxy, client() as sender:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as raw:
            assert (await sender.send(get(raw.url))).status == 200
        assert proxy.connections == 0
        assert os.environ["HTTP_PROXY"] == proxy.url


# --- answers that are too much ----------------------------------------------------------------------------------------


async def test_a_gigabyte_is_given_up_after_a_megabyte() -> None:
    head = HEAD + b"Content-Length: 1073741824\r\n\r\n"
    async with raw_server(head, b"x" * 65536, repeat=16384) as raw, client() as sender:
        assert (await refusal(sender, raw.url)).code is oidc_codes.ANSWER
        assert raw.sent < 16 * LARGEST_BODY


async def test_an_endless_chunked_answer_is_given_up() -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    async with raw_server(head, b"1000\r\n" + b"x" * 4096 + b"\r\n", repeat=1_000_000) as raw, client() as sender:
        assert (await refusal(sender, raw.url)).code is oidc_codes.ANSWER
        assert raw.sent < 16 * LARGEST_BODY


async def test_an_endless_answer_without_a_length_is_given_up() -> None:
    async with raw_server(HEAD + b"\r\n", b"x" * 65536, repeat=1_000_000) as raw, client() as sender:
        assert (await refusal(sender, raw.url)).code is oidc_codes.ANSWER


async def test_the_largest_answer_is_read() -> None:
    body = b"x" * LARGEST_BODY
    async with raw_server(HEAD + b"Content-Length: %d\r\n\r\n" % len(body), body) as raw, client() as sender:
        assert len((await sender.send(get(raw.url))).body) == LARGEST_BODY


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd", b"GZIP", b"x"])
async def test_a_compressed_answer_is_refused_unread(encoding: bytes) -> None:
    head = HEAD + b"Content-Encoding: " + encoding + b"\r\nContent-Length: 4\r\n\r\n"
    async with raw_server(head, b"\x1f\x8b\x08\x00") as raw, client() as sender:
        assert (await refusal(sender, raw.url)).code is oidc_codes.ANSWER


# --- answers that do not come -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pieces",
    [
        [b""],
        [b"\x00\x01\x02"],
        [b"SSH-2.0-OpenSSH_9.2\r\n"],
        [HEAD],
        [HEAD + b"Content-Length: 10\r\n\r\n{}"],
        [HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
        [HEAD + b"Content-Length: -1\r\n\r\n{}"],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
        [HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n{}"],
        [b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n" * 100_000],
    ],
)
async def test_an_answer_that_is_no_http_is_an_unreachable_provider(pieces: list[bytes]) -> None:
    async with raw_server(*pieces) as raw, client() as sender:
        error = await refusal(sender, raw.url)
        assert error.code is login_codes.PROVIDER_UNREACHABLE
        assert error.detail.isprintable()
        assert len(error.detail) < 600


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        ([b"", b"H"], 0.2),
        ([HEAD, b"X-Drip: 1\r\n"], 0.05),
        ([HEAD + b"Content-Length: 100000\r\n\r\n", b"x"], 0.05),
        ([HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"], 0.05),
    ],
)
async def test_a_slow_provider_is_given_up_in_time(pieces: list[bytes], pause: float) -> None:
    async with raw_server(*pieces, repeat=200, pause=pause) as raw, client(seconds=0.4) as sender:
        error = await refusal(sender, raw.url)
        assert error.code is login_codes.PROVIDER_UNREACHABLE
        # Not when it was through with its pieces, which takes ten seconds.
        assert "did not answer in 0.4 s" in error.detail


async def test_nobody_listens() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        async with client() as sender:
            error = await refusal(sender, f"http://127.0.0.1:{port}/")
    assert error.code is login_codes.PROVIDER_UNREACHABLE
    assert error.detail.startswith(f'test answer: "http://127.0.0.1:{port}/": ClientConnectorError')


@pytest.mark.parametrize("host", ["op.invalid", "x" * 64 + ".example", "a..example", "[::1:::]", "256.1.1.1"])
async def test_a_host_that_is_none(host: str) -> None:
    async with client() as sender:
        assert (await refusal(sender, f"https://{host}/")).code is login_codes.PROVIDER_UNREACHABLE


# --- addresses (SS01) -------------------------------------------------------------------------------------------------


class Scripted(AbstractResolver):
    """Each look-up gives the next answer, as a name whose owner changes his mind."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "localhost",
        "op.localhost",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
    ],
)
async def test_a_private_address_in_no_dress_is_connected_to(host: str) -> None:
    async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as raw, client(private=False) as sender:
        error = await refusal(sender, f"http://{host}:{raw.port}/")
        assert error.code in (oidc_codes.ADDRESS, login_codes.PROVIDER_UNREACHABLE)
        assert raw.connections == 0


async def test_the_operator_is_told_which_address_and_which_key() -> None:
    async with client(private=False) as sender:
        error = await refusal(sender, "https://op.localhost/")
    assert error.code is oidc_codes.ADDRESS
    assert error.detail == (
        'test answer: "https://op.localhost/" leads to 127.0.0.1, which is private; '
        "the provider file may say private_addresses: true"
    )


async def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as raw:
        for answer in (["127.0.0.1"], ["::ffff:127.0.0.1"], ["10.0.0.1", "127.0.0.1"]):
            async with client(private=False, resolver=Scripted(answer)) as sender:
                assert (await refusal(sender, f"http://op.example:{raw.port}/")).code is oidc_codes.ADDRESS
        assert raw.connections == 0


async def test_a_name_that_changes_its_mind_is_refused_at_the_socket() -> None:
    """DNS rebinding: there is no second look-up between check and connection, for the check is the connection's."""
    async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as raw:
        async with client(private=False, resolver=Scripted(["192.0.2.1"], ["127.0.0.1"]), seconds=0.5) as sender:
            for _ in range(2):
                await refusal(sender, f"http://op.example:{raw.port}/")
        assert raw.connections == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "224.0.0.1", "0.0.0.0", "[::ffff:169.254.169.254]"])
async def test_some_addresses_are_refused_even_on_a_private_network(host: str) -> None:
    async with client(private=True, seconds=0.5) as sender:
        error = await refusal(sender, f"http://{host}/latest/meta-data")
        assert error.code is oidc_codes.ADDRESS
        assert "private_addresses" not in error.detail


async def test_a_private_network_may_be_allowed() -> None:
    async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as raw, client(private=True) as sender:
        assert (await sender.send(get(f"http://op.localhost:{raw.port}/"))).status == 200


# --- TLS (SS03) -------------------------------------------------------------------------------------------------------


def pem(ca: trustme.CA) -> bytes:
    return ca.cert_pem.bytes()


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


async def ok(_: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({})


async def test_a_provider_with_its_own_authority() -> None:
    ca = trustme.CA()
    async with web_server(ok, server_context(ca.issue_cert("op.localhost"))) as port, client(ca=pem(ca)) as sender:
        assert (await sender.send(get(f"https://op.localhost:{port}/"))).status == 200


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    async with web_server(ok, server_context(trustme.CA().issue_cert("op.localhost"))) as port:
        for ca in (None, pem(trustme.CA())):
            async with client(ca=ca) as sender:
                error = await refusal(sender, f"https://op.localhost:{port}/")
                assert error.code is login_codes.PROVIDER_UNREACHABLE
                assert "certificate verify failed" in error.detail
                assert "; `ca` of the provider's file may name its authority" in error.detail


async def test_a_certificate_of_another_host_is_refused() -> None:
    ca = trustme.CA()
    async with web_server(ok, server_context(ca.issue_cert("other.localhost"))) as port, client(ca=pem(ca)) as sender:
        error = await refusal(sender, f"https://op.localhost:{port}/")
        assert error.code is login_codes.PROVIDER_UNREACHABLE
        assert "Hostname mismatch" in error.detail
        assert error.detail.endswith("; the address in the provider's file has another name than its certificate")


async def test_an_expired_certificate_is_refused() -> None:
    ca = trustme.CA()
    yesterday = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)
    certificate = ca.issue_cert("op.localhost", not_before=yesterday - datetime.timedelta(days=1), not_after=yesterday)
    async with web_server(ok, server_context(certificate)) as port, client(ca=pem(ca)) as sender:
        error = await refusal(sender, f"https://op.localhost:{port}/")
        assert error.code is login_codes.PROVIDER_UNREACHABLE
        assert "certificate has expired" in error.detail
        assert error.detail.endswith("; the provider has to renew it, unless this machine's clock is fast")


async def test_a_certificate_that_begins_tomorrow_is_refused_with_a_doubt_about_the_clock() -> None:
    ca = trustme.CA()
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    certificate = ca.issue_cert("op.localhost", not_before=tomorrow, not_after=tomorrow + datetime.timedelta(days=1))
    async with web_server(ok, server_context(certificate)) as port, client(ca=pem(ca)) as sender:
        error = await refusal(sender, f"https://op.localhost:{port}/")
        assert error.code is login_codes.PROVIDER_UNREACHABLE
        assert error.detail.endswith("; is this machine's clock slow?")


async def test_a_server_without_tls_is_no_https_provider() -> None:
    async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as raw, client(seconds=0.3) as sender:
        error = await refusal(sender, f"https://127.0.0.1:{raw.port}/")
        assert error.code is login_codes.PROVIDER_UNREACHABLE


async def test_https_written_for_an_http_port_is_told_as_that() -> None:
    async with web_server(ok) as port, client() as sender:
        error = await refusal(sender, f"https://127.0.0.1:{port}/")
        assert error.code is login_codes.PROVIDER_UNREACHABLE
        assert error.detail.endswith("; there is no TLS at that port")


@pytest.mark.parametrize("ca", [b"", b"not a certificate", b"\xff"])
async def test_an_authority_that_cannot_be_read_lets_nothing_through(ca: bytes) -> None:
    async with web_server(ok, server_context(trustme.CA().issue_cert("op.localhost"))) as port, client(ca=ca) as sender:
        assert (await refusal(sender, f"https://op.localhost:{port}/")).code is login_codes.PROVIDER_UNREACHABLE


# --- the loop of the workers ------------------------------------------------------------------------------------------


def test_the_same_on_uvloop() -> None:
    async def walk() -> None:
        async with raw_server(HEAD + b"Content-Length: 2\r\n\r\n{}") as raw:
            async with client(private=False) as sender:
                assert (await refusal(sender, f"http://op.localhost:{raw.port}/")).code is oidc_codes.ADDRESS
                assert raw.connections == 0
            async with client() as sender:
                assert (await sender.send(get(f"http://op.localhost:{raw.port}/"))).status == 200
                assert (await refusal(sender, "http://op.localhost:1/")).code is login_codes.PROVIDER_UNREACHABLE
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(walk())
