"""The back channel to SAML providers: reads metadata and exchanges SOAP messages.

Metadata come from the operator's file, or from the copy on disk that the supervisor keeps fresh for all workers.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.federation.addresses import Resolver
from gateway.federation.client import TOLD, ProviderClient
from gateway.federation.metadata_index import index_path, logos_folder, read_entity, read_logo
from gateway.federation.metadata_source import MetadataSource, logo_source, source_of
from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import ClientCertificate, MetadataFile, SamlProvider
from gateway.model.quoting import quoted
from gateway.oidc.documents import Call
from gateway.saml.metadata import find_entity, idp_metadata, require_valid
from gateway.saml.metadata_document import given
from gateway.saml.parties import IdpMetadata
from gateway.saml.soap import ACTION, MEDIA_TYPE, MEDIA_TYPES


class MetadataRefresher(Protocol):
    """Asks the supervisor, the one process that fetches SAML metadata for all workers, for a new fetch."""

    async def refresh_metadata(self, source_id: str) -> None:
        """Returns after the fetch, or after some seconds; the caller then reads the copy on disk."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Metadata in memory.

    `stamp`: identifies the version of the copy on disk; for an operator's file, the file and the provider's settings.
    """

    stamp: object
    metadata: IdpMetadata

    def is_of(self, path: Path, entity_id: str) -> bool:
        """Whether the metadata of `entity_id` were read from this file, in its present or an older version."""
        stamp = self.stamp
        return isinstance(stamp, tuple) and stamp[0] == path.name and self.metadata.entity_id == entity_id


@dataclass(frozen=True, slots=True)
class SelfPresentation:
    """How a provider presents itself in its metadata.

    `names`: display names by language (MDUI 1.0 2.1.2).
    `logo`: id of a logo that is on disk (2.1.5); empty: no logo.
    """

    names: Mapping[str, str]
    logo: str = ""


class SamlFederation:
    """Reads the metadata of SAML providers and makes the SOAP calls. Holds the metadata of requested providers, no
    document.

    `now`: returns Unix seconds.
    """

    def __init__(self, folder: Path, refresher: MetadataRefresher, now: Callable[[], float]) -> None:
        self._folder = folder
        self._refresher = refresher
        self._now = now
        self._known: dict[str, _Known] = {}
        # Providers without valid metadata, and when a person was last turned away for the lack (Unix seconds).
        self._without: dict[str, float] = {}
        # By provider: the stamp of the metadata, and the presentation read from the metadata.
        self._presented: dict[str, tuple[object, SelfPresentation]] = {}
        self._clients: dict[tuple[bytes | None, ClientCertificate | None, bool], ProviderClient] = {}

    async def idp_metadata(self, provider: SamlProvider) -> IdpMetadata:
        """Returns the provider's valid metadata.

        Raises GatewayError: saml_codes.METADATA_UNREACHABLE, saml_codes.METADATA_EXPIRED, saml_codes.METADATA_GONE, or
        the code of the fault in the metadata.
        """
        source = source_of(provider)
        if source is None:
            metadata = await self._of_file(provider)
            require_valid(metadata, self._now())
            return metadata
        try:
            return self._had(provider, source)
        except GatewayError as error:
            if error.code not in (
                saml_codes.METADATA_UNREACHABLE,
                saml_codes.METADATA_EXPIRED,
                saml_codes.METADATA_GONE,
            ):
                raise
        # Reached at the first start, after a long time without network, or when the entity was gone: this person may be
        # the first to sign in after the provider's return.
        await self._refresher.refresh_metadata(source.id)
        try:
            return self._had(provider, source)
        except GatewayError as error:
            if error.code in (saml_codes.METADATA_UNREACHABLE, saml_codes.METADATA_EXPIRED):
                self._without[provider.name] = self._now()
            raise

    def is_silent(self, provider: SamlProvider) -> bool:
        """Whether missing or expired metadata turned a person away within the last `TOLD` seconds. Only the
        person's browser sees whether the provider's pages answer.
        """
        turned_away = self._without.get(provider.name)
        return turned_away is not None and self._now() < turned_away + TOLD

    async def newer_idp_metadata(self, provider: SamlProvider) -> IdpMetadata:
        """As `idp_metadata`, after a new fetch (at most once in a while), for a signature that no known key made."""
        source = source_of(provider)
        if source is not None:
            await self._refresher.refresh_metadata(source.id)
        return await self.idp_metadata(provider)

    async def presented(self, providers: Sequence[SamlProvider]) -> Mapping[str, SelfPresentation]:
        """Returns the presentations by provider name. Fetches nothing and refuses no provider: without metadata on
        disk, the presentation is empty.
        """
        return await asyncio.to_thread(lambda: {provider.name: self._present(provider) for provider in providers})

    async def logo(self, id: str) -> bytes | None:
        """Returns the picture of a `SelfPresentation.logo`, as PNG."""
        return await asyncio.to_thread(read_logo, logos_folder(self._folder), id)

    async def soap(self, provider: SamlProvider, url: str, envelope: bytes) -> bytes:
        """Posts `envelope` to `url`, an endpoint of the provider's metadata, and returns the response's body.
        GatewayError: saml_codes.SOAP, and as `send`.
        """
        # Bindings 3.2.3.1, SOAP 1.1 6.1
        headers = (("Content-Type", MEDIA_TYPE), ("SOAPAction", ACTION), ("Accept", ", ".join(MEDIA_TYPES)))
        response = await self._client(provider).send(Call("SOAP", "POST", url, headers, envelope))
        # SOAP 1.1 6.2: a fault comes with status 500 and adds no information.
        if response.status != 200 or response.content_type not in MEDIA_TYPES:
            detail = f"{url} answered with status {response.status} and {quoted(response.content_type)}"
            raise GatewayError(saml_codes.SOAP, detail)
        return response.body

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()

    def _client(self, provider: SamlProvider) -> ProviderClient:
        key = (provider.ca, provider.client_certificate, provider.development or provider.private_addresses)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = ProviderClient(*key, Resolver())
        return client

    def _had(self, provider: SamlProvider, source: MetadataSource) -> IdpMetadata:
        metadata = self._of_copy(provider, source)
        self._without.pop(provider.name, None)
        return metadata

    def _of_copy(self, provider: SamlProvider, source: MetadataSource) -> IdpMetadata:
        path = index_path(self._folder, source.id)
        stamp, known = stamp_of(path), self._known.get(provider.name)
        if known is not None and not known.is_of(path, provider.issuer):
            known = None
        if known is None or known.stamp != stamp:
            metadata = read_entity(self._folder, source.id, provider.issuer)
            if metadata is not None:
                known = self._known[provider.name] = _Known(stamp, metadata)
            elif known is None:
                told = f"`provider.unreachable` or `provider.unwritten` of {provider.name} in the log says why"
                detail = f"{source.url}: no metadata have been fetched from there yet; {told}"
                raise GatewayError(saml_codes.METADATA_UNREACHABLE, detail)
        # If the disk becomes unreadable, the metadata in memory serve until their end.
        require_valid(known.metadata, self._now())
        return known.metadata

    def _present(self, provider: SamlProvider) -> SelfPresentation:
        source = source_of(provider)
        file = provider.metadata if source is None else stamp_of(index_path(self._folder, source.id))
        stamp, known = (file, provider), self._presented.get(provider.name)
        if known is None or known[0] != stamp:
            try:
                if source is None:
                    metadata: IdpMetadata | None = metadata_of_file(provider)
                else:
                    metadata = read_entity(self._folder, source.id, provider.issuer)
            except GatewayError:
                metadata = None
            logo = None if metadata is None else logo_source(provider, metadata)
            names = {} if metadata is None else metadata.display_names
            known = stamp, SelfPresentation(names, "" if logo is None else logo.id)
            self._presented[provider.name] = known
        found = known[1]
        # The logo's file arrives after the metadata, or never.
        had = found.logo and index_path(logos_folder(self._folder), found.logo).exists()
        return found if had else SelfPresentation(found.names)

    async def _of_file(self, provider: SamlProvider) -> IdpMetadata:
        known = self._known.get(provider.name)
        stamp = (provider.metadata, provider.issuer, provider.development)
        if known is None or known.stamp != stamp:
            known = self._known[provider.name] = _Known(stamp, await asyncio.to_thread(metadata_of_file, provider))
        return known.metadata


def metadata_of_file(provider: SamlProvider) -> IdpMetadata:
    """Reads the operator's metadata file. Raises GatewayError for a fault in the metadata."""
    content = provider.metadata.content if isinstance(provider.metadata, MetadataFile) else b""
    return idp_metadata(find_entity(given([content]), provider.issuer), development=provider.development)


def stamp_of(path: Path) -> tuple[str, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return path.name, found.st_ino, found.st_mtime_ns
