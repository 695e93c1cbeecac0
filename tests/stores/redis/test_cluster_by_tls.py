"""A cluster that speaks TLS alone, also among its nodes, with users: three primaries, for nothing here fails over."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from deploy.demo.ports import free
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.store_server import StoreServer
from gateway.stores.redis.cluster_store import RedisClusterStore
from gateway.stores.tickets.tickets import unix_now
from tests.interop.servers import found, running
from tests.patience import PATIENCE
from tests.stores.redis.servers import leaves_no_socket, server_command, settings_of
from tests.stores.redis.trio import wait
from tests.stores.samples import JEANNE, PORTAL, Clock, Heard, Worker

pytestmark = pytest.mark.service

NODES = 3
# What deploy/nodes/users.acl gives the gateway, under the prefix of the tests; and who makes the cluster.
USERS = """user default off ~* &* +@all
user ecluse on >a-password ~test-* &test-* +@all -@admin -@dangerous +info
user maker on >its-password ~* &* +@all
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    folder, authority = tmp_path_factory.mktemp("by-tls"), trustme.CA()
    own, ca, users = (str(folder / name) for name in ("own.pem", "ca.pem", "users.acl"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(own)
    authority.cert_pem.write_to_path(ca)
    Path(users).write_text(USERS)
    asked = (found("valkey-cli"), "--tls", "--cacert", ca, "--user", "maker", "-a", "its-password", "--no-auth-warning")

    def told(port: int, *words: str) -> str:
        return subprocess.run(
            [*asked, "-p", str(port), *words], capture_output=True, text=True, check=False, timeout=PATIENCE
        ).stdout

    ports = free(NODES)
    with ExitStack() as stack:
        for number, port in enumerate(ports):
            (folder / f"node{number}").mkdir()
            (bus,) = free(1)
            tls = ("--port", "0", "--tls-cert-file", own, "--tls-key-file", own, "--tls-ca-cert-file", ca)
            among = ("--tls-auth-clients", "no", "--tls-cluster", "yes", "--cluster-port", str(bus))
            more = ("--tls-port", str(port), "--cluster-enabled", "yes", "--aclfile", users)
            command = server_command("valkey", folder / f"node{number}", port, *more, *tls, *among)
            stack.enter_context(running(command, folder / f"node{number}/valkey.log", port))
        addresses = [f"127.0.0.1:{port}" for port in ports]
        subprocess.run(
            [*asked, "--cluster", "create", *addresses, "--cluster-yes"],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        wait(lambda: all("cluster_state:ok" in told(port, "CLUSTER", "INFO") for port in ports))
        yield settings_of(
            0,
            addresses=(("127.0.0.1", ports[0]),),
            cluster=True,
            connections=4,
            tls=True,
            ca=authority.cert_pem.bytes(),
            username="ecluse",
            password=b"a-password",
        )


@pytest.fixture
async def store(settings: StoreServer) -> AsyncIterator[RedisClusterStore]:
    made = RedisClusterStore(settings, log=Heard())
    await made.open()
    yield made
    await made.close()


async def test_sessions_of_every_node_are_kept_found_and_ended(store: RedisClusterStore) -> None:
    worker, other = (Worker(store, Clock(unix_now())) for _ in range(2))
    cookies = [await worker.sign_in(f"browser {number}") for number in range(12)]
    assert len({cookie[:1] for cookie in cookies}) > NODES
    on_app = await worker.enter(cookies[0])
    assert on_app
    seats = [await other.sessions.load(PORTAL, cookie) for cookie in cookies]
    assert all(seat is not None and seat.identity.subject == JEANNE.subject for seat in seats)
    assert len(await other.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject)) == len(cookies)
    for cookie in cookies:
        await worker.sessions.end_browser(PORTAL, cookie)
    assert [await other.sessions.load(PORTAL, cookie) for cookie in cookies] == [None] * len(cookies)
    assert await other.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject) == ()


@pytest.mark.parametrize("wrong", ["password", "authority", "in the clear"])
async def test_nothing_is_kept_by_another_way(settings: StoreServer, wrong: str) -> None:
    changed = {
        "password": replace(settings, password=b"another"),
        "authority": replace(settings, ca=trustme.CA().cert_pem.bytes()),
        "in the clear": replace(settings, tls=False),
    }[wrong]
    async with leaves_no_socket():
        store = RedisClusterStore(changed, log=(log := Heard()))
        await store.open()
        with pytest.raises(GatewayError) as refused:
            await Worker(store, Clock(unix_now())).sign_in()
        assert refused.value.code is store_codes.UNREACHABLE
        assert "store.unreachable" in log.names()
        await store.close()
