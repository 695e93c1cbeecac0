"""From the metadata of a provider to a picture on disk, by the processes that do so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.federation import logo_keeper, metadata_lanes
from gateway.federation.logo_images import LARGEST_LOGO
from gateway.federation.logo_keeper import LogoKeeper
from gateway.federation.metadata_index import index_path, logos_folder, read_logo
from gateway.federation.metadata_keeper import MetadataKeeper
from gateway.federation.metadata_source import logo_source, sources_of
from gateway.federation.saml import SamlFederation, SelfPresentation
from gateway.model.provider import MetadataFile, SamlProvider
from gateway.saml.parties import IdpMetadata
from tests.federation.metadata_server import MetadataServer, running_metadata_server
from tests.federation.pictures import picture
from tests.federation.test_metadata_keeper import Told
from tests.federation.test_saml import Refresher
from tests.patience import PATIENCE, until
from tests.saml.metadata_samples import entity, group, role, signed
from tests.saml.parties import IDP

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata_lanes, "QUICK_SECONDS", PATIENCE)
    monkeypatch.setattr(logo_keeper, "_GATHERED", 0.0)


def described(address: str) -> str:
    return entity(
        role(
            "<md:Extensions><mdui:UIInfo>"
            f'<mdui:Logo height="80" width="80">{address}</mdui:Logo></mdui:UIInfo></md:Extensions>'
        )
    )


@dataclass
class Kept:
    folder: Path
    told: Told
    logos: LogoKeeper
    metadata: MetadataKeeper

    async def use(self, *providers: SamlProvider) -> None:
        await self.metadata.use(sources_of(providers))
        self.logos.use(providers)

    async def presented(self, provider: SamlProvider) -> SelfPresentation:
        return (await self.federation.presented([provider]))[provider.name]

    @property
    def federation(self) -> SamlFederation:
        return SamlFederation(self.folder, Refresher(self.folder), lambda: 0.0)

    async def of(self, provider: SamlProvider) -> bytes | None:
        return await self.federation.logo((await self.presented(provider)).logo)


@asynccontextmanager
async def keeping(folder: Path) -> AsyncIterator[Kept]:
    told = Told()
    metadata = MetadataKeeper(folder, told)
    logos = LogoKeeper(folder, metadata, told)
    running = [asyncio.create_task(metadata.run()), asyncio.create_task(logos.run())]
    try:
        yield Kept(folder, told, logos, metadata)
    finally:
        for each in running:
            each.cancel()
        await metadata.close()
        await logos.close()
        await asyncio.wait(running)


@pytest.mark.parametrize("kind", ["entity", "aggregate", "file"])
async def test_the_logo_that_metadata_name_is_fetched_and_shown(tmp_path: Path, kind: str) -> None:
    async with running_metadata_server() as server, keeping(tmp_path / "metadata") as kept:
        document = described(server.url("/logo"))
        server.documents = {
            "/idp": signed(document),
            "/all": signed(group([document], attributes='validUntil="2026-12-20T00:00:00Z"')),
            "/logo": picture("JPEG", (400, 200)),
        }
        provider = server.provider("/all", "aggregate") if kind == "aggregate" else server.provider()
        if kind == "file":
            provider = replace(provider, metadata=MetadataFile(document.encode()))
        await kept.use(provider)
        await until(lambda: any(logos_folder(kept.folder).glob("*.sqlite")))
        found = await kept.of(provider)
        assert found is not None
        assert found.startswith(b"\x89PNG")
        assert kept.told.names == []
        await kept.use()
        await until(lambda: not any(logos_folder(kept.folder).glob("*.sqlite")))


@pytest.mark.parametrize("served", ["nothing", "svg", "large"])
async def test_one_that_cannot_be_had_or_read_is_told_of_once(tmp_path: Path, served: str) -> None:
    async with running_metadata_server() as server, keeping(tmp_path / "metadata") as kept:
        server.documents = {"/idp": signed(described(server.url("/logo")))}
        if served != "nothing":
            beyond = picture("PNG", (80, 80)) + bytes(LARGEST_LOGO)
            server.documents["/logo"] = b"<svg/>" if served == "svg" else beyond
        provider = server.provider()
        await kept.use(provider)
        await until(lambda: bool(kept.told.names))
        assert await kept.presented(provider) == SelfPresentation({})
        before = server.asked.count("/logo")
        for source in kept.logos._keeper._kept.values():
            source.due = 0.0
        kept.logos._keeper._woken.set()
        await until(lambda: server.asked.count("/logo") > before)
        await until(lambda: all(source.failures > 1 for source in kept.logos._keeper._kept.values()))
        ((event, fields),) = kept.told.events
        assert (event, fields["provider"]) == ("provider.logo", provider.name)
        assert fields["code"] == {"svg": "saml.logo", "large": "oidc.answer"}.get(served, "saml.metadata.unreachable")


@pytest.mark.parametrize("private", [False, True])
async def test_a_logo_within_the_network_is_not_fetched_for_a_stranger(tmp_path: Path, private: bool) -> None:
    """SS01: metadata of a federation name whatever their member likes. `private`: the provider may be there."""
    async with running_metadata_server() as server, keeping(tmp_path / "metadata") as kept:
        server.documents = {"/logo": picture("PNG", (80, 80))}
        document = described(server.url("/logo").replace("http:", "https:")).encode()
        stranger = MetadataFile(document)
        provider = replace(server.provider(), metadata=stranger, development=False, private_addresses=private)
        await kept.use(provider)
        await until(lambda: bool(kept.told.names))
        ((event, fields),) = kept.told.events
        assert (event, fields["code"], server.asked) == ("provider.logo", "oidc.address", [])
        assert "applies only to a logo on the server of the metadata's `url`" in str(fields["detail"])


async def test_without_the_extra_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logo_keeper, "can_decode", lambda: False)
    async with running_metadata_server() as server, keeping(tmp_path / "metadata") as kept:
        provider = replace(server.provider(), metadata=MetadataFile(described(server.url("/logo")).encode()))
        await kept.use(provider)
        await until(lambda: not kept.metadata.renewed.is_set())
        await kept.use(server.provider())
        server.documents = {"/idp": signed(described(server.url("/logo")))}
        await until(lambda: "/idp" in server.asked)
    assert "/logo" not in server.asked


def test_who_may_reach_its_server_decides_whose_logo_it_is() -> None:
    provider = MetadataServer(1).provider()
    metadata = replace(_metadata(), logo="https://idp.example/logo")
    one = logo_source(provider, metadata)
    other = logo_source(replace(provider, ca=b"another"), metadata)
    assert one is not None
    assert other is not None
    assert one.id != other.id
    assert logo_source(provider, _metadata()) is None


def test_a_file_that_is_not_understood_is_no_logo(tmp_path: Path) -> None:
    index_path(tmp_path, "0" * 32).write_bytes(b"no database")
    assert read_logo(tmp_path, "0" * 32) is None


def _metadata() -> IdpMetadata:
    return IdpMetadata(entity_id=IDP, signing_keys=(), sign_on=())
