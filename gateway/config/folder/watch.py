"""Whether the files changed: told by what they hold, so that a swapped link, a bind mount and NFS are all seen."""

import hashlib
from pathlib import Path

from gateway.config.compile.process import encode_files
from gateway.config.folder.read import read_folder


def fingerprint(folder: Path) -> bytes:
    """Of every byte that a snapshot of the folder would be made of, secrets included. Never raises."""
    return fingerprint_of(encode_files(read_folder(folder)))


def fingerprint_of(encoded: bytes) -> bytes:
    """Of files as compile_process encodes them."""
    return hashlib.sha256(encoded).digest()
