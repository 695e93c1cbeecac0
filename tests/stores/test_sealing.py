from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores.sealing import (
    READABLE,
    SHARDS,
    VERSION,
    SealBinding,
    StoreKeys,
    draw_key,
    join,
    key_id_of,
    log_name_of,
    new_id,
    open_sealed,
    seal,
    shard_of,
    shard_of_browser,
)
from tests.stores.samples import KEYS, OTHER_KEYS, browser

KEY = bytes(range(32))
NONCE = bytes(12)
SEAT = SealBinding("seat", "session-1", "permis.localhost")


def sealed(plain: bytes = b"plain", key_id: str = "k1") -> bytes:
    return seal(plain, key=KEY, key_id=key_id, nonce=NONCE, binding=SEAT)


def refused(record: bytes, *, key: bytes = KEY, binding: SealBinding = SEAT) -> bool:
    with pytest.raises(GatewayError) as caught:
        open_sealed(record, key=key, binding=binding)
    return caught.value.code is store_codes.UNREADABLE


def test_a_record_carries_its_version_and_key_id_and_opens() -> None:
    record = sealed()
    assert record.startswith(bytes((VERSION, 2)) + b"k1" + NONCE)
    assert key_id_of(record) == "k1"
    assert open_sealed(record, key=KEY, binding=SEAT) == b"plain"


@given(st.binary(max_size=200), st.text(st.characters(codec="ascii"), min_size=1, max_size=64))
def test_whatever_is_sealed_opens_again(plain: bytes, key_id: str) -> None:
    record = seal(plain, key=KEY, key_id=key_id, nonce=NONCE, binding=SEAT)
    assert (key_id_of(record), open_sealed(record, key=KEY, binding=SEAT)) == (key_id, plain)


def test_a_record_opens_in_its_place_and_under_its_key_only() -> None:
    for elsewhere in (
        replace(SEAT, kind="session"),
        replace(SEAT, id="session-2"),
        replace(SEAT, host="paie.localhost"),
        replace(SEAT, host=""),
        SealBinding("seat", "session-1permis", ".localhost"),
        SealBinding("seatsession-1", "", "permis.localhost"),
    ):
        assert refused(sealed(), binding=elsewhere)
    assert refused(sealed(), key=bytes(32))


def test_no_byte_of_a_record_can_change() -> None:
    record = sealed()
    for place in range(len(record)):
        for flip in (0x01, 0x80):
            assert refused(record[:place] + bytes([record[place] ^ flip]) + record[place + 1 :])


@given(st.binary(max_size=60))
def test_what_is_no_record_is_refused(record: bytes) -> None:
    assert refused(record)


def test_a_record_cut_short_or_made_longer_is_refused() -> None:
    record = sealed()
    assert all(refused(record[:length]) for length in range(len(record)))
    assert refused(record + b"\0")


def test_a_record_of_a_version_that_is_not_read_here_is_refused_before_it_is_opened() -> None:
    for version in {*range(256)} - READABLE:
        with pytest.raises(GatewayError, match="version"):
            key_id_of(bytes([version]) + sealed()[1:])


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [("k1", b"a" * 31)],
        [("k1", b"a" * 32), ("k2", b"")],
        [("k1", b"a" * 32), ("k1", b"b" * 32)],
        [("", b"a" * 32)],
    ],
)
def test_keys_that_are_too_short_or_not_told_apart_seal_nothing(keys: list[tuple[str, bytes]]) -> None:
    with pytest.raises(GatewayError):
        StoreKeys(keys)


def test_keys_of_different_purposes_salts_and_secrets_have_nothing_in_common() -> None:
    drawn = {
        draw_key(secret, purpose, salt)
        for secret in (b"a" * 43, b"b" * 43)
        for purpose in (b"lookup", b"wrap", b"seal")
        for salt in (b"", b"salt 1", b"salt 2")
    }
    assert len(drawn) == 18
    assert {len(key) for key in drawn} == {32}


@given(st.lists(st.binary(max_size=5), max_size=5), st.lists(st.binary(max_size=5), max_size=5))
def test_different_parts_never_join_to_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (join(*one) == join(*other)) == (one == other)


# --- ids


def test_a_shard_part_is_the_first_character_and_the_rest_is_random() -> None:
    ids = [new_id(shard="x") for _ in range(100)]
    assert {shard_of(id) for id in ids} == {"x"}
    assert len({id[1:] for id in ids}) == 100
    assert (len(new_id(shard="x")), len(new_id(size=16, shard="x")), len(new_id())) == (43, 22, 43)


def test_ids_without_one_fall_everywhere() -> None:
    assert {shard_of(new_id()) for _ in range(5000)} == set(SHARDS)


def test_the_browsers_fall_everywhere_and_each_in_one_place() -> None:
    found = Counter(shard_of_browser(browser(str(number))) for number in range(6400))
    assert set(found) == set(SHARDS)
    assert max(found.values()) < 200
    assert shard_of_browser("binding") == shard_of_browser("binding")


@pytest.mark.parametrize("id", ["", "é", "{t}", "*", "\x00", "\ud800", "\r\n"])
def test_what_is_no_id_of_ours_has_a_place_all_the_same(id: str) -> None:
    assert shard_of(id) == SHARDS[0]
    assert shard_of_browser(id) in SHARDS


# --- names for people in the log


def test_a_person_has_one_name_and_another_under_another_key() -> None:
    name = StoreKeys(KEYS).log_name("https://op.example", "helene")
    assert len(name) == 16
    assert int(name, 16)
    assert StoreKeys(KEYS).log_name("https://op.example", "helene") == name
    assert StoreKeys(OTHER_KEYS).log_name("https://op.example", "helene") != name


def test_the_same_subject_of_another_provider_is_another_person() -> None:
    here, there = (StoreKeys(KEYS).log_name(issuer, "helene") for issuer in ("https://op.example", "https://other"))
    assert here != there


def test_what_a_session_is_filed_under_tells_the_name_of_its_person() -> None:
    keys = StoreKeys(KEYS)
    assert log_name_of(keys.index("subject", "https://op.example", "helene")) == keys.log_name(
        "https://op.example", "helene"
    )


@given(st.text(), st.text())
def test_any_text_has_a_name_that_shows_nothing_of_it(issuer: str, subject: str) -> None:
    name = StoreKeys(KEYS).log_name(issuer, subject)
    assert len(name) == 16
    assert set(name) <= set("0123456789abcdef")
