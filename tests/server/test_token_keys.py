"""Keys that the gateway makes for tokens: once, for this account alone, and changed without a token being refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.compile.plan import revision_of, signed_with
from gateway.server.compiling import Live, Refused
from gateway.server.token_keys import (
    FILE,
    PUBLISHED_AFTER,
    PUBLISHED_BEFORE,
    MadeKey,
    TokenKeys,
    next_change,
    published,
    renewed,
)
from gateway.tokens.spec import SigningKey
from tests.config.samples import GATEWAY, PERMIS, sample_files, sample_snapshot
from tests.tokens.keys import pem

NOW, DAY = 1_800_000_000, 86400
ROTATE = 90 * DAY
SIGNED = {"apps/permis.yaml": PERMIS.replace("access:", "  jwt: {cookie: T}\naccess:")}


class Told:
    """The log."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def event(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))


def ids(keys: tuple[SigningKey, ...]) -> list[str]:
    return [key.id for key in keys]


def es256(keys: list[MadeKey], now: int) -> list[MadeKey]:
    return renewed(keys, {"ES256"}, ROTATE, now)


def live(folder: Path, files: dict[str, str] = SIGNED, **gateway: Any) -> Live:
    """Of these files, with the state in `folder`."""
    plan = compile_files(sample_files(files)).plan
    return Live(plan, revision_of(plan), replace(build(plan).gateway, state_folder=str(folder), **gateway))


# --- what there has to be


def test_a_key_is_made_once_and_signs_at_once() -> None:
    (key,) = first = es256([], NOW)
    assert es256(first, NOW + ROTATE - 1) == first
    assert len(published(first, NOW)) == 1
    assert (key.algorithm, key.made) == ("ES256", NOW)
    assert b"PRIVATE KEY" in key.pem
    assert "PRIVATE" not in repr(key)


def test_the_next_one_is_published_before_it_signs_and_the_last_one_until_its_tokens_have_ended() -> None:
    old = es256([], NOW)
    changed = NOW + ROTATE
    both = es256(old, changed)
    assert len(both) == 2
    before, after = ids(published(both, changed)), ids(published(both, changed + PUBLISHED_BEFORE))
    # The first signs.
    assert before == ids(published(old, changed)) + after[:1]
    assert after == before[::-1]
    last = changed + PUBLISHED_BEFORE + PUBLISHED_AFTER
    assert es256(both, last - 1) == both
    assert es256(both, last) == both[1:]


def test_what_changes_next_is_known() -> None:
    old = es256([], NOW)
    assert next_change(old, ROTATE, NOW) == NOW + ROTATE
    both = es256(old, NOW + ROTATE)
    moments = []
    now: float = NOW + ROTATE
    for _ in range(3):
        now = next_change(both, ROTATE, int(now))
        moments.append(now - NOW - ROTATE)
    assert moments == [PUBLISHED_BEFORE, PUBLISHED_BEFORE + PUBLISHED_AFTER, ROTATE]
    assert next_change([], ROTATE, NOW) == float("inf")


def test_each_algorithm_has_its_own() -> None:
    keys = renewed([], {"ES256", "EdDSA", "RS256"}, ROTATE, NOW)
    assert {key.algorithm for key in keys} == {"ES256", "EdDSA", "RS256"}
    found = published(keys, NOW)
    assert {key.algorithm for key in found[:3]} == {"ES256", "EdDSA", "RS256"}
    # What no application asks for at the moment stays, and is not changed.
    assert renewed(keys, {"ES256"}, ROTATE, NOW + 1) == keys
    later = renewed(keys, {"ES256"}, ROTATE, NOW + ROTATE)
    assert [key.algorithm for key in later].count("EdDSA") == 1


# --- where they are kept


def test_they_are_written_once_for_this_account_alone_and_read_again(tmp_path: Path) -> None:
    told = Told()
    first = TokenKeys(told).added(live(tmp_path), NOW)
    assert build(first.plan).gateway.token_keys == first.gateway.token_keys
    assert build(first.plan).revision == first.revision == revision_of(first.plan)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [event for event, _ in told.events] == ["tokens.key_made"]
    assert told.events[0][1] == {"kid": first.gateway.token_keys[0].id, "algorithm": "ES256"}
    # Another process, later: the same, and nobody is told anything.
    again = Told()
    assert TokenKeys(again).added(live(tmp_path), NOW + DAY).plan == first.plan
    assert again.events == []


