"""N reads N-1: the file of account requests that earlier releases wrote (tests/accounts/record_requests.py)."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.request_file import REQUESTS_NAME, REQUESTS_SCHEMA
from gateway.accounts.seals import LinkKeys
from gateway.model.account import AccountHolder
from tests.accounts.record import NEXT
from tests.accounts.record_requests import RECORDED, REQUESTS, request_file, written
from tests.accounts.recordings import assert_recorded, play
from tests.accounts.samples import KEYS

FILES = sorted(RECORDED.glob("*.json"))


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def told(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """What a recording says, with its file put where requests are."""
    return play(request.param, tmp_path / REQUESTS_NAME)


def test_what_this_release_writes_is_recorded(tmp_path: Path) -> None:
    assert f"{REQUESTS_SCHEMA}" in [file.stem for file in FILES], "python -m tests.accounts.record_requests"
    holds = written(tmp_path / REQUESTS_NAME)
    assert_recorded(tmp_path / REQUESTS_NAME, RECORDED / f"{REQUESTS_SCHEMA}.json", holds)


@pytest.mark.parametrize("keys", [KEYS, NEXT, NEXT[:1]], ids=["old key", "both keys", "new key"])
def test_every_request_is_read_with_each_key_that_has_opened_it(
    keys: LinkKeys, told: dict[str, Any], tmp_path: Path
) -> None:
    with closing(request_file(tmp_path / REQUESTS_NAME, keys)) as file:
        assert [asdict(one) for one in file.all()] == told["holds"]


def test_each_person_is_found_refused_and_forgotten(told: dict[str, Any], tmp_path: Path) -> None:
    with closing(request_file(tmp_path / REQUESTS_NAME)) as file:
        for one in told["holds"]:
            found = file.find(AccountHolder(**one["asked"]["holder"]))
            assert found is not None
            assert found.reference == one["reference"]
            assert file.refuse(found.reference, {})
            assert file.forget(found.reference)
        assert file.ask(REQUESTS[0])[1]
