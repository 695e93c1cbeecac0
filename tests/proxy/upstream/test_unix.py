"""Applications on Unix sockets (`upstream.socket`). Which may be connected to: tests/ops/test_unix_sockets.py."""

from pathlib import Path

import pytest

from gateway.config.exchange_limits import Timeouts
from gateway.config.upstream_settings import Upstream
from gateway.federation.applications import ApplicationCall, Applications
from gateway.model.errors import GatewayError
from gateway.model.unix_socket import UnixSocket
from tests.config.samples import GATEWAY, sample_snapshot
from tests.interop.servers import found, running
from tests.proxy.applications import OK, application, closing
from tests.proxy.certificates import authority_pem, server_side
from tests.proxy.gateways import APP, ask, blot, gateway, reached
from tests.proxy.test_fence import TEAM_FILE, swap

PUBLIC = ask(b"GET /public/a")


def listed(folder: Path) -> str:
    return f"sockets: [{folder}]\n"


def at(path: Path, more: str = "") -> str:
    return f"socket: {path}{more}"


async def test_requests_go_there_as_to_any_other(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    async with application(path=path) as app, gateway(80, upstream=at(path), gateway=listed(tmp_path)) as gate:
        client = await gate.client()
        for _ in range(2):
            assert (await client.ask(PUBLIC)).body == b"ok"
        assert blot(app.requests[0]) == reached(b"GET /public/a")
        assert len(app.peers) == 1


async def test_by_tls(tmp_path: Path) -> None:
    path, secrets = tmp_path / "app.sock", {"file:../certs/ca.pem": authority_pem()}
    tls = at(path, ", ca: {file: ../certs/ca.pem}")
    async with (
        application(path=path, tls=server_side("permis.localhost")),
        gateway(80, scheme="https", upstream=tls, gateway=listed(tmp_path), secrets=secrets) as gate,
    ):
        assert (await gate.once(PUBLIC)).body == b"ok"


async def test_a_link_or_nothing_there_is_told(tmp_path: Path) -> None:
    path, link = tmp_path / "app.sock", tmp_path / "link.sock"
    link.symlink_to(path)
    async with application(path=path) as app, gateway(80, upstream=at(link), gateway=listed(tmp_path)) as gate:
        answer = await gate.once(PUBLIC)
        assert (answer.status, answer.body.split()[0]) == (502, b"upstream.address")
        assert "a link is on the way" in str(gate.log.named("upstream.failed"))
        link.unlink()
        assert (await gate.once(PUBLIC)).body.split()[0] == b"upstream.connect"
        assert f"unix:{link}" in str(gate.log.named("upstream.failed")[-1])
        assert app.received == b""


async def test_health_checks_go_there(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    health = ", health: {path: /up, every: 1s, within: 1s, failures: 1}"
    async with (
        application(then=b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", path=path) as app,
        gateway(80, upstream=at(path, health), gateway=listed(tmp_path)) as gate,
    ):
        assert (await gate.once(PUBLIC)).status == 500
        await gate.clock.passes(1.5)
        await gate.until(lambda: bool(gate.log.named("upstream.unhealthy")))
        assert f"unix:{path}" in str(gate.log.named("upstream.unhealthy"))
        assert any(request.startswith(b"GET /up ") for request in app.requests)


@pytest.mark.parametrize("link", [False, True])
async def test_so_do_sign_out_calls_and_form_login(tmp_path: Path, link: bool) -> None:
    path, calls = tmp_path / "app.sock", Applications(lambda address, port: False)
    (tmp_path / "link.sock").symlink_to(path)
    place = UnixSocket(str(tmp_path), ("link.sock" if link else "app.sock",))
    upstream = Upstream(scheme="http", host="localhost", port=80, timeouts=Timeouts(), socket=place)
    async with application(closing(OK), path=path) as app:
        if link:
            with pytest.raises(GatewayError, match="a link is on the way"):
                await calls.call(upstream, ApplicationCall("get", "/bye", b"\r\nHost: a"))
            with pytest.raises(GatewayError, match="a link is on the way"):
                await calls.connected(upstream)
        else:
            assert await calls.call(upstream, ApplicationCall("get", "/bye", b"\r\nHost: a")) == 200
            _, writer = await calls.connected(upstream)
            writer.close()
            await app.peer()
    await calls.close()


def of_team(sockets: str, path: Path) -> dict[str, str | None]:
    bounds = "hosts: [permis.localhost], providers: [metropole], headers: [X-Remote-User], cookies: [CTSESSION]"
    return {
        "gateway.yaml": f"{GATEWAY}teams: {{urba: {{{bounds}, upstreams: [10.0.0.1], sockets: [{sockets}]}}}}\n",
        "apps/permis.yaml": None,
        TEAM_FILE: APP.format(url="http://localhost", upstream=f", socket: {path}", more=""),
    }


async def test_a_connection_beyond_a_fence_that_was_drawn_since_ends(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    async with (
        application(OK, None, path=path) as app,
        gateway(80, upstream=at(path), gateway=listed(tmp_path)) as gate,
    ):
        client = await gate.client()
        assert (await client.ask(PUBLIC)).body == b"ok"
        swap(gate, sample_snapshot(of_team(str(tmp_path), path)))
        client.send(PUBLIC)
        await app.request()
        await app.request()
        (connection,) = [one.active.upstream for one in gate.plane.connections if one.active.upstream]
        fences = [sample_snapshot(of_team(each, Path(each) / "a.sock")).apps["permis"].upstream.fence
                  for each in (str(tmp_path), "/run/elsewhere")]  # fmt: skip
        assert [connection.is_beyond(fence) for fence in fences] == [False, True]


@pytest.mark.service
async def test_nginx_on_a_socket(tmp_path: Path) -> None:
    """As php-fpm's or gunicorn's: a server that somebody else has started."""
    path, settings = tmp_path / "nginx.sock", tmp_path / "nginx.conf"
    settings.write_text(
        f"daemon off; pid {tmp_path}/pid; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; "
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"server {{ listen unix:{path}; location / {{ return 200 nginx:$host; }} }} }}\n"
    )
    command = [found("nginx"), "-p", str(tmp_path), "-c", str(settings), "-e", str(tmp_path / "errors")]
    with running(command, tmp_path / "log", path):
        async with gateway(80, upstream=at(path), gateway=listed(tmp_path)) as gate:
            assert (await gate.once(PUBLIC)).body == b"nginx:permis.localhost"
            client = await gate.client()
            assert (await client.ask(ask(b"GET /public/b"))).status == 200
