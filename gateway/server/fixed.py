"""The settings of gateway.yaml that a running gateway cannot change, because sockets, stores and worker processes are
made once; and the listeners as the supervisor reports them."""

from collections.abc import Callable, Mapping
from typing import Final

from gateway.config.snapshot import Gateway, Listener
from gateway.model.redirects import Redirects


def _place(listener: Listener) -> str:
    return f"{listener.address[0]}:{listener.address[1]}"


def certificate_ends(gateway: Gateway) -> dict[tuple[str, str], float]:
    """The ends of certificates by listener and first name, in Unix seconds. Of two certificates with one name, the
    earlier end counts."""
    found: dict[tuple[str, str], float] = {}
    for listener in gateway.listeners:
        for one in listener.certificates:
            key = _place(listener), one.names[0] if one.names else ""
            found[key] = min(one.ends, found.get(key, one.ends))
    return found


# The text beside the address of a listener.
_LED: Final[Mapping[Redirects, str]] = {"nothing": "", "https": " redirect of https", "all": " redirect"}


def addresses(gateway: Gateway) -> list[str]:
    return [
        f"{_place(listener)}{' tls' if listener.certificates else ''}{_LED[listener.redirects]}"
        f"{' proxy' if listener.proxies else ''}{' '.join(map(str, ('', *listener.proxies)))}"
        for listener in gateway.listeners
    ]


# By the key in the file. A certificate, a time-out and most limits are read anew from each snapshot.
_FIXED: Mapping[str, Callable[[Gateway], object]] = {
    "listen": addresses,
    "admin": lambda gateway: gateway.admin,
    "state": lambda gateway: gateway.state_folder,
    "store.type": lambda gateway: gateway.store,
    "store.server": lambda gateway: gateway.store_server,
    "workers": lambda gateway: gateway.workers,
    "limits.transactions": lambda gateway: gateway.limits.transactions,
    "limits.transactions_per_network": lambda gateway: gateway.limits.transactions_per_network,
    "limits.cached_seats": lambda gateway: gateway.limits.cached_seats,
}


def changed(old: Gateway, new: Gateway) -> list[str]:
    """The keys whose change needs a restart."""
    return [key for key, value in _FIXED.items() if value(old) != value(new)]


def why_not(old: Gateway, new: Gateway) -> str:
    """The reason why the change needs a restart; empty if a reload can take it. server/replacement.py has the changes
    that a restart refuses too."""
    if fixed := changed(old, new):
        return f"{', '.join(fixed)}: this changes only with a restart"
    return ""
