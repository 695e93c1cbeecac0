"""Decides whether a configuration may replace the served one, in the same way for a reload and for a restart.

A gateway that starts alone replaces no gateway, and is not refused for these reasons."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Final

from gateway.config.compile.plan import hosts_of_plan, lines_of
from gateway.config.snapshot import Gateway
from gateway.model.codes import config_codes
from gateway.model.directory import Directory
from gateway.server.compiling import Live

# Hosts in one message.
_SHOWN: Final = 10

IndexesFiles = Callable[[bytes, Mapping[str, str]], Awaitable[str]]
"""Reads the files of directories whose fingerprint is new. Arguments: the new plan, and the fingerprints in force by
name."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a configuration may not replace another.

    `detail`: the text for the operator; empty without a refusal.
    `code`: empty if the files are wrong by themselves."""

    detail: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class ServedConfiguration:
    """The parts of a configuration that people depend on.

    `hosts`: each host with the path of its application.
    `store`: the place of the sessions.
    `store_keys`: id and SHA-256 of the secret; the first key seals.
    `directories`: the fingerprint of each directory, by name."""

    hosts: frozenset[str]
    store: str
    store_keys: Sequence[tuple[str, str]]
    directories: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "hosts": sorted(self.hosts),
            "store": self.store,
            "store_keys": [list(key) for key in self.store_keys],
            "directories": dict(self.directories),
        }


def standing_of(live: Live) -> ServedConfiguration:
    gateway = live.gateway
    return ServedConfiguration(
        hosts=frozenset(host for hosts in hosts_of_plan(live.plan).values() for host in hosts),
        store=_store(gateway),
        store_keys=[(id, hashlib.sha256(secret).hexdigest()) for id, secret in gateway.store_keys],
        directories={one.name: one.fingerprint for one in lines_of(live.plan, Directory)},
    )


def standing_from(told: object) -> ServedConfiguration | None:
    """The configuration in an answer; None for the answer of a gateway of another release."""
    match told:
        case {"hosts": [*hosts], "store": str(store), "store_keys": [*keys], "directories": {**directories}}:
            pairs = [(key[0], key[1]) for key in keys if isinstance(key, list) and len(key) == 2]
            known = {str(name): str(fingerprint) for name, fingerprint in directories.items()}
            return ServedConfiguration(frozenset(map(str, hosts)), store, pairs, known)
    return None


def encode_good(live: Live) -> bytes:
    """Encodes the app files of the live plan."""
    return json.dumps({path: content.decode("latin-1") for path, content in live.good.items()}).encode("ascii")


def decode_good(told: bytes) -> dict[str, bytes]:
    """Decodes app files; empty for an empty answer."""
    return {path: content.encode("latin-1") for path, content in json.loads(told or b"{}").items()}


async def refusal(before: ServedConfiguration, candidate: Live, reads: IndexesFiles, *, fewer_hosts: bool) -> Refusal:
    """The reason why `candidate` may not replace `before`.

    `fewer_hosts`: the operator agrees that hosts go."""
    after = standing_of(candidate)
    if after.store == before.store and (why := _of_store_keys(dict(before.store_keys), after.store_keys)):
        return Refusal(why, config_codes.STORE_KEYS.id)
    if not fewer_hosts and (why := _of_hosts(before.hosts, after.hosts)):
        return Refusal(why, config_codes.HOSTS_GONE.id)
    if why := await reads(candidate.plan, before.directories):
        return Refusal(why, config_codes.DIRECTORY.id)
    return Refusal()


def _store(gateway: Gateway) -> str:
    """Identifies the place of the sessions. Server addresses are excluded: new addresses may lead to the same sessions,
    after an added Sentinel or Cluster node, or a move of the server with its data."""
    server = gateway.store_server
    return gateway.store if server is None else f"{gateway.store} {server.prefix}"


def _of_hosts(before: frozenset[str], after: frozenset[str]) -> str:
    """Refuses to lose more than half of the hosts: a volume that is not mounted leaves a folder without files, which
    the operator did not intend."""
    gone = sorted(before - after)
    if not before or (2 * len(gone) <= len(before)):
        return ""
    more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
    return (
        f"{len(gone)} of {len(before)} hosts would be gone: {', '.join(gone[:_SHOWN])}{more}. Is a part of the folder "
        "missing, or not mounted? If you intend this: `ecluse reload --yes`, or `ecluse restart --yes`"
    )


def _of_store_keys(known: Mapping[str, str], keys: Sequence[tuple[str, str]]) -> str:
    """Refuses a change of keys that makes sessions unreadable. Workers and gateways load a file one after the other.
    Meanwhile a worker must be able to open data that another worker has sealed. If every key changes, no session
    opens."""
    for id, secret in keys:
        if id in known and not compare_digest(known[id], secret):
            return f"store: the key `{id}` has another secret than before: give the new key a new id"
    if keys and keys[0][0] not in known:
        return (
            f"store: the key `{keys[0][0]}` would seal before every gateway has it: list it second first, then first "
            "(a keyring begins with the key before, by `ecluse key new --from`, and goes on by `ecluse key rotate`)"
        )
    return ""
