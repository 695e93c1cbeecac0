"""The keyrings that the folder names: whether a key has come, begun or ended since they were taken.

A store key that has ended is taken away even where the folder cannot be taken as it is.
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from gateway.config.compile.plan import revision_of, with_store_keys
from gateway.config.folder.read import read_keyrings, text_in_force
from gateway.config.keyring import NoKeyring, RingKey, read_keyring
from gateway.server.compiling import Live, digest

# Seconds until what could not be taken is tried again.
_AGAIN: Final = 600


class Keyrings:
    """Those of one gateway, looked at by its supervisor."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tried: dict[str, bytes] = {}
        self._again = 0.0
        # Of the store's keyrings, by reference and id, as they were read last: a file may be unreadable later.
        self._dates: dict[str, dict[str, RingKey]] = {}

    def due(self, live: Live, now: float) -> bool:
        """Whether a reload would change them. Reads the files; one that cannot be read is as it was."""
        contents = self.look(live)
        found = {key: digest(text_in_force(content, now)) for key, content in contents.items()}
        taken = {ring.key: digest for ring, digest in live.keyrings.items() if ring.key in found}
        is_tried = found == taken or (found == self._tried and now < self._again)
        if is_tried and not self._ended(live, now):
            return False
        self._tried, self._again = found, now + _AGAIN
        return True

    def look(self, live: Live) -> dict[str, bytes]:
        """Remembers the dates of what can be read."""
        contents = read_keyrings(self._folder, live.keyrings)
        for key, content in contents.items():
            with suppress(NoKeyring):
                if (ring := read_keyring(content)).kind == "store":
                    self._dates.setdefault(key, {}).update({one.id: one for one in ring.keys})
        return contents

    def without_ended(self, live: Live, now: float) -> tuple[Live, tuple[str, ...]]:
        """What is served, without the store keys that have ended, and their ids: where the folder is refused."""
        self.look(live)
        if not (ended := self._ended(live, now)):
            return live, ()
        dates = self._dates_of(live)

        def last(key: tuple[str, bytes]) -> tuple[bool, int]:
            """As keyring.in_force has them: what is yet to come seals only where nothing else can."""
            since = dates[key[0]].since if key[0] in dates else 0
            return since > now, -since

        kept = tuple(sorted((key for key in live.gateway.store_keys if key[0] not in ended), key=last))
        plan = with_store_keys(live.plan, kept)
        gateway = replace(live.gateway, store_keys=kept)
        return replace(live, plan=plan, revision=revision_of(plan), gateway=gateway), ended

    def _ended(self, live: Live, now: float) -> tuple[str, ...]:
        """None where every key has: there would be no store without one, and the refusal of the folder says so."""
        dates, served = self._dates_of(live), [id for id, _ in live.gateway.store_keys]
        ends = {id: dates[id].until for id in served if id in dates}
        ended = tuple(id for id, until in ends.items() if until is not None and until <= now)
        return ended if len(ended) < len(served) else ()

    def _dates_of(self, live: Live) -> dict[str, RingKey]:
        return {id: one for ring in live.keyrings for id, one in self._dates.get(ring.key, {}).items()}


def told_of(ended: tuple[str, ...], why_not: str) -> str:
    """For the operator, after the refusal of a folder. `why_not`: why the workers did not take it."""
    keys = ", ".join(ended)
    return f"; the ended store keys {keys} stay: {why_not}" if why_not else f"; the ended store keys {keys} are gone"
