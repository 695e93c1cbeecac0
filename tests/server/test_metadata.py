"""A supervisor keeps the SAML metadata of its folder fresh, and has them fetched when a worker asks."""

import asyncio
from pathlib import Path

import pytest

from gateway.federation import metadata_keeper
from gateway.federation.metadata_index import read_copy, read_entity
from tests.federation.metadata_server import MetadataServer, running_metadata_server
from tests.patience import PATIENCE, until
from tests.saml.metadata_samples import entity, key, role, signed
from tests.saml.parties import IDP, certificate_text, pair, spki
from tests.server.crew import Crew, crewed
from tests.walks.place import Place

pytestmark = pytest.mark.slow


def write_provider(place: Place, server: MetadataServer) -> None:
    (place.folder / "certs/federation.pem").write_bytes(pair("federation").certificate)
    (place.folder / "certs/saml.key").write_bytes(pair().key)
    (place.folder / "certs/saml.pem").write_bytes(pair().certificate)
    place.settings["saml"] = "{keys: [{id: a, key: {file: ../certs/saml.key}, certificate: {file: ../certs/saml.pem}}]}"
    place.write_gateway()
    place.write(
        "providers/metropole.yaml",
        "version: 1\nprovider: metropole\nlabel: Métropole\n"
        f"saml:\n  entity_id: {IDP}\n"
        f"  metadata: {{url: '{server.url('/idp')}', keys: [{{file: ../certs/federation.pem}}]}}\n"
        "attributes: {uid: uid}\nasserts: {}\n",
    )


def signing_keys(crew: Crew, server: MetadataServer) -> tuple[bytes, ...]:
    found = read_entity(crew.place.folder / "var/metadata", server.source().id, IDP)
    return () if found is None else found.signing_keys


async def test_from_the_reload_that_names_a_provider_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_metadata_server() as server, crewed(tmp_path) as crew:
        server.documents = {"/idp": signed(entity())}
        folder, id = tmp_path / "var/metadata", server.source().id
        assert not folder.exists()
        write_provider(crew.place, server)
        await crew.reload("config.loaded", "second.localhost")
        await until(lambda: read_copy(folder, id) is not None)
        assert signing_keys(crew, server) == (spki(pair("idp")),)
        # The copy is in its place a moment before the helper says so.
        async with asyncio.timeout(PATIENCE):
            told = crew.supervisor.observation
            while b'refreshes_total{provider="metropole",result="ok"} 1.0' not in await told.exposition():
                await asyncio.sleep(0.05)
        server.documents = {"/idp": signed(entity(role(keys=key(certificate_text(pair("idp-next"))))))}
        monkeypatch.setattr(metadata_keeper, "ASKED_AGAIN_AFTER", 0.0)
        crew.says(f"* wants {id}")
        await crew.supervisor.observation.exposition()
        await until(lambda: signing_keys(crew, server) == (spki(pair("idp-next")),))
        assert not crew.lines("gateway.fault")


async def test_a_provider_whose_metadata_cannot_be_had_is_told_and_the_others_are_served(tmp_path: Path) -> None:
    async with running_metadata_server() as server, crewed(tmp_path) as crew:
        write_provider(crew.place, server)
        await crew.reload("config.loaded", "second.localhost")
        await until(lambda: crew.lines("provider.unreachable"))
        (line,) = crew.lines("provider.unreachable")
        assert (line["provider"], line["code"]) == ("metropole", "saml.metadata.unreachable")
        assert crew.supervisor.observation.readiness()["ready"]
