"""The data that the supervisor keeps fresh for the workers: SAML metadata with logos, data made from table files, and
verdicts on which providers answer."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any

from gateway.config.compile.plan import lines_of
from gateway.config.snapshot import Gateway
from gateway.directories.keeper import DirectoryKeeper
from gateway.federation.logo_keeper import LogoKeeper
from gateway.federation.metadata_keeper import MetadataKeeper
from gateway.federation.metadata_source import sources_of
from gateway.federation.provider_looks import ProviderLooks
from gateway.federation.provider_standing import ProviderVerdict
from gateway.model.directory import Directory
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import OidcProvider, SamlProvider
from gateway.ops.log import Log
from gateway.organisations.keeper import OrganisationKeeper
from gateway.server.state import directories_folder, metadata_folder, organisations_folder, reached_file


class Sources:
    """To be made inside the running loop. `tell`: as in ProviderLooks."""

    def __init__(self, gateway: Gateway, log: Log, tell: Callable[[str, ProviderVerdict], None]) -> None:
        self._log = log
        self.metadata = MetadataKeeper(metadata_folder(gateway), log)
        self._logos = LogoKeeper(metadata_folder(gateway), self.metadata, log)
        self._directories = DirectoryKeeper(directories_folder(gateway), log)
        self._organisations = OrganisationKeeper(organisations_folder(gateway), log)
        self.looks = ProviderLooks(reached_file(gateway), log, tell)

    def work(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yields the tasks that keep the data fresh. The tasks run until cancelled."""
        yield self.metadata.run()
        yield self._logos.run()
        yield self._directories.run()
        yield self._organisations.run()
        yield self.looks.run()

    async def ready(self, plan: bytes, in_force: Mapping[str, str]) -> str:
        """As DirectoryKeeper.ready, for a plan that may replace the plan in force."""
        return await self._directories.ready(lines_of(plan, Directory), in_force)

    async def follow(self, plan: bytes) -> None:
        """Keeps fresh the data of the plan's providers, directories and organisation tables."""
        providers = tuple(lines_of(plan, SamlProvider))
        await self.looks.use((*lines_of(plan, OidcProvider), *providers))
        try:
            await self.metadata.use(sources_of(providers))
            self._logos.use(providers)
        except OSError as error:
            self._log.event("provider.unwritten", detail=f"no folder for SAML metadata: {error}")
        try:
            await self._directories.use(lines_of(plan, Directory))
        except OSError as error:
            self._log.event("directory.unreadable", detail=f"no folder for the indexes of directories: {error}")
        try:
            await self._organisations.use(lines_of(plan, OrganisationTable))
        except OSError as error:
            self._log.event("organisations.unreadable", detail=f"no folder for the index of organisations: {error}")

    async def close(self) -> None:
        await self.metadata.close()
        await self._logos.close()
        await self._directories.close()
        await self._organisations.close()
        await self.looks.close()
