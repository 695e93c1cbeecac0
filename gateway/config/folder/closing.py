"""Which hosts are closed for app files that were left out."""

from collections.abc import Iterable, Mapping, Set

from gateway.config.folder.files import Closing


def closed_hosts(closings: Mapping[str, Closing], owned: Set[str], portal: str) -> dict[str, str]:
    """Host or pattern to the file, as messages name it. `owned`: those of the files that serve. A file whose hosts
    are not all known closes every wildcard that it could have had a name under: nobody answers in its place."""
    found: dict[str, str] = {}
    for closing in closings.values():
        hosts = [host for host in closing.hosts if host not in owned and host != portal and _reaches(closing, host)]
        if not closing.whole:
            hosts += sorted(host for host in owned if host.startswith("*.") and _meets(closing, host))
        for host in hosts:
            found.setdefault(host, closing.file)
    return found


def within(host: str, hosts: Iterable[str]) -> bool:
    """Whether a fence of these hosts has this one. A wildcard is within the same wildcard alone."""
    return host in hosts or (not host.startswith("*.") and f"*.{host.partition('.')[2]}" in hosts)


def _reaches(closing: Closing, host: str) -> bool:
    return closing.fence is None or within(host, closing.fence)


def _meets(closing: Closing, wildcard: str) -> bool:
    return closing.fence is None or any(within(host, (wildcard,)) for host in closing.fence)
