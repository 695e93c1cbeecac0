import sqlite3
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from gateway.federation.metadata_index import Copy, index_path, write_index
from gateway.federation.metadata_indexing import LONGEST_VALIDITY, index_document, index_gone
from gateway.federation.metadata_source import MetadataSource
from gateway.federation.saml import SamlFederation
from gateway.model.codes import login_codes, saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import ClientCertificate, MetadataFile, SamlProvider
from tests.federation.metadata_server import MetadataServer
from tests.federation.servers import web_server
from tests.saml.metadata_samples import AD_FS, entity, key, role, signed
from tests.saml.parties import NOW, PROVIDER, certificate_text, pair, spki

AT_FEDERATION = MetadataServer(1).provider()


class Refresher:
    """MetadataRefresher: has `document`, if any, in the folder by the time that it returns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.document = b""
        self.asked: list[str] = []

    @property
    def source(self) -> MetadataSource:
        return MetadataServer(1).source()

    async def refresh_metadata(self, source_id: str) -> None:
        self.asked.append(source_id)
        if self.document:
            index_document(self.source, [self.document], self.folder, NOW)


def federation(refresher: Refresher, now: float = NOW) -> SamlFederation:
    return SamlFederation(refresher.folder, refresher, lambda: now)


@pytest.fixture
def refresher(tmp_path: Path) -> Refresher:
    return Refresher(tmp_path)


async def refusal(services: SamlFederation, provider: SamlProvider) -> Code:
    with pytest.raises(GatewayError) as refused:
        await services.idp_metadata(provider)
    return refused.value.code


# --- the operator's file ----------------------------------------------------------------------------------------------


async def test_a_file_is_read_once_and_again_after_a_reload_that_changed_it(refresher: Refresher) -> None:
    services = federation(refresher)
    first = await services.idp_metadata(replace(PROVIDER, metadata=MetadataFile(AD_FS.encode())))
    assert len(first.signing_keys) == 2
    assert await services.idp_metadata(replace(PROVIDER, metadata=MetadataFile(AD_FS.encode()))) is first
    second = await services.idp_metadata(replace(PROVIDER, metadata=MetadataFile(entity().encode())))
    assert len(second.signing_keys) == 1
    assert await services.newer_idp_metadata(replace(PROVIDER, metadata=MetadataFile(entity().encode()))) is second
    assert refresher.asked == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", saml_codes.METADATA),
        (entity(id="https://other.example").encode(), saml_codes.METADATA_ENTITY),
        (entity(attributes='validUntil="2027-01-15T08:00:00Z"').encode(), saml_codes.METADATA_EXPIRED),
    ],
)
async def test_a_file_that_says_nothing_of_the_provider(refresher: Refresher, content: bytes, code: Code) -> None:
    assert await refusal(federation(refresher), replace(PROVIDER, metadata=MetadataFile(content))) == code


# --- what is fetched --------------------------------------------------------------------------------------------------


async def test_the_copy_on_disk_serves_without_asking(refresher: Refresher) -> None:
    index_document(refresher.source, [signed(entity())], refresher.folder, NOW)
    services = federation(refresher)
    found = await services.idp_metadata(AT_FEDERATION)
    assert found.signing_keys == (spki(pair("idp")),)
    assert await services.idp_metadata(AT_FEDERATION) is found
    assert refresher.asked == []


async def test_a_new_copy_is_seen_by_itself(refresher: Refresher) -> None:
    services = federation(refresher)
    index_document(refresher.source, [signed(entity())], refresher.folder, NOW)
    await services.idp_metadata(AT_FEDERATION)
    rolled = signed(entity(role(keys=key(certificate_text(pair("idp-next"))))))
    index_document(refresher.source, [rolled], refresher.folder, NOW)
    assert (await services.idp_metadata(AT_FEDERATION)).signing_keys == (spki(pair("idp-next")),)


async def test_what_is_known_serves_until_its_end_where_the_folder_is_lost(refresher: Refresher) -> None:
    now = NOW
    services = SamlFederation(refresher.folder, refresher, lambda: now)
    index_document(
        refresher.source, [signed(entity(attributes='validUntil="2027-01-15T09:00:00Z"'))], refresher.folder, NOW
    )
    first = await services.idp_metadata(AT_FEDERATION)
    refresher.folder = refresher.folder / "nowhere"
    index_path(services._folder, refresher.source.id).unlink()
    assert await services.idp_metadata(AT_FEDERATION) is first
    # Not what another source said, and nothing past its end.
    other = replace(AT_FEDERATION, metadata=replace(AT_FEDERATION.metadata, keys=()))
    assert await refusal(services, other) == saml_codes.METADATA_UNREACHABLE
    now = NOW + 86400 * 60
    assert await refusal(services, AT_FEDERATION) == saml_codes.METADATA_EXPIRED


async def test_the_first_person_after_a_first_start_waits_for_the_first_copy(refresher: Refresher) -> None:
    refresher.document = signed(entity())
    assert (await federation(refresher).idp_metadata(AT_FEDERATION)).entity_id == PROVIDER.issuer
    assert refresher.asked == [refresher.source.id]


async def test_without_network_and_without_a_copy(refresher: Refresher) -> None:
    with pytest.raises(GatewayError) as refused:
        await federation(refresher).idp_metadata(AT_FEDERATION)
    assert refused.value.code == saml_codes.METADATA_UNREACHABLE
    assert refused.value.detail == (
        f"{refresher.source.url}: no metadata have been fetched from there yet; "
        f"`provider.unreachable` or `provider.unwritten` of {AT_FEDERATION.name} in the log says why"
    )


async def test_a_copy_that_ran_out_disables_the_provider_while_running(refresher: Refresher) -> None:
    index_document(
        refresher.source, [signed(entity(attributes='validUntil="2027-01-15T09:00:00Z"'))], refresher.folder, NOW
    )
    clock = [NOW]
    services = SamlFederation(refresher.folder, refresher, lambda: clock[0])
    await services.idp_metadata(AT_FEDERATION)
    clock[0] = NOW + 3600
    assert await refusal(services, AT_FEDERATION) == saml_codes.METADATA_EXPIRED
    assert refresher.asked == [refresher.source.id]
    refresher.document = signed(entity())
    # The refresher writes by a clock of its own.
    assert (await services.idp_metadata(AT_FEDERATION)).valid_until == NOW + LONGEST_VALIDITY


async def test_people_are_told_for_a_minute_that_nobody_could_be_sent_there(refresher: Refresher) -> None:
    clock = [NOW]
    services = SamlFederation(refresher.folder, refresher, lambda: clock[0])
    assert not services.is_silent(AT_FEDERATION), "nobody has tried"
    assert await refusal(services, AT_FEDERATION) == saml_codes.METADATA_UNREACHABLE
    assert (services.is_silent(AT_FEDERATION), services.is_silent(replace(PROVIDER, name="other"))) == (True, False)
    clock[0] = NOW + 60
    assert not services.is_silent(AT_FEDERATION), "nobody has tried since"
    assert await refusal(services, AT_FEDERATION) == saml_codes.METADATA_UNREACHABLE
    refresher.document = signed(entity())
    assert await services.idp_metadata(AT_FEDERATION)
    assert not services.is_silent(AT_FEDERATION), "it has them again"
    clock[0] = NOW + LONGEST_VALIDITY + 60
    assert await refusal(services, AT_FEDERATION) == saml_codes.METADATA_EXPIRED
    assert services.is_silent(AT_FEDERATION)


async def test_one_that_an_mdq_service_does_not_know_any_more_is_disabled(refresher: Refresher) -> None:
    services, mdq = federation(refresher), MetadataServer(1).provider("", "mdq")
    source = MetadataServer(1).source("", "mdq")
    index_document(source, [signed(entity(attributes='validUntil="2027-01-20T00:00:00Z"'))], refresher.folder, NOW)
    assert await services.idp_metadata(mdq)
    index_gone(source, refresher.folder, NOW, "answered 404")
    assert await refusal(services, mdq) == saml_codes.METADATA_GONE
    assert refresher.asked == [source.id], "it may be there again"


async def test_an_unknown_key_is_looked_for(refresher: Refresher) -> None:
    index_document(refresher.source, [signed(entity())], refresher.folder, NOW)
    services = federation(refresher)
    await services.idp_metadata(AT_FEDERATION)
    refresher.document = signed(entity(role(keys=key() + key(certificate_text(pair("idp-next"))))))
    assert (await services.newer_idp_metadata(AT_FEDERATION)).signing_keys == (
        spki(pair("idp")),
        spki(pair("idp-next")),
    )


async def test_a_copy_under_other_pinned_keys_is_not_believed(refresher: Refresher) -> None:
    index_document(refresher.source, [signed(entity())], refresher.folder, NOW)
    services = federation(refresher)
    await services.idp_metadata(AT_FEDERATION)
    assert await refusal(services, MetadataServer(1).provider(signer="other")) == saml_codes.METADATA_UNREACHABLE


async def test_one_of_ten_thousand_is_found_without_going_through_the_others(
    refresher: Refresher, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_document(refresher.source, [signed(entity())], refresher.folder, NOW)
    services = federation(refresher)
    metadata = await services.idp_metadata(AT_FEDERATION)
    members = (
        (f"https://idp{n}.example", replace(metadata, entity_id=f"https://idp{n}.example")) for n in range(10_000)
    )
    provider = MetadataServer(1).provider("/all", "aggregate")
    write_index(refresher.folder, MetadataServer(1).source("/all", "aggregate").id, Copy(0, 1, None, 10_000), members)
    asked, steps, connect = 0, 0, sqlite3.connect

    def step() -> None:
        nonlocal steps
        steps += 1

    def counted(*where: str, **how: bool) -> sqlite3.Connection:
        nonlocal asked
        asked += 1
        connection = connect(*where, **how)
        connection.set_progress_handler(step, 1)
        return connection

    monkeypatch.setattr(sqlite3, "connect", counted)
    for number in range(0, 10_000, 500):
        one = replace(provider, name=f"p{number}", issuer=f"https://idp{number}.example")
        assert (await services.idp_metadata(one)).entity_id == one.issuer
    assert asked >= 20
    assert 0 < steps / asked < 50, "steps of SQLite's for one question"


# --- SOAP -------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def soap_server(status: int = 200, content_type: str = "text/xml") -> AsyncIterator[tuple[str, list[object]]]:
    seen: list[object] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.extend((request.method, request.headers["Content-Type"], request.headers["SOAPAction"]))
        return web.Response(
            body=b"<answer to " + await request.read() + b"/>", status=status, content_type=content_type
        )

    async with web_server(handle) as port:
        yield f"http://127.0.0.1:{port}/artifact", seen


async def test_an_envelope_is_sent_and_its_answer_read(refresher: Refresher) -> None:
    services = federation(refresher)
    async with soap_server() as (url, seen):
        answer = await services.soap(replace(PROVIDER, development=True), url, b"us")
        await services.close()
    assert answer == b"<answer to us/>"
    assert seen == ["POST", "text/xml; charset=utf-8", '"http://www.oasis-open.org/committees/security"']


async def test_we_show_a_certificate_where_the_provider_asks_for_one(refresher: Refresher) -> None:
    """Bindings 3.2.2.1: SSL with client certificates; an artifact may be given to nobody else."""
    theirs, ours = trustme.CA(), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.issue_cert("idp.localhost").configure_cert(context)
    ours.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    seen: list[object] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        seen.append(request.transport.get_extra_info("peercert")["subjectAltName"])
        return web.Response(body=b"<answer/>", content_type="text/xml")

    def provider(shown: trustme.LeafCert | None) -> SamlProvider:
        pem = shown and ClientCertificate(shown.cert_chain_pems[0].bytes(), shown.private_key_pem.bytes())
        return replace(PROVIDER, ca=theirs.cert_pem.bytes(), private_addresses=True, client_certificate=pem)

    services = federation(refresher)
    async with web_server(handle, context) as port:
        url = f"https://idp.localhost:{port}/artifact"
        assert await services.soap(provider(ours.issue_cert("ecluse.example")), url, b"us") == b"<answer/>"
        assert seen == [(("DNS", "ecluse.example"),)]
        for stranger in (None, trustme.CA().issue_cert("ecluse.example")):
            with pytest.raises(GatewayError) as refused:
                await services.soap(provider(stranger), url, b"us")
            assert refused.value.code == login_codes.PROVIDER_UNREACHABLE
        await services.close()
    assert len(seen) == 1


async def test_an_answer_of_a_library_for_soap_1_2(refresher: Refresher) -> None:
    """RFC 3902. That the envelope is one of SOAP 1.1 is looked at where it is read."""
    services = federation(refresher)
    async with soap_server(content_type="application/soap+xml") as (url, _):
        assert await services.soap(replace(PROVIDER, development=True), url, b"us") == b"<answer to us/>"
        await services.close()


@pytest.mark.parametrize(("status", "content_type"), [(500, "text/xml"), (302, "text/xml"), (200, "text/html")])
async def test_what_is_no_answer_by_soap(refresher: Refresher, status: int, content_type: str) -> None:
    services = federation(refresher)
    async with soap_server(status, content_type) as (url, _):
        with pytest.raises(GatewayError) as refused:
            await services.soap(replace(PROVIDER, development=True), url, b"us")
        await services.close()
    assert refused.value.code == saml_codes.SOAP