def test_a_reload_changes_them_when_it_is_time(tmp_path: Path) -> None:
    keys = TokenKeys(Told())
    first = keys.added(live(tmp_path), NOW)
    assert not keys.due(NOW + ROTATE - 1)
    assert keys.due(NOW + ROTATE)
    # It is not asked for each minute, should the folder not be one to take just now.
    assert not keys.due(NOW + ROTATE + 60)
    second = keys.added(live(tmp_path), NOW + ROTATE)
    assert ids(second.gateway.token_keys)[:1] == ids(first.gateway.token_keys)
    assert keys.due(NOW + ROTATE + PUBLISHED_BEFORE)
    third = keys.added(live(tmp_path), NOW + ROTATE + PUBLISHED_BEFORE)
    assert ids(third.gateway.token_keys) == ids(second.gateway.token_keys)[::-1]
    assert len(json.loads((tmp_path / FILE).read_bytes())) == 2


@pytest.mark.parametrize(
    "files",
    [
        {},
        {**SIGNED, "gateway.yaml": GATEWAY + "tokens: {keys: [{key: {file: own.pem}}]}\n"},
    ],
    ids=["no signed tokens", "keys of the file"],
)
def test_none_are_made_where_none_are_needed(tmp_path: Path, files: dict[str, str]) -> None:
    plan = compile_files(sample_files(files, {"file:own.pem": pem("ES256")})).plan
    given = Live(plan, revision_of(plan), replace(build(plan).gateway, state_folder=str(tmp_path)))
    keys = TokenKeys(Told())
    assert keys.added(given, NOW) is given
    assert list(tmp_path.iterdir()) == []
    assert not keys.due(NOW + 10 * ROTATE)


def test_those_in_memory_are_written_nowhere(tmp_path: Path) -> None:
    keys = TokenKeys(Told())
    first = keys.added(live(tmp_path, store="memory"), NOW)
    assert first.gateway.token_keys
    assert keys.added(live(tmp_path, store="memory"), NOW + 1).gateway.token_keys == first.gateway.token_keys
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_no_token(tmp_path: Path) -> None:
    told = Told()
    keys = TokenKeys(told)
    assert keys.added(live(tmp_path / "gone"), NOW).gateway.token_keys
    assert [event for event, _ in told.events] == ["tokens.key_made", "tokens.key_not_kept"]
    # It is tried again.
    assert keys.due(NOW + 600)
    (tmp_path / "gone").mkdir()
    keys.added(live(tmp_path / "gone"), NOW + 600)
    assert (tmp_path / "gone" / FILE).exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]x", b'[{"algorithm": "ES256"}]', b'[{"algorithm": "ES256", "made": 1, "pem": "x"}]', b"{}x"],
)
def test_what_is_no_key_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Refused, match="does not contain the keys"):
        TokenKeys(Told()).added(live(tmp_path), NOW)
    assert path.read_bytes() == content


def test_keys_that_others_can_read_are_used_no_more(tmp_path: Path) -> None:
    TokenKeys(Told()).added(live(tmp_path), NOW)
    (tmp_path / FILE).chmod(0o640)
    with pytest.raises(Refused, match="is open to other accounts: mode 640"):
        TokenKeys(Told()).added(live(tmp_path), NOW)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    TokenKeys(Told()).added(live(tmp_path), NOW)
    (tmp_path / FILE).rename(tmp_path / "elsewhere")
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused):
        TokenKeys(Told()).added(live(tmp_path), NOW)


def test_the_algorithms_are_those_that_applications_ask_for() -> None:
    files = {"apps/permis.yaml": PERMIS.replace("access:", "  jwt: {cookie: T, algorithm: EdDSA}\naccess:")}
    assert signed_with(compile_files(sample_files(files)).plan) == {"EdDSA"}
    assert signed_with(compile_files(sample_files({})).plan) == frozenset()
    assert sample_snapshot(files).gateway.token_rotation == ROTATE
