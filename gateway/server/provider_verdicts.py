"""Sends the workers the verdicts of looks at providers: whether a provider answers."""

from collections.abc import Mapping

from gateway.federation.provider_standing import ProviderVerdict
from gateway.server.fleet import Fleet, Worker


def tell_workers(fleet: Fleet, provider: str, verdict: ProviderVerdict) -> None:
    """Sends the verdict to the workers. A single serving worker also tells the other nodes."""
    speaker = next(iter(fleet.serving), None)
    for worker in fleet.workers.values():
        _tell(worker, provider, verdict, tells_nodes=worker is speaker)


def tell_worker(worker: Worker, verdicts: Mapping[str, ProviderVerdict]) -> None:
    """Sends the verdicts to a worker that has just begun to serve."""
    for provider, verdict in verdicts.items():
        _tell(worker, provider, verdict, tells_nodes=False)


def _tell(worker: Worker, provider: str, verdict: ProviderVerdict, *, tells_nodes: bool) -> None:
    worker.channel.send("provider", provider=provider, verdict=verdict, tells_nodes=tells_nodes)
