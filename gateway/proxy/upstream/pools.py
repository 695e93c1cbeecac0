"""The pools of a worker, one per application or per address of an application."""

import asyncio
from collections.abc import Callable, Mapping

from gateway.config.snapshot import App
from gateway.proxy.upstream.connection import UpstreamConnection
from gateway.proxy.upstream.group import AddressGroup, Told
from gateway.proxy.upstream.pool import Pool, Shared
from gateway.proxy.upstream.resolver import UpstreamResolver
from gateway.wire.fences import IsOurs
from gateway.wire.lenient_heads import OF_FRAMING


def _untold(event: str, app: str, place: str, more: Mapping[str, object]) -> None:
    pass


class Pools:
    """The pools outlive snapshots: a reload keeps the connections to an application whose address stays.

    `told`: called when an address is put out or let in again, and when an application is reached less than safely.
    """

    __slots__ = ("_by_app", "_shared", "_told")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        make: Callable[[Pool], UpstreamConnection],
        is_ours: IsOurs,
        told: Told = _untold,
    ) -> None:
        self._shared = Shared(loop, UpstreamResolver(loop), make, is_ours)
        self._told = told
        self._by_app: dict[str, Pool | AddressGroup] = {}

    def of(self, app: App) -> Pool | AddressGroup:
        """The pool of `app` as the live snapshot has it; a group where it has several addresses."""
        before = self._by_app.get(app.name)
        if app.upstream.balancing is not None:
            if isinstance(before, AddressGroup) and before.serves(app):
                return before
            self._tell_deviations(app)
            group = self._by_app[app.name] = AddressGroup(app, app.upstream.balancing, self._shared, self._told, before)
            return group
        if before is not None:
            if isinstance(before, Pool) and before.serves(app.upstream) and before.edits == app.edits:
                return before
            before.retire()
        self._tell_deviations(app)
        pool = self._by_app[app.name] = Pool(app.upstream, self._shared, app.edits)
        return pool

    def _tell_deviations(self, app: App) -> None:
        upstream = app.upstream
        legacy = () if upstream.tls.legacy is None else (upstream.tls.legacy,)
        for how in (*legacy, *sorted(upstream.accepts & OF_FRAMING)):
            self._told("upstream.deviation", app.name, upstream.place, {"how": how})

    def keep(self, apps: Mapping[str, App]) -> None:
        """Called after a reload: ends the pools of removed applications, and the checks of removed addresses.

        `apps`: the present applications, by name.
        """
        self._shared.contexts.renew()
        for name, pool in tuple(self._by_app.items()):
            if name not in apps or (isinstance(pool, AddressGroup) and not pool.serves(apps[name])):
                self._by_app.pop(name).retire()

    def close(self) -> None:
        for pool in self._by_app.values():
            pool.retire()
