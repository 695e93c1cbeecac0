"""Keeps the logos that the metadata of SAML providers name.

Logos are kept like metadata but apart from metadata: a slow server of pictures delays no provider's keys. One process,
the supervisor, owns the keeper.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.federation.logo_images import can_decode
from gateway.federation.metadata_index import index_path, logos_folder, read_entity
from gateway.federation.metadata_keeper import MetadataKeeper
from gateway.federation.metadata_source import MetadataSource, logo_source, source_of
from gateway.federation.saml import metadata_of_file, stamp_of
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.ops.log import Log

# Seconds. Many metadata arrive together when a gateway starts; the keeper gathers these and looks once.
_GATHERED = 1.0


class LogoKeeper:
    """Fetches and renews logos. `folder`: the folder of the metadata that `keeper` keeps."""

    def __init__(self, folder: Path, keeper: MetadataKeeper, log: Log) -> None:
        self._metadata = folder
        self._renewed = keeper.renewed
        self._log = log
        self._keeper = MetadataKeeper(logos_folder(folder), log)
        self._providers: Sequence[SamlProvider] = ()
        # By provider: the stamp of its metadata, and the logo that the metadata name.
        self._known: dict[str, tuple[object, MetadataSource | None]] = {}

    def use(self, providers: Iterable[SamlProvider]) -> None:
        """Replaces the set of providers. Without the extra `logos`, the keeper fetches no logo."""
        self._providers = tuple(providers) if can_decode() else ()
        self._renewed.set()

    async def run(self) -> None:
        """Until cancelled."""
        keeping = asyncio.get_running_loop().create_task(self._keeper.run())
        try:
            while True:
                await self._renewed.wait()
                self._renewed.clear()
                users = await asyncio.to_thread(self._wanted, self._providers)
                try:
                    await self._keeper.use(users)
                except OSError as error:
                    self._log.event("provider.logo", detail=f"no folder for logos: {error}")
                await asyncio.sleep(_GATHERED)
        finally:
            keeping.cancel()

    async def close(self) -> None:
        await self._keeper.close()

    def _wanted(self, providers: Sequence[SamlProvider]) -> dict[MetadataSource, tuple[str, ...]]:
        """Returns each logo once, with the names of the providers that share the logo."""
        known, users = self._known, dict[MetadataSource, tuple[str, ...]]()
        self._known = {provider.name: self._logo(provider, known.get(provider.name)) for provider in providers}
        for name, (_, logo) in self._known.items():
            if logo is not None:
                users[logo] = (*users.get(logo, ()), name)
        return users

    def _logo(
        self, provider: SamlProvider, known: tuple[object, MetadataSource | None] | None
    ) -> tuple[object, MetadataSource | None]:
        source = source_of(provider)
        stamp = (provider if source is None else stamp_of(index_path(self._metadata, source.id)), provider.issuer)
        if known is not None and known[0] == stamp:
            return known
        metadata = None
        # The metadata keeper reports faults of the metadata.
        with suppress(GatewayError):
            if source is None:
                metadata = metadata_of_file(provider)
            else:
                metadata = read_entity(self._metadata, source.id, provider.issuer)
        return stamp, None if metadata is None else logo_source(provider, metadata)
