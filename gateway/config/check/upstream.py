"""Where an application's file says that it listens, as far as that shows before anybody connects."""

from collections.abc import Iterator

from gateway.config.problems import Path, Problem, key_path
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.scalars import socket_address
from gateway.config.yaml.reader import YamlDocument
from gateway.wire.addresses import Address, parse_address
from gateway.wire.fences import IsOurs, closed_to_all, literal


def check_upstream(document: YamlDocument, model: AppFile, gateway: GatewayFile | None) -> Iterator[Problem]:
    """A name is judged by the address that it leads to, at every connect; what is an address already, here too."""
    url = model.upstream.url
    address = literal(url.host.strip("[]"))
    if address is None:
        return
    if why := closed_to_all(address, url.effective_port, _listens(gateway)):
        path: Path = ("upstream", "url")
        what, _, hint = why.partition(": ")
        yield Problem(document.place(path), key_path(path), f"{url.authority} leads to {address}, {what}", hint)


def _listens(gateway: GatewayFile | None) -> IsOurs:
    """What the file alone can tell: which addresses this machine has is looked at when one is connected to."""
    if gateway is None:
        return lambda address, port: False
    listeners = [listen.address for listen in gateway.listen]
    if not gateway.admin.startswith("unix:"):
        listeners.append(socket_address(gateway.admin))

    def is_ours(address: Address, port: int) -> bool:
        return any(port == its_port and _is_at(address, parse_address(host)) for host, its_port in listeners)

    return is_ours


def _is_at(address: Address, listener: Address | None) -> bool:
    return address == listener or (listener is not None and listener.is_unspecified and address.is_loopback)
