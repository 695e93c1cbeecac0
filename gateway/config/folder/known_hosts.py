"""The hosts of each app file as it was last served, so that a file that nobody can read any more still has its own."""

import json
from collections.abc import Mapping

FILE_NAME = "hosts.json"
"""In the state folder."""

Hosts = Mapping[str, tuple[str, ...]]
"""Path of an app file below the policy folder to its hosts."""


def encode_hosts(hosts: Hosts) -> bytes:
    return json.dumps({path: list(names) for path, names in sorted(hosts.items())}, indent=1).encode("ascii") + b"\n"


def decode_hosts(content: bytes) -> dict[str, tuple[str, ...]]:
    """Empty where this is no such file: nothing is known then."""
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(read, dict) or not all(_is_list_of_text(names) for names in read.values()):
        return {}
    return {path: tuple(names) for path, names in read.items()}


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
