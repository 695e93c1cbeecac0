"""The state folder: private to the gateway's user, and writable, or the gateway does not start."""

import os
import tempfile
from errno import EACCES
from pathlib import Path

from gateway.config.snapshot import Gateway
from gateway.server.faults import CannotServe


def make_state_folder(gateway: Gateway) -> None:
    """Raises CannotServe. What is in memory needs no folder."""
    if gateway.store == "memory":
        return
    folder = gateway.state_folder
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        # Asking for permission is not enough: a file system can be read-only, or full.
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"ecluse")
            probe.flush()
    except OSError as error:
        hint = f" (it has to be the account's own that serves, uid {os.geteuid()})" if error.errno == EACCES else ""
        raise CannotServe(f"the state folder {folder} cannot be written: {error.strerror}{hint}") from error


def metadata_folder(gateway: Gateway) -> Path:
    """The last good copies of SAML metadata; whoever writes there makes it."""
    return Path(gateway.state_folder) / "metadata"
