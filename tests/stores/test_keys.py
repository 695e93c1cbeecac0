import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores.sealing import StoreKeys
from tests.stores.samples import KEYS, OTHER_KEYS


def test_the_first_key_is_current_and_every_key_is_looked_under() -> None:
    keys = StoreKeys(OTHER_KEYS + KEYS)
    assert keys.current == "k2"
    assert keys.index("subject", "a", "b") == StoreKeys(OTHER_KEYS).index("subject", "a", "b")
    assert keys.indexes("subject", "a", "b") == (
        StoreKeys(OTHER_KEYS).index("subject", "a", "b"),
        StoreKeys(KEYS).index("subject", "a", "b"),
    )


def test_an_index_depends_on_the_key_the_kind_and_each_part() -> None:
    keys = StoreKeys(KEYS)
    values = [
        ("subject", "a", "bc"),
        ("subject", "ab", "c"),
        ("sid", "a", "bc"),
        ("subject", "abc"),
        ("subject", "abc", ""),
    ]
    assert len({keys.index(*value) for value in values}) == len(values)
    assert keys.index("subject", "\ud800") != keys.index("subject", "?")


def test_what_was_drawn_under_a_key_that_is_gone_has_no_salt() -> None:
    with pytest.raises(GatewayError, match="no store key `k2`") as caught:
        StoreKeys(KEYS).salt("k2")
    assert caught.value.code is store_codes.UNREADABLE


def test_what_holds_the_keys_of_a_worker_changes_with_them_and_pairs_stay() -> None:
    keys = StoreKeys(KEYS)
    held, own = StoreKeys.of(keys), StoreKeys.of(KEYS)
    assert keys.replace(OTHER_KEYS + KEYS) == frozenset()
    assert (held.current, own.current) == ("k2", "k1")
    assert held.indexes("subject", "a") == StoreKeys(OTHER_KEYS + KEYS).indexes("subject", "a")
    assert keys.replace(OTHER_KEYS) == {"k1"}
    with pytest.raises(GatewayError, match="no store key `k1` any more"):
        held.note_key("k1")
    with pytest.raises(GatewayError, match="at least one"):
        keys.replace(())
    assert held.current == "k2"


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ((), "at least one"),
        (KEYS + KEYS, "each its own id"),
        ((("", b"x" * 32),), "ASCII characters"),
        ((("clé", b"x" * 32),), "ASCII characters"),
        ((("k" * 65, b"x" * 32),), "ASCII characters"),
        ((("k1", b"x" * 31),), "under 32 bytes"),
    ],
)
def test_keys_that_cannot_serve_are_refused(keys: tuple[tuple[str, bytes], ...], why: str) -> None:
    with pytest.raises(GatewayError, match=why):
        StoreKeys(keys)
