"""What an operator has ordered to be looked up again, as every worker reads it."""

import stat
from pathlib import Path

import pytest

from gateway.directories import orders
from gateway.directories.orders import LookUpOrders

NOW = 1_700_000_000


def read(folder: Path) -> LookUpOrders:
    found = LookUpOrders(folder)
    found.read()
    return found


def test_nothing_is_ordered_where_there_is_no_file(tmp_path: Path) -> None:
    assert read(tmp_path / "nowhere").since("a") == 0


def test_an_order_means_those_that_it_names_until_all_are_meant(tmp_path: Path) -> None:
    given = LookUpOrders(tmp_path)
    given.give(["a", "b"], NOW)
    given.give(["b"], NOW + 5)
    assert [read(tmp_path).since(id) for id in "abc"] == [NOW, NOW + 5, 0]
    given.give(None, NOW + 9)
    given.give(["c"], NOW + 20)
    assert [read(tmp_path).since(id) for id in "abc"] == [NOW + 9, NOW + 9, NOW + 20]


def test_two_gateways_of_one_folder_leave_each_other_s_orders(tmp_path: Path) -> None:
    older, newer = LookUpOrders(tmp_path), LookUpOrders(tmp_path)
    older.give(["a"], NOW)
    newer.give(["b"], NOW)
    older.give(["c"], NOW)
    assert [read(tmp_path).since(id) for id in "abc"] == [NOW, NOW, NOW]


def test_it_is_for_its_owner_alone_and_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "_MOST", 2)
    given = LookUpOrders(tmp_path)
    given.give(["a", "b"], NOW)
    given.give(["c"], NOW + 1)
    assert [read(tmp_path).since(id) for id in "abc"] == [0, NOW, NOW + 1]
    given.give(["d"], NOW + 100 * 86400)
    assert [read(tmp_path).since(id) for id in "bcd"] == [0, 0, NOW + 100 * 86400]
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"all": "x", "sessions": {}}', '{"all": 1, "sessions": {"a": "b"}}', "\xff"]
)
def test_a_file_that_cannot_be_read_orders_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "look-up-again.json").write_bytes(text.encode("latin-1"))
    assert read(tmp_path).since("a") == 0
