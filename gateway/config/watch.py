"""Whether the files changed: told by what they hold, so that a swapped link, a bind mount and NFS are all seen."""

import hashlib
from pathlib import Path

from gateway.config.compile_process import encode_files
from gateway.config.read import read_folder


def fingerprint(folder: Path) -> bytes:
    """Of every byte that a snapshot of the folder would be made of, secrets included. Never raises."""
    return hashlib.sha256(encode_files(read_folder(folder))).digest()
