"""The keyrings that the folder names: whether a key was added, has begun or has ended since the last load.

An ended key is removed even if the folder is refused."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

from gateway.config.compile.build import build_gateway
from gateway.config.compile.plan import KeptKeys, revision_of, with_kept_keys
from gateway.config.folder.read import read_keyrings, text_in_force
from gateway.config.keyring import NoKeyring, RingKey, RingKind, read_keyring
from gateway.server.compiling import Live, digest

# Seconds until the next attempt after a failure.
_AGAIN: Final = 600
_TOWARDS_PROVIDERS: Final[tuple[RingKind, ...]] = ("saml", "client")


class Keyrings:
    """The keyrings of a gateway, which the supervisor watches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tried: dict[str, bytes] = {}
        self._again = 0.0
        # By kind and reference, and then by id, as they were read last: a file may be unreadable later.
        self._rings: dict[tuple[RingKind, str], dict[str, RingKey]] = {}

    def due(self, live: Live, now: float) -> bool:
        """Whether a reload would change the keyrings. Reads the files; an unreadable file counts as unchanged."""
        contents = self.look(live)
        found = {key: digest(text_in_force(content, now)) for key, content in contents.items()}
        taken = {ring.key: digest for ring, digest in live.keyrings.items() if ring.key in found}
        is_tried = found == taken or (found == self._tried and now < self._again)
        if is_tried and not self._without_ended(live, now)[1]:
            return False
        self._tried, self._again = found, now + _AGAIN
        return True

    def look(self, live: Live) -> dict[str, bytes]:
        """Reads the keyrings, and remembers the dates of their keys. Unreadable keyrings are left out."""
        contents = read_keyrings(self._folder, live.keyrings)
        for key, content in contents.items():
            with suppress(NoKeyring):
                ring = read_keyring(content)
                self._rings.setdefault((ring.kind, key), {}).update({one.id: one for one in ring.keys})
        return contents

    def without_ended(self, live: Live, now: float) -> tuple[Live, tuple[str, ...]]:
        """The served plan without ended keys, and the names of the ended keys. For a folder that is refused."""
        self.look(live)
        return self._without_ended(live, now)

    def _without_ended(self, live: Live, now: float) -> tuple[Live, tuple[str, ...]]:
        store = {one.id: one for one in self._of(live, "store")}
        # Towards providers, an id is unique only within the ring, so keys are compared by content.
        others = {one.parts["key"].encode(): one for kind in _TOWARDS_PROVIDERS for one in self._of(live, kind)}
        if not any(_is_over(one, now) for one in (*store.values(), *others.values())):
            return live, ()
        ended = dict[str, None]()

        def kept(what: str, keys: Sequence[_Own[OwnKey]]) -> tuple[OwnKey, ...]:
            left = _left(keys, now)
            ended.update(dict.fromkeys(f"{what} {own.id}" for own in keys if own not in left))
            return tuple(own.key for own in left)

        plan = with_kept_keys(
            live.plan,
            KeptKeys(
                store=lambda keys: kept("store", [_Own(key, key[0], store.get(key[0])) for key in keys]),
                saml=lambda keys: kept("saml", [_Own(key, key.id, others.get(key.key)) for key in keys]),
                client=lambda keys: kept("client", [_Own(key, str(key.id), others.get(key.pem)) for key in keys]),
            ),
        )
        if not ended:
            return live, ()
        return replace(live, plan=plan, revision=revision_of(plan), gateway=build_gateway(plan)), tuple(ended)

    def _of(self, live: Live, kind: RingKind) -> list[RingKey]:
        """The keys of the served plan's rings of the given kind."""
        return [one for ring in live.keyrings for one in self._rings.get((kind, ring.key), {}).values()]


OwnKey = TypeVar("OwnKey")


class _Own(NamedTuple, Generic[OwnKey]):
    """A key that the gateway serves.

    `dated`: the key's entry in its ring; None if the key belongs to no ring.
    """

    key: OwnKey
    id: str
    dated: RingKey | None


def _left(keys: Sequence[_Own[OwnKey]], now: float) -> Sequence[_Own[OwnKey]]:
    """The keys that have not ended, in the order of keyring.in_force: a future key seals or signs only if no other key
    can. If every key has ended, all keys stay: the gateway could not serve otherwise, and the refusal of the folder
    reports the ended keys."""
    left = [own for own in keys if own.dated is None or not _is_over(own.dated, now)]
    if not left or len(left) == len(keys):
        return keys

    def last(own: _Own[OwnKey]) -> tuple[bool, int]:
        since = 0 if own.dated is None else own.dated.since
        return since > now, -since

    return sorted(left, key=last)


def _is_over(one: RingKey, now: float) -> bool:
    return one.until is not None and one.until <= now


def told_of(ended: tuple[str, ...], why_not: str) -> str:
    """The text for the operator after the refusal of a folder.

    `why_not`: the reason why the workers did not take the plan without the ended keys."""
    keys = ", ".join(ended)
    return f"; the ended keys {keys} stay: {why_not}" if why_not else f"; the ended keys {keys} are gone"
