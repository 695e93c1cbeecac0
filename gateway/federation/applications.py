"""One call to an application that is nobody's request: it is told that a person signs out."""

from functools import partial

from aiohttp.abc import AbstractResolver

from gateway.config.snapshot import Upstream
from gateway.federation.addresses import Resolver
from gateway.federation.client import ProviderClient
from gateway.model.codes import UPSTREAM_ADDRESS
from gateway.model.errors import GatewayError
from gateway.oidc.call import Call
from gateway.wire.fences import IsOurs, refusal

# A person waits for it.
WITHIN = 3.0


class Applications:
    """`is_ours`: where no application is connected to."""

    def __init__(self, is_ours: IsOurs, resolver: AbstractResolver | None = None) -> None:
        self._is_ours = is_ours
        self._resolver = resolver or Resolver()
        self._clients: dict[object, ProviderClient] = {}

    async def call(self, upstream: Upstream, call: Call) -> None:
        """`call.url`: a path. Whatever is answered will do; GatewayError where nothing is."""
        key = (upstream.host, upstream.port, upstream.ca, upstream.fence)
        client = self._clients.get(key)
        if client is None:
            refused = partial(self._refused, upstream)
            client = self._clients[key] = ProviderClient(
                upstream.ca, None, True, self._resolver, WITHIN, refused=refused
            )
        host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
        url = f"{upstream.scheme}://{host}:{upstream.port}{call.url}"
        await client.send(Call(call.what, call.method, url, call.headers, call.body))

    def _refused(self, upstream: Upstream, address: str, port: int) -> GatewayError | None:
        why = refusal(upstream.host, address, port, upstream.fence, self._is_ours)
        return GatewayError(UPSTREAM_ADDRESS, why) if why else None

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        await self._resolver.close()
