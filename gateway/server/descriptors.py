"""As many files as the connections of a worker take, or a line in the log that says what to do."""

from gateway.ops.log import Log
from gateway.server.listeners import allow_many_files, connections_within, files_needed


def allow_files(connections: int, log: Log) -> None:
    """`connections`: as `limits.connections` has it. What workers that run already may open stays as it was: a restart
    gives them more."""
    needed = files_needed(connections)
    if (allowed := allow_many_files(needed)) < needed:
        detail = (
            f"limits.connections: {connections} takes {needed} files in each worker, and {allowed} may be opened: "
            f"set LimitNOFILE={needed} in the unit (ulimit -n)"
        )
        if (enough := connections_within(allowed)) > 0:
            detail += f", or write connections: {enough}"
        log.event("descriptors.few", allowed=allowed, needed=needed, detail=detail)
