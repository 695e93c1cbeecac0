"""What is asked of the TLS of an application, by handshakes in memory. Over sockets: proxy/upstream/test_tls.py."""

import asyncio
import ssl
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest
import trustme

from gateway.config.exchange_limits import Timeouts
from gateway.config.upstream_settings import Upstream
from gateway.model.provider import ClientCertificate
from gateway.model.upstream_tls import UpstreamTls
from gateway.ops import upstream_tls
from gateway.ops.upstream_tls import UpstreamContexts, server_name, upstream_context
from tests.patience import until
from tests.proxy.certificates import authority, authority_pem


@cache
def issued(name: str) -> trustme.LeafCert:
    return authority().issue_cert(name)


def der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode())


class Server:
    """`names`: it has a certificate for each, and shows that of the name that the handshake says; else the first."""

    def __init__(self, *names: str) -> None:
        self.said: list[str | None] = []
        self.contexts = {name: ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) for name in names}
        for name, context in self.contexts.items():
            issued(name).configure_cert(context)
        self.first = self.contexts[names[0]]
        self.first.sni_callback = self._choose

    def _choose(self, handshake: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        self.said.append(name)
        handshake.context = self.contexts.get(name or "", self.first)

    def speaks(self, version: ssl.TLSVersion) -> "Server":
        self.first.minimum_version, self.first.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, version
        self.first.set_ciphers("DEFAULT:@SECLEVEL=0")
        return self

    def asks(self) -> "Server":
        self.first.verify_mode = ssl.CERT_REQUIRED
        authority().configure_trust(self.first)
        return self


def application(tls: UpstreamTls, host: str = "app.example", ca: bytes | None = None) -> Upstream:
    return Upstream(scheme="https", host=host, port=443, timeouts=Timeouts(), ca=ca, tls=tls)


def reaches(server: Server, tls: UpstreamTls, *, host: str = "app.example", ca: bytes | None = None) -> str:
    """Empty where the handshake succeeds at both ends; else why not."""
    upstream = application(tls, host, ca)
    return shakes_hands(server, upstream, upstream_context(upstream))


def shakes_hands(server: Server, upstream: Upstream, context: ssl.SSLContext) -> str:
    to_us, to_it = ssl.MemoryBIO(), ssl.MemoryBIO()
    us = context.wrap_bio(to_us, to_it, server_hostname=server_name(upstream) or None)
    it = server.first.wrap_bio(to_it, to_us, server_side=True)
    left = [us, it]
    for _ in range(6):
        for end in tuple(left):
            try:
                end.do_handshake()
                left.remove(end)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return str(error)
    return "" if not left else "no end"


CA = authority_pem()


@pytest.mark.parametrize(
    ("shows", "tls", "said"),
    [
        ("app.example", UpstreamTls(), "app.example"),
        ("rh.example", UpstreamTls(name="rh.example"), "rh.example"),
        ("rh.example", UpstreamTls(name="rh.example", sni="front.example"), "front.example"),
        ("rh.example", UpstreamTls(name="rh.example", sni=""), None),
        ("app.example", UpstreamTls(sni=""), None),
        ("app.example", UpstreamTls(sni="front.example"), "front.example"),
    ],
)
def test_the_name_that_is_expected_and_the_one_that_is_said(shows: str, tls: UpstreamTls, said: str | None) -> None:
    server = Server(shows)
    assert reaches(server, tls, ca=CA) == ""
    assert server.said == [said]


@pytest.mark.parametrize(
    "tls",
    [
        UpstreamTls(),
        UpstreamTls(name="rh.example"),
        UpstreamTls(name="rh.example", sni="autre.example"),
        UpstreamTls(name="rh.example", sni=""),
        UpstreamTls(sni=""),
        UpstreamTls(sni="autre.example"),
        UpstreamTls(name="rh.example", legacy="tls1.0"),
    ],
)
def test_a_certificate_of_another_name_is_refused(tls: UpstreamTls) -> None:
    """Also where it is the one of the name that the handshake says."""
    assert "certificate verify failed" in reaches(Server("autre.example"), tls, ca=CA)


@pytest.mark.parametrize("tls", [UpstreamTls(), UpstreamTls(sni=""), UpstreamTls(legacy="tls1.0")])
def test_so_is_one_of_a_strangers_authority(tls: UpstreamTls) -> None:
    assert "certificate verify failed" in reaches(Server("app.example"), tls)


def test_an_address_is_asked_for_in_the_certificate() -> None:
    assert reaches(Server("10.1.2.3"), UpstreamTls(), host="10.1.2.3", ca=CA) == ""
    assert reaches(Server("10.1.2.3"), UpstreamTls(sni="front.example"), host="10.1.2.3", ca=CA) == ""
    for tls in (UpstreamTls(), UpstreamTls(sni="front.example")):
        assert "certificate verify failed" in reaches(Server("10.1.2.3"), tls, host="10.1.2.4", ca=CA)


def test_a_pinned_certificate_needs_neither_name_nor_authority() -> None:
    alone = trustme.CA().issue_cert("quelconque.example")
    server = Server("app.example")
    alone.configure_cert(server.first)
    pins = (der(issued("old.example").cert_chain_pems[0].bytes()), der(alone.cert_chain_pems[0].bytes()))
    assert reaches(server, UpstreamTls(pins=pins)) == ""
    assert reaches(server, UpstreamTls(pins=pins, sni="")) == ""


def test_no_other_certificate_passes_for_a_pinned_one() -> None:
    """Neither one of the same name and authority nor one that a pinned authority has signed."""
    other = authority().issue_cert("app.example").cert_chain_pems[0].bytes()
    assert "certificate verify failed" in reaches(Server("app.example"), UpstreamTls(pins=(der(other),)))
    signed = reaches(Server("app.example"), UpstreamTls(pins=(der(CA),)))
    assert "it is not a pinned certificate" in signed


def test_a_pinned_certificate_that_has_ended_is_refused() -> None:
    ended = trustme.CA().issue_cert("quelconque.example", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    server = Server("app.example")
    ended.configure_cert(server.first)
    pin = der(ended.cert_chain_pems[0].bytes())
    assert "certificate has expired" in reaches(server, UpstreamTls(pins=(pin,)))


def test_the_oldest_version_is_said() -> None:
    server = Server("app.example").speaks(ssl.TLSVersion.TLSv1_2)
    assert reaches(server, UpstreamTls(), ca=CA) == ""
    assert reaches(server, UpstreamTls(minimum="tls1.3"), ca=CA) != ""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_a_server_of_tls_1_0_is_reached_by_its_profile_alone() -> None:
    server = Server("app.example").speaks(ssl.TLSVersion.TLSv1)
    assert reaches(server, UpstreamTls(), ca=CA) != ""
    assert reaches(server, UpstreamTls(legacy="tls1.0"), ca=CA) == ""


def test_a_client_certificate_is_shown_where_one_is_asked_for() -> None:
    mine = issued("ecluse.example")
    shown = ClientCertificate(mine.cert_chain_pems[0].bytes(), mine.private_key_pem.bytes())
    assert reaches(Server("app.example").asks(), UpstreamTls(client_certificate=shown), ca=CA) == ""
    assert reaches(Server("app.example").asks(), UpstreamTls(), ca=CA) != ""


# --- applications that trust alike have one context


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts for which a context was made."""
    hosts: list[str] = []

    def counted(upstream: Upstream, make: Callable[[Upstream], ssl.SSLContext] = upstream_context) -> ssl.SSLContext:
        hosts.append(upstream.host)
        if upstream.ca == b"none":
            raise ssl.SSLError("no certificate")
        return make(upstream)

    monkeypatch.setattr(upstream_tls, "upstream_context", counted)
    return hosts


async def test_applications_of_one_trust_share_a_context(made: list[str]) -> None:
    """With the system's authorities each had 0.8 MB of its own, and 7 ms at the first request."""
    contexts = UpstreamContexts()
    asked = [application(UpstreamTls(), f"h{number}.example") for number in range(40)]
    at_once = await asyncio.gather(*map(contexts.of, asked))
    assert {*at_once, await contexts.of(application(UpstreamTls(), "last.example"))} == {at_once[0]}
    assert made == ["h0.example"]


async def test_what_is_trusted_or_shown_otherwise_has_a_context_of_its_own() -> None:
    mine = issued("ecluse.example")
    shown = ClientCertificate(mine.cert_chain_pems[0].bytes(), mine.private_key_pem.bytes())
    pin = der(issued("old.example").cert_chain_pems[0].bytes())
    asked = [
        application(UpstreamTls()),
        application(UpstreamTls(), ca=CA),
        application(UpstreamTls(minimum="tls1.3"), ca=CA),
        application(UpstreamTls(client_certificate=shown), ca=CA),
        application(UpstreamTls(pins=(pin,)), ca=CA),
        application(UpstreamTls(legacy="tls1.0"), ca=CA),
        application(UpstreamTls(name="rh.example"), ca=CA),
        application(UpstreamTls(sni="front.example"), ca=CA),
        # What is compared with the certificate is in the context here.
        application(UpstreamTls(sni="front.example"), "other.example", CA),
    ]
    contexts = UpstreamContexts()
    found = [await contexts.of(upstream) for upstream in asked]
    assert len(set(found)) == len(asked)


@pytest.mark.parametrize("tls", [UpstreamTls(), UpstreamTls(sni=""), UpstreamTls(sni="front.example")])
async def test_each_application_of_a_shared_context_is_told_by_its_own_name(tls: UpstreamTls) -> None:
    contexts = UpstreamContexts()
    one, other = application(tls, "app.example", CA), application(tls, "autre.example", CA)
    for upstream in (one, other, one):
        context = await contexts.of(upstream)
        assert shakes_hands(Server(upstream.host), upstream, context) == ""
        strangers = "autre.example" if upstream is one else "app.example"
        assert "certificate verify failed" in shakes_hands(Server(strangers), upstream, context)


async def test_a_context_is_kept_while_somebody_has_it(made: list[str]) -> None:
    contexts, upstream = UpstreamContexts(), application(UpstreamTls(), ca=CA)
    held = await contexts.of(upstream)
    assert await contexts.of(upstream) is held
    kept = weakref.ref(held)
    del held
    # The thread that made the context lets go of it a moment later.
    await until(lambda: kept() is None)
    await contexts.of(upstream)
    assert len(made) == 2


async def test_after_a_reload_the_systems_authorities_are_read_anew(made: list[str]) -> None:
    """An operator has added one, and an application that it vouches for."""
    contexts, upstream = UpstreamContexts(), application(UpstreamTls())
    before = await contexts.of(upstream)
    contexts.renew()
    assert await contexts.of(upstream) is not before
    assert len(made) == 2


async def test_a_reload_while_one_is_made_leaves_it_to_those_who_asked_before(made: list[str]) -> None:
    contexts, upstream = UpstreamContexts(), application(UpstreamTls())
    before = asyncio.create_task(contexts.of(upstream))
    await asyncio.sleep(0)
    contexts.renew()
    after = await contexts.of(upstream)
    assert after is not await before
    assert await contexts.of(upstream) is after
    assert len(made) == 2


async def test_a_context_that_cannot_be_made_is_tried_again(made: list[str]) -> None:
    contexts, upstream = UpstreamContexts(), application(UpstreamTls(), ca=b"none")
    for _ in range(2):
        told = await asyncio.gather(contexts.of(upstream), contexts.of(upstream), return_exceptions=True)
        assert [type(error) for error in told] == [ssl.SSLError] * 2
    assert len(made) == 2


async def test_who_leaves_takes_a_context_from_nobody(made: list[str]) -> None:
    contexts, upstream = UpstreamContexts(), application(UpstreamTls())
    leaves, stays = asyncio.create_task(contexts.of(upstream)), asyncio.create_task(contexts.of(upstream))
    await asyncio.sleep(0)
    leaves.cancel()
    assert (await stays).verify_mode is ssl.CERT_REQUIRED
    assert len(made) == 1
