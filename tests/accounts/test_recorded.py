"""N reads N-1: the file of account links that earlier releases wrote, recorded by tests/accounts/record.py."""

from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.file import MADE, NAME, SCHEMA_VERSION
from gateway.accounts.seals import LinkKeys
from gateway.model.account import AccountHolder
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from tests.accounts.record import LINKS, NEXT, RECORDED, plain, written
from tests.accounts.recordings import assert_recorded, play
from tests.accounts.samples import KEYS, link, link_file

FILES = sorted(RECORDED.glob("*.json"))


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def told(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """What a recording says, with its file put where links are."""
    read = play(request.param, tmp_path / NAME)
    (tmp_path / MADE).touch()
    return read


def test_what_this_release_writes_is_recorded(tmp_path: Path) -> None:
    assert f"{SCHEMA_VERSION}" in [file.stem for file in FILES], "python -m tests.accounts.record"
    holds = written(tmp_path / NAME)
    assert_recorded(tmp_path / NAME, RECORDED / f"{SCHEMA_VERSION}.json", holds)


@pytest.mark.parametrize("keys", [KEYS, NEXT, NEXT[:1]], ids=["old key", "both keys", "new key"])
def test_every_link_is_read_with_each_key_that_has_opened_it(
    keys: LinkKeys, told: dict[str, Any], tmp_path: Path
) -> None:
    assert told["holds"]
    assert plain(link_file(tmp_path, keys)) == told["holds"]


def test_each_person_is_found_and_keeps_the_login(told: dict[str, Any], tmp_path: Path) -> None:
    file = link_file(tmp_path)
    for one in told["holds"]:
        found = file.find(AccountHolder(*one["holder"]), shared=one["login"] == "commun")
        assert found is not None
        assert found.login == one["login"]
    # It is found by its keyed hash, too, when somebody else asks for it.
    with pytest.raises(GatewayError) as error:
        file.add([link(LINKS[0].login, AccountHolder("permis", "https://third.example", "subject=x"))])
    assert error.value.code is account_codes.TAKEN


def test_links_are_added_and_taken_away_beside_the_old_ones(told: dict[str, Any], tmp_path: Path) -> None:
    file, first = link_file(tmp_path), told["holds"][0]
    assert file.add([link("nouvelle", AccountHolder("permis", "https://third.example", "subject=x"))]) == [True]
    assert file.remove([AccountHolder(*first["holder"])]) == 1
    left = [one for one in plain(file) if one["login"] != "nouvelle"]
    assert left == told["holds"][1:]
