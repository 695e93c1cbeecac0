"""The state folder, private to the gateway's user. A wrong state folder keeps the gateway from starting. A full disk
does not: public pages need no state folder, and the other pages come back when there is room."""

import os
import stat
import tempfile
from collections.abc import Sequence
from errno import EACCES, EDQUOT, EFBIG, EIO, ENOSPC, EROFS
from pathlib import Path

from gateway.config.compile.plan import hosts_of_plan
from gateway.config.folder.files import HOSTS_FILE, decode_hosts, encode_hosts
from gateway.config.snapshot import Gateway
from gateway.server.faults import CannotServe

# Disk errors that may pass while the gateway runs.
_PASSING = (ENOSPC, EDQUOT, EFBIG, EROFS, EIO)


def may_pass(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in _PASSING


def make_state_folder(gateway: Gateway) -> str:
    """Makes the state folder. Returns an empty text, or the reason why the folder cannot be written for now. Raises
    CannotServe. A gateway with the memory store needs no folder."""
    if gateway.store == "memory":
        return ""
    folder, trouble = gateway.state_folder, ""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        # Asking for permission is not enough: a file system can be read-only, or full.
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"ecluse")
            probe.flush()
    except OSError as error:
        if not may_pass(error):
            hint = f" (it has to belong to the gateway's account, uid {os.geteuid()})" if error.errno == EACCES else ""
            raise CannotServe(f"the state folder {folder} cannot be written: {error.strerror}{hint}") from error
        trouble = f"{folder}: {error.strerror}"
    if os.path.isdir(folder):
        _refuse_to_share(folder)
    return trouble


def _refuse_to_share(folder: str) -> None:
    if why := shared(folder):
        raise CannotServe(f"the state folder {folder} {why}")


def shared(folder: str) -> str:
    """Why the folder is not private; empty if it is private. Accounts with access to the folder could read the sealed
    sessions or end them."""
    mode = stat.S_IMODE(os.stat(folder).st_mode)
    if not mode & 0o077:
        return ""
    hint = f"chmod 700 {folder}; StateDirectoryMode=0700 if systemd creates it"
    return f"is open to other accounts: mode {mode:o} ({hint})"


def unwritable(folder: Path) -> str:
    """Why this account cannot write to the folder, found without writing; empty if no obstacle is found. `shared` says
    what is wrong with the folder for every account."""
    there = folder
    # os.path answers no where a folder above may not be entered; pathlib's own words raise there.
    while not os.path.exists(there) and there != there.parent:
        there = there.parent
    if not os.path.isdir(there):
        return "it is not a folder" if there == folder else f"{there} is not a folder"
    if os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        return ""
    make = "create it for the account of the gateway, or let systemd create it (StateDirectory=)"
    return f"it may not write to {there}" if there == folder else f"it may not create a folder in {there}: {make}"


def metadata_folder(gateway: Gateway) -> Path:
    """The folder of the last good copies of SAML metadata. The first process that writes there creates the folder."""
    return Path(gateway.state_folder) / "metadata"


def directories_folder(gateway: Gateway) -> Path:
    """The folder of data made from directory files. The first process that writes there creates the folder."""
    return Path(gateway.state_folder) / "directories"


def organisations_folder(gateway: Gateway) -> Path:
    """The folder of data made from organisation tables. The first process that writes there creates the folder."""
    return Path(gateway.state_folder) / "organisations"


def reached_file(gateway: Gateway) -> Path | None:
    """The file of the provider addresses that looks of the gateway have reached; None with the memory store, which has
    no folder."""
    return None if gateway.store == "memory" else Path(gateway.state_folder) / "reached.json"


def remember_hosts(gateway: Gateway, plan: bytes, closed: Sequence[str]) -> None:
    """Writes the hosts of each live app file; the hosts of a `closed` file stay as last known. Raises OSError, and then
    the previous list stays. A gateway with the memory store has no folder, and writes nothing."""
    if gateway.store == "memory":
        return
    path = Path(gateway.state_folder) / HOSTS_FILE
    before = path.read_bytes() if path.exists() else b""
    left_out = {file: hosts for file, hosts in decode_hosts(before).items() if _is_below(file, closed)}
    content = encode_hosts({**left_out, **hosts_of_plan(plan)})
    if before == content:
        return
    write_private(path, content)


def write_private(path: Path, content: bytes) -> None:
    """Writes the whole file or leaves the old file, readable for this account alone. Raises OSError."""
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.replace(beside, path)


def _is_below(file: str, paths: Sequence[str]) -> bool:
    return any(f"{file}/".startswith(f"{path}/") for path in paths)
