"""The hosts of each app file as it was last served, so that a file that nobody can read any more still has its own."""

import json
from collections.abc import Mapping

from gateway.config.compile.plan import plan_lines

FILE_NAME = "hosts.json"
"""In the state folder."""

Hosts = Mapping[str, tuple[str, ...]]
"""Path of an app file below the policy folder to its hosts."""


def hosts_of_plan(plan: bytes) -> dict[str, tuple[str, ...]]:
    """Of the files that are live; a shadow has none."""
    apps = (json.loads(line)["app"] for line in plan_lines(plan) if line.startswith(b'{"app":'))
    # A plan names a file with the folder's own name before it.
    return {app["file"].partition("/")[2]: tuple(app["hosts"]) for app in apps if not app["shadow"]}


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
