"""Several listeners, TLS among them, and certificates that change while the gateway runs."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import trustme

from deploy.demo.ports import free
from tests.raw_http import Connection
from tests.walks.load import Load, running
from tests.walks.place import ONE, Place
from tests.walks.world import World, ask, opened, request

WORKERS = 2

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Authority:
    """Certificates for the listener, put where gateway.yaml looks for them."""

    def __init__(self, place: Place) -> None:
        self._certs = place.folder / "certs"
        self._authority = trustme.CA()

    def issue(self, kind: trustme.KeyType = trustme.KeyType.ECDSA) -> trustme.LeafCert:
        return self._authority.issue_cert(ONE, "127.0.0.1", key_type=kind)

    def install(self, issued: trustme.LeafCert, *, key: trustme.LeafCert | None = None) -> str:
        """The fingerprint that handshakes should show. `key`: another one's in its place."""
        chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
        (self._certs / "tls.pem").write_bytes(chain)
        (self._certs / "tls.key").write_bytes((key or issued).private_key_pem.bytes())
        return fingerprint(ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode()))

    def client(self, **limits: object) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        for name, value in limits.items():
            setattr(context, name, value)
        return context


def fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("listeners"), workers=WORKERS)
    pair = "tls: {certificate: {file: ../certs/tls.pem}, key: {file: ../certs/tls.key}}"
    ports = free(3)
    listeners = (
        f"{{address: 127.0.0.1:{place.port}}}",
        f"{{address: 127.0.0.1:{ports[0]}, {pair}}}",
        f'{{address: "[::1]:{ports[1]}"}}',
        f"{{address: 127.0.0.1:{ports[2]}, redirect: https}}",
    )
    place.settings["listen"] = f"[{', '.join(listeners)}]"
    place.write_gateway()
    authority = Authority(place)
    authority.install(authority.issue())
    async with opened(place) as world:
        world.tls_port, world.v6_port, world.redirect_port, world.authority = *ports, authority
        yield world
        world.gateway.is_clean()


async def shown(world: World, context: ssl.SSLContext, name: str | None = ONE) -> str:
    """The certificate that a new handshake shows. `name` None: the client sends no server name."""
    if name is None:
        context.check_hostname = False
    _, writer = await asyncio.open_connection("127.0.0.1", world.tls_port, ssl=context, server_hostname=name or "")
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return fingerprint(certificate)


async def shown_everywhere(world: World) -> set[str]:
    """Over all the ways to ask, and often enough to meet every worker."""
    contexts = [
        world.authority.client(),
        world.authority.client(maximum_version=ssl.TLSVersion.TLSv1_2),
    ]
    asked = [shown(world, context, name) for context in contexts for name in (ONE, None) for _ in range(5)]
    return set(await asyncio.gather(*asked))


async def test_each_listener_serves_and_says_by_which_scheme_it_was_asked(world: World) -> None:
    plain = await ask(world.place.url(), "/public/")
    six = await ask(f"http://[::1]:{world.v6_port}", "/public/")
    connection = await Connection.open(f"https://{ONE}:{world.tls_port}", world.authority.client())
    secure = await connection.exchange(request("/public/"))
    again = await connection.exchange(request("/public/"))
    await connection.close()
    protocols = [
        json.loads(bytes(reading.body))["headers"]["x-forwarded-proto"] for reading in (plain, six, secure, again)
    ]
    assert protocols == ["http", "http", "https", "https"]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_only_current_tls_is_spoken(world: World) -> None:
    old = world.authority.client(minimum_version=ssl.TLSVersion.TLSv1_1, maximum_version=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await shown(world, old)
    weak = world.authority.client(maximum_version=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("ECDHE-ECDSA-AES256-SHA384")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await shown(world, weak)


async def test_new_handshakes_show_the_new_certificate_and_nothing_under_way_is_lost(world: World) -> None:
    for kind in (trustme.KeyType.ECDSA, trustme.KeyType.RSA, trustme.KeyType.ECDSA):
        await certificate_changes(world, kind)


async def certificate_changes(world: World, kind: trustme.KeyType) -> None:
    kept = await Connection.open(f"https://{ONE}:{world.tls_port}", world.authority.client())
    await kept.exchange(request("/public/"))
    slow = asyncio.create_task(kept.exchange(request("/public/slow?seconds=1.2")))
    load = Load(world.place.url(), request, ["/public/a"], pause=0.02)
    async with running(load, kept=2, anew=2):
        newest = world.authority.install(world.authority.issue(kind))
        await world.gateway.reload()
        assert await shown_everywhere(world) == {newest}
    assert {asked.status for asked in load.done} == {200}
    assert (await slow).status == 200
    assert (await kept.exchange(request("/public/"))).status == 200
    await kept.close()


async def test_a_pair_that_is_half_written_is_refused_and_the_old_one_is_shown(world: World) -> None:
    old = world.authority.install(world.authority.issue())
    await world.gateway.reload()
    newer = world.authority.issue()
    world.authority.install(newer, key=world.authority.issue())
    detail = str((await world.gateway.reload("config.refused"))["detail"])
    assert "this key does not belong to the certificate" in detail
    assert "policies/gateway.yaml:3:" in detail
    (world.place.folder / "certs/tls.pem").write_bytes(newer.cert_chain_pems[0].bytes()[:200])
    assert "certificate" in str((await world.gateway.reload("config.refused"))["detail"])
    assert await shown_everywhere(world) == {old}
    newest = world.authority.install(newer)
    await world.gateway.reload()
    assert await shown_everywhere(world) == {newest}


async def test_a_key_that_tls_cannot_use_is_refused_before_it_is_live(world: World) -> None:
    """Good PEM that belongs together, and yet no handshake could be done with it: each worker has tried it."""
    old = world.authority.install(world.authority.issue())
    await world.gateway.reload()
    certificate, key = short_pair()
    (world.place.folder / "certs/tls.pem").write_bytes(certificate)
    (world.place.folder / "certs/tls.key").write_bytes(key)
    detail = str((await world.gateway.reload("config.refused"))["detail"])
    assert "worker " in detail
    assert await shown_everywhere(world) == {old}
    world.authority.install(world.authority.issue())
    await world.gateway.reload()


def short_pair() -> tuple[bytes, bytes]:
    """RSA of 1024 bits: the ssl module's security level takes no such certificate."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ONE)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, form, plain),
    )


async def test_a_listener_that_leads_to_https_serves_nothing(world: World) -> None:
    """The applications of this folder are http: there is nowhere to lead to, and nothing is served all the same."""
    assert (await ask(f"http://127.0.0.1:{world.redirect_port}", "/public/")).status == 421
