"""One call to an application that is nobody's request: it is told that a person signs out."""

from gateway.config.snapshot import Upstream
from gateway.federation.addresses import Resolver
from gateway.federation.client import ProviderClient
from gateway.oidc.call import Call

# A person waits for it.
WITHIN = 3.0


class Applications:
    def __init__(self) -> None:
        self._clients: dict[bytes | None, ProviderClient] = {}

    async def call(self, upstream: Upstream, call: Call) -> None:
        """`call.url`: a path. Whatever is answered will do; GatewayError where nothing is."""
        client = self._clients.get(upstream.ca)
        if client is None:
            client = self._clients[upstream.ca] = ProviderClient(upstream.ca, None, True, Resolver(), WITHIN)
        host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
        url = f"{upstream.scheme}://{host}:{upstream.port}{call.url}"
        await client.send(Call(call.what, call.method, url, call.headers, call.body))

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
