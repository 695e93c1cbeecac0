"""Keyrings: the gateway's own keys by id and dates. `ecluse key` writes the file, and other files name it.

A gateway that has read the file accepts every key until the key's `until`. A key seals or signs from its `since` until
the `since` of a later key."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

RingKind = Literal["store", "saml", "client"]
KINDS: Final[tuple[RingKind, ...]] = get_args(RingKind)
# The fields of a key, by the kind of the ring.
PARTS: Final[Mapping[RingKind, tuple[str, ...]]] = {
    "store": ("secret",),
    "saml": ("key", "certificate"),
    "client": ("key", "algorithm"),
}
MOST_KEYS: Final = 16
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class NoKeyring(ValueError):
    """The reason in the operator's words, without any content of the keyring."""


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key of a keyring.

    `since`, `until`: Unix seconds; `until` None: no end is set yet.
    `parts`: the members of the key, as PARTS names them."""

    id: str
    since: int
    until: int | None
    parts: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    kind: RingKind
    keys: tuple[RingKey, ...]


def read_keyring(content: bytes) -> Keyring:
    """Raises NoKeyring."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        raise NoKeyring("this is no keyring") from None
    kind = told.get("keyring") if isinstance(told, dict) else None
    if kind not in KINDS or not isinstance(told.get("keys"), list):
        raise NoKeyring("this is no keyring")
    keys = tuple(_key(kind, number, one) for number, one in enumerate(told["keys"], 1))
    if len({key.id for key in keys}) != len(keys):
        raise NoKeyring("an id is there twice")
    if len(keys) > MOST_KEYS:
        raise NoKeyring(f"more than {MOST_KEYS} keys")
    return Keyring(kind, keys)


def keyring_text(ring: Keyring) -> bytes:
    keys = []
    for key in ring.keys:
        dates = {"from": said(key.since)} | ({} if key.until is None else {"until": said(key.until)})
        keys.append({"id": key.id, **dates, **key.parts})
    return json.dumps({"keyring": ring.kind, "keys": keys}, indent=1).encode() + b"\n"


def said(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(_MOMENT)


def _key(kind: RingKind, number: int, told: Any) -> RingKey:
    names = {"id", "from", *PARTS[kind]}
    if not isinstance(told, dict) or not names <= told.keys() <= {*names, "until"}:
        raise NoKeyring(f"key {number} has not the members of a {kind} key")
    if not all(isinstance(value, str) for value in told.values()) or not _ID.fullmatch(told["id"]):
        raise NoKeyring(f"key {number} has no id as it can be, or a member that is no text")
    since, until = _moment(number, told["from"]), told.get("until")
    parts = {name: told[name] for name in PARTS[kind]}
    return RingKey(told["id"], since, None if until is None else _moment(number, until), parts)


def _moment(number: int, text: str) -> int:
    try:
        return int(datetime.strptime(text, _MOMENT).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise NoKeyring(f"key {number}: a date is written 2026-12-01T08:00:00Z") from None


# --- by the clock


def in_use(ring: Keyring, now: float) -> RingKey | None:
    """The key that seals or signs: the key with the latest `since` among the keys that are valid now."""
    begun = [key for key in _not_over(ring, now) if key.since <= now]
    return max(begun, key=lambda key: key.since, default=None)


def in_force(ring: Keyring, now: float) -> Keyring:
    """The keys that have not ended, the key in use first. Empty if every key begins later: other gateways may not have
    read a key before its date."""
    first = in_use(ring, now)
    if first is None:
        return replace(ring, keys=())
    others = [key for key in _not_over(ring, now) if key is not first]
    return replace(ring, keys=(first, *sorted(others, key=lambda key: -key.since)))


def _not_over(ring: Keyring, now: float) -> Sequence[RingKey]:
    return [key for key in ring.keys if key.until is None or key.until > now]


# --- changed by hand


def with_key(ring: Keyring, key: RingKey, now: float) -> Keyring:
    """Adds a key and drops the keys that have ended."""
    return replace(ring, keys=(*_not_over(ring, now), key))


def rotated(ring: Keyring, key: RingKey, keep: int, now: float) -> Keyring:
    """Adds `key` as the successor of the present keys. A present key ends `keep` seconds after `key` begins, or at its
    own earlier end."""
    ends = key.since + keep
    others = [replace(one, until=ends if one.until is None else min(one.until, ends)) for one in ring.keys]
    return with_key(replace(ring, keys=tuple(others)), key, now)


def retired(ring: Keyring, id: str, at: int, now: float) -> Keyring:
    """Ends the key `id` at `at` (Unix seconds). A key that ends before it begins replaces no key: the key in use goes
    on, without the end that was set for the change.

    Raises NoKeyring if the key does not exist, or if no key would be in use without it."""
    one = next((key for key in ring.keys if key.id == id), None)
    if one is None:
        raise NoKeyring(f"there is no key {id} (its keys: {', '.join(key.id for key in ring.keys)})")
    after = replace(ring, keys=tuple(replace(key, until=at) if key is one else key for key in ring.keys))
    used = in_use(after, max(at, now))
    if used is None:
        raise NoKeyring(f"{id} is the key in use, and none follows it by then: rotate first")
    if at <= one.since and not any(key.since > at for key in after.keys if key.id != id):
        after = replace(after, keys=tuple(replace(key, until=None) if key is used else key for key in after.keys))
    return after
