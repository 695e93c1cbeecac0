"""Bytes as a file of this process alone, for libraries that read certificates and keys from files only."""

import os


def in_memory(content: bytes) -> int:
    """The descriptor of a file that has no name; /proc/self/fd/N opens it. The caller closes it."""
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    return descriptor
