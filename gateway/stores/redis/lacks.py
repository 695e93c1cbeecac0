"""Weaknesses of a session server, found in INFO when a gateway starts."""

from collections.abc import Iterator, Mapping


def lacks(info: Mapping[str, str], replicas: int) -> Iterator[str]:
    """The server's faults, each as a sentence with the remedy.

    `info`: the sections memory, persistence and replication.
    `replicas`: how many replicas must have a write that must not be lost.
    """
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        yield (
            f"maxmemory-policy is {info['maxmemory_policy']}: when memory is short, sessions and one-time tickets are "
            "forgotten; set maxmemory-policy noeviction"
        )
    if info.get("aof_enabled", "1") == "0":
        yield "appendonly is off: a restart loses the last writes, and maybe everything; set appendonly yes"
    if info.get("role", "master") != "master":
        yield "this server is a replica and refuses writes; give the address of the primary"
    connected = int(info.get("connected_slaves", "0"))
    if connected < replicas:
        yield (
            f"it has {connected} replicas, and replicas: {replicas} is told: nobody can sign in or out; start them, or "
            "say fewer"
        )
    good = info.get("min_slaves_good_slaves")
    if connected > 0 and good is None:
        yield (
            "it has replicas and takes writes without them: what it alone knows is lost when it is; "
            "set min-replicas-to-write 1"
        )


def read_info(reply: bytes) -> dict[str, str]:
    """The lines `name:value` of INFO."""
    lines = reply.decode("utf-8", "replace").splitlines()
    pairs = (line.partition(":") for line in lines if not line.startswith("#"))
    return {name: value.strip() for name, colon, value in pairs if colon}
