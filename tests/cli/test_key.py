"""`ecluse key`: keyrings are made, listed, rotated and their keys retired; nothing secret is shown."""

import fcntl
import json
import os
import stat
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.config.check.keyrings import check_keyring
from gateway.config.keyring import RingKey, RingKind, in_use, keyring_text, read_keyring
from tests.cli.test_main import ECLUSE, called


def key(folder: Path, *words: str, code: int = 0) -> str:
    told = called("key", *words, at=folder)
    assert told.returncode == code, told.stderr + told.stdout
    return told.stdout if code == 0 else told.stderr


@pytest.mark.parametrize(
    ("kind", "words"),
    [("store", ()), ("saml", ()), ("client", ()), ("client", ("--algorithm", "RS256"))],
)
def test_a_new_keyring_can_be_served_at_once_and_is_its_makers_alone(
    tmp_path: Path, kind: RingKind, words: tuple[str, ...]
) -> None:
    assert key(tmp_path, "new", kind, "ring", "--id", "first", *words).startswith("first: used from 20")
    content = (tmp_path / "ring").read_bytes()
    check_keyring(kind, content)
    assert in_use(read_keyring(content), time.time()) is not None
    assert stat.S_IMODE((tmp_path / "ring").stat().st_mode) == 0o600
    assert "ring exists already: ecluse key rotate ring" in key(tmp_path, "new", kind, "ring", code=1)
    assert (tmp_path / "ring").read_bytes() == content
    assert [name for name in os.listdir(tmp_path) if name != "ring"] == []


def test_keys_are_rotated_and_retired_and_listed_by_id_and_dates(tmp_path: Path) -> None:
    key(tmp_path, "new", "store", "ring", "--id", "a")
    (tmp_path / "ring").chmod(0o640)
    told = key(tmp_path, "rotate", "ring", "--id", "b", "--in", "5m", "--keep", "12h")
    assert told.startswith("b: used from 20")
    assert "; the others are accepted until 20" in told
    assert stat.S_IMODE((tmp_path / "ring").stat().st_mode) == 0o640
    lines = key(tmp_path, "list", "ring").splitlines()
    assert [line.split()[:3] for line in lines] == [["a", "in", "use"], ["b", "to", "come"]]
    listed = json.loads(key(tmp_path, "list", "ring", "--output", "json"))["keys"]
    assert [set(one) for one in listed] == [{"id", "state", "from", "until"}] * 2
    begins, ends = (datetime.fromisoformat(moment) for moment in (listed[1]["from"], listed[0]["until"]))
    assert ends - begins == timedelta(hours=12)
    assert timedelta(seconds=200) < begins - datetime.now(UTC) <= timedelta(minutes=5)
    why = "a is the key in use, and none follows it by then: rotate first"
    assert why in key(tmp_path, "retire", "ring", "a", code=1)
    assert key(tmp_path, "retire", "ring", "b").startswith("b: accepted until 20")
    assert "b  over  from" in key(tmp_path, "list", "ring")
    assert "there is no key c" in key(tmp_path, "retire", "ring", "c", code=1)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ("rotate", "ring", "--in", "299s"),
            "--in: write 5m or more, so that every gateway has read",
        ),
        (("rotate", "ring", "--in", "soon"), "soon: write a time as a number with s, m, h or d: 8h"),
        (("rotate", "ring", "--id", "a"), "the key a exists already: choose another --id"),
        (("rotate", "ring", "--id", "a b"), "ring: key 2 has no id as it can be, or a member that is no text"),
        (("list", "plain"), "plain: this is no keyring"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    key(tmp_path, "new", "store", "ring", "--id", "a")
    (tmp_path / "plain").write_text("0123456789abcdef" * 4)
    before = (tmp_path / "ring").read_bytes()
    assert why in key(tmp_path, *words, code=1)
    assert (tmp_path / "ring").read_bytes() == before


def test_a_store_key_that_stood_alone_goes_on_in_a_keyring(tmp_path: Path) -> None:
    (tmp_path / "store.key").write_bytes(b"0123456789abcdef" * 4 + b"\n")
    assert key(tmp_path, "new", "store", "ring", "--from", "store.key", "--id", "k1").startswith("k1: used from 20")
    (only,) = read_keyring((tmp_path / "ring").read_bytes()).keys
    assert (only.id, only.until, only.parts) == ("k1", None, {"secret": "0123456789abcdef" * 4})
    assert stat.S_IMODE((tmp_path / "ring").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "content", "why"),
    [
        (("store", "--from", "store.key"), b"0" * 32, "repeat the id of the key in `keys` (--id k1)"),
        (("saml", "--from", "store.key", "--id", "k1"), b"0" * 32, "--from is for a store key from `keys`"),
        (
            ("store", "--from", "store.key", "--id", "k1"),
            b"\xff" * 32,
            "a keyring holds only keys that are text",
        ),
        (("store", "--from", "store.key", "--id", "k1"), b"0" * 31, "a store key has at least 32 bytes"),
    ],
)
def test_what_stood_alone_is_refused_where_it_would_open_nothing(
    tmp_path: Path, words: tuple[str, ...], content: bytes, why: str
) -> None:
    (tmp_path / "store.key").write_bytes(content)
    kind, *more = words
    assert why in key(tmp_path, "new", kind, "ring", *more, code=1)
    assert not (tmp_path / "ring").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("list", "other"), "other: No such file or directory"),
        (("rotate", "other"), "other: No such file or directory"),
        (("retire", "nowhere/other", "a"), "nowhere: No such file or directory"),
        (("new", "store", "ring", "--from", "none.key", "--id", "k1"), "none.key: No such file or directory"),
    ],
)
def test_a_file_that_is_named_and_cannot_be_read_is_wrong_usage(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    assert why in key(tmp_path, *words, code=2)


def test_one_key_waits_at_a_time(tmp_path: Path) -> None:
    key(tmp_path, "new", "store", "ring")
    key(tmp_path, "rotate", "ring", "--id", "b")
    assert "a key is waiting already" in key(tmp_path, "rotate", "ring", "--id", "c", code=1)


@pytest.mark.parametrize("words", [("rotate", "ring", "--id", "c"), ("retire", "ring", "b")])
def test_a_change_waits_for_another_and_begins_with_what_that_has_written(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    key(tmp_path, "new", "store", "ring", "--id", "a")
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    before = (tmp_path / "ring").read_bytes()
    with subprocess.Popen([str(ECLUSE), "key", *words], cwd=tmp_path, stdout=-1, stderr=-1, text=True) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        assert (tmp_path / "ring").read_bytes() == before
        ring = read_keyring(before)
        waiting = RingKey("b", int(time.time()) + 900, None, {"secret": "0123456789abcdef" * 4})
        (tmp_path / "ring").write_bytes(keyring_text(replace(ring, keys=(*ring.keys, waiting))))
        os.close(held)
        told, errors = process.communicate(timeout=60)
    assert "a key is waiting already" in errors or told.startswith("b: accepted until")
