"""Keyrings are looked at between reloads: a key that has come, begun or ended is taken, and a bad one tried later."""

import time
from pathlib import Path

from gateway.config.keyring import Keyring, RingKey, keyring_text
from gateway.config.schema.scalars import Reference
from gateway.server.compiling import Live, digest
from gateway.server.keyrings import Keyrings
from tests.config.samples import sample_snapshot

RING = Reference("file", "ring")
SECRET = {"secret": "0123456789abcdef" * 4}


def live(content: bytes) -> Live:
    return Live(b"", "", sample_snapshot().gateway, keyrings={RING: digest(content)})


def written(folder: Path, *keys: RingKey) -> bytes:
    (folder / "ring").write_bytes(content := keyring_text(Keyring("store", keys)))
    return content


def test_a_reload_is_due_when_a_key_comes_begins_or_ends(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    first, second = RingKey("a", now - 9, None, SECRET), RingKey("b", now + 3600, None, SECRET)
    taken = live(written(tmp_path, first))
    assert not keyrings.due(taken, now)
    later = written(tmp_path, first, second)
    assert keyrings.due(taken, now)
    assert not keyrings.due(live(later), now)
    begun = RingKey("b", now - 1, None, SECRET)
    written(tmp_path, first, begun)
    assert keyrings.due(live(later), now)
    in_order = keyring_text(Keyring("store", (begun, first)))
    assert not keyrings.due(live(in_order), now)
    written(tmp_path, RingKey("a", now - 9, now - 1, SECRET), begun)
    assert keyrings.due(live(in_order), now)


def test_what_cannot_be_taken_is_tried_again_after_ten_minutes_and_another_at_once(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    taken = live(written(tmp_path, RingKey("a", now - 9, None, SECRET)))
    (tmp_path / "ring").write_text("no ring")
    assert [keyrings.due(taken, now + after) for after in (0, 60, 599, 600, 660)] == [True, False, False, True, False]
    (tmp_path / "ring").write_text("another")
    assert keyrings.due(taken, now + 660)


def test_one_that_cannot_be_read_is_as_it_was(tmp_path: Path) -> None:
    taken = live(written(tmp_path, RingKey("a", int(time.time()) - 9, None, SECRET)))
    (tmp_path / "ring").unlink()
    assert not Keyrings(tmp_path).due(taken, time.time())
