"""Passes bytes as a file of this process alone, to libraries that read certificates and keys only from files."""

import os


def in_memory(content: bytes) -> int:
    """Returns the descriptor of a file without a name; /proc/self/fd/N opens the file. The caller closes the
    descriptor.
    """
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    return descriptor
