"""A worker and the file of account requests: what is over is erased though nobody looks."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.accounts import asking
from gateway.accounts.asking import AccountAsking
from gateway.accounts.request import NewRequest
from gateway.accounts.request_file import LASTS, RequestFile
from gateway.model.account import AccountHolder
from tests.patience import until

pytestmark = pytest.mark.asyncio

KEYS = (("r1", b"of-the-requests-0123456789" * 2),)


def ask(path: Path, subject: str, age: float) -> None:
    new = NewRequest(AccountHolder("permis", "https://alpha.example", f"subject={subject}"), subject)
    with closing(RequestFile(path, KEYS, now=lambda: time.time() - age)) as file:
        assert file.ask(new)[1]


def kept(path: Path) -> int:
    with closing(sqlite3.connect(path)) as file:
        (number,) = file.execute("SELECT count(*) FROM requests").fetchone()
    return int(number)


async def test_what_is_over_is_erased_at_the_start_and_from_time_to_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_PURGE_EVERY", 0.02)
    path = tmp_path / "requests.sqlite"
    ask(path, "paul", LASTS + 1)
    one = AccountAsking(path, keys=lambda: KEYS)
    one.start()
    await until(lambda: kept(path) == 0)
    ask(path, "anne", 0)
    ask(path, "luc", LASTS + 1)
    await until(lambda: kept(path) == 1)
    one.close()


async def test_where_no_keys_are_given_nothing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "requests.sqlite"
    one = AccountAsking(path, keys=lambda: ())
    one.start()
    one.close()
    assert not path.exists()
