"""The file of account requests: one of each person at an application, bounded, sealed, gone when its time is over."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from gateway.accounts import request_file as module
from gateway.accounts.request import AccountRequest, NewRequest
from gateway.accounts.request_file import LASTS, REQUESTS_NAME, RequestFile
from gateway.accounts.seals import LinkKeys
from gateway.model.codes import account_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from tests.accounts.samples import KEYS, OTHER_ISSUER, holder, link, link_file
from tests.accounts.test_file import full_disk

NOW = 1_800_000_000


class Clock:
    def __init__(self) -> None:
        self.now = NOW


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> Iterator[RequestFile]:
    with closing(opened(tmp_path, clock)) as file:
        yield file


def opened(folder: Path, clock: Clock, keys: LinkKeys = KEYS) -> RequestFile:
    drawn = count(1)
    return RequestFile(
        folder / REQUESTS_NAME, keys, now=lambda: clock.now, chance=lambda size: next(drawn).to_bytes(size)
    )


def new(who: str = "helene", application: str = "permis", **more: str) -> NewRequest:
    told = {"name": "Hélène Durand", "mail": "h@ville.example", "organisation": "21590350100017", "text": "Bonjour"}
    return NewRequest(holder(f"subject={who}", application), who, **{**told, **more})


def refused(code: Code, step: Callable[[], object]) -> str:
    with pytest.raises(GatewayError) as error:
        step()
    assert error.value.code is code, error.value
    return error.value.detail


def by_hand(folder: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / REQUESTS_NAME, isolation_level=None)) as connection:
        return connection.execute(statement, values).fetchall()


# --- one of each person


def test_a_request_is_kept_once_and_read_back(file: RequestFile, tmp_path: Path, clock: Clock) -> None:
    assert file.find(holder()) is None
    assert not list(tmp_path.iterdir()), "nothing is made where nothing is kept"
    sent, is_new = file.ask(new())
    assert is_new
    assert sent == AccountRequest(sent.reference, new(), NOW, NOW + LASTS)
    clock.now += 60
    assert file.ask(new(text="Encore")) == (sent, False), "asking again changes nothing of it"
    assert (file.find(holder()), file.of(sent.reference), file.all()) == (sent, sent, [sent])
    assert file.find(holder("subject=paul")) is None
    assert file.find(holder(application="paie")) is None
    assert file.find(holder(issuer=OTHER_ISSUER)) is None, "the same subject of another issuer is another person"
    assert [path.name for path in tmp_path.iterdir()] == [REQUESTS_NAME]


def test_each_has_a_reference_of_its_own(file: RequestFile) -> None:
    found = {file.ask(new(who))[0].reference for who in ("a", "b", "c")}
    assert len(found) == 3
    assert file.of("NOSUCH22") is None


def test_they_are_listed_in_the_order_in_which_they_came(file: RequestFile, clock: Clock) -> None:
    for who, application in (("zoe", "permis"), ("anne", "paie"), ("luc", "permis")):
        file.ask(new(who, application))
        clock.now += 1
    assert [one.asked.subject for one in file.all()] == ["zoe", "anne", "luc"]
    assert [one.asked.subject for one in file.all("permis")] == ["zoe", "luc"]


def test_a_refusal_is_told_as_long_as_a_request_is_kept(file: RequestFile, clock: Clock) -> None:
    sent, _ = file.ask(new())
    clock.now += 100
    assert file.refuse(sent.reference, {"fr": "Non.", "en": "No."})
    found = file.find(holder())
    assert found is not None
    assert found.refusal is not None
    assert (found.refusal.at, found.refusal.words) == (NOW + 100, {"fr": "Non.", "en": "No."})
    assert (found.at, found.until) == (NOW, NOW + 100 + LASTS)
    assert file.ask(new()) == (found, False), "no second one meanwhile"
    assert not file.refuse("NOSUCH22", {})


def test_one_that_is_forgotten_can_be_sent_again(file: RequestFile) -> None:
    sent, _ = file.ask(new())
    assert file.forget(sent.reference)
    assert not file.forget(sent.reference)
    assert file.find(holder()) is None
    assert file.ask(new())[1]


def test_past_its_time_it_is_as_if_there_had_been_none_and_then_it_is_gone(
    file: RequestFile, tmp_path: Path, clock: Clock
) -> None:
    sent, _ = file.ask(new())
    clock.now += LASTS - 1
    file.purge()
    assert file.find(holder()) == sent
    clock.now += 1
    assert (file.find(holder()), file.of(sent.reference), file.all()) == (None, None, [])
    ((sealed,),) = by_hand(tmp_path, "SELECT sealed FROM requests")
    assert isinstance(sealed, bytes)
    file.purge()
    assert by_hand(tmp_path, "SELECT count(*) FROM requests") == [(0,)]
    assert sealed[-40:] not in (tmp_path / REQUESTS_NAME).read_bytes(), "it is overwritten"
    assert file.ask(new())[1]


# --- floods


@pytest.mark.parametrize(
    ("quota", "asks", "other"),
    [
        ("MOST_OF_PERSON", lambda number: new("helene", f"app{number}"), new("paul")),
        ("MOST_OF_APPLICATION", lambda number: new(f"person{number}"), new("paul", "paie")),
        ("MOST_IN_ALL", lambda number: new(f"person{number}", f"app{number}"), None),
        ("MOST_OF_ORGANISATION_THERE", lambda number: new(f"person{number}"), new("paul", organisation="2")),
        ("MOST_OF_ORGANISATION_THERE", lambda number: new(f"person{number}"), new("paul", "paie")),
        ("MOST_OF_ORGANISATION", lambda number: new(f"person{number}", f"app{number}"), new("paul", organisation="")),
    ],
)
def test_requests_are_bounded_of_a_person_an_organisation_an_application_and_in_all(
    file: RequestFile,
    monkeypatch: pytest.MonkeyPatch,
    quota: str,
    asks: Callable[[int], NewRequest],
    other: NewRequest | None,
) -> None:
    monkeypatch.setattr(module, quota, 3)
    first, _ = file.ask(asks(0))
    file.ask(asks(1))
    file.ask(asks(2))
    assert "where 3 are the most" in refused(account_codes.QUOTA, lambda: file.ask(asks(3)))
    assert file.ask(asks(0)) == (first, False), "whoever has asked reads so"
    assert len(file.all()) == 3
    assert other is None or file.ask(other)[1]
    file.forget(first.reference)
    assert file.ask(asks(3))[1] is True


def test_people_of_one_provider_leave_room_for_those_of_another(
    file: RequestFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider may let anybody open an account: no number of them keeps the others out."""
    monkeypatch.setattr(module, "MOST_OF_ORGANISATION", 2)
    for who in ("a", "b"):
        file.ask(new(who, organisation=""))
    assert "of one organisation" in refused(account_codes.QUOTA, lambda: file.ask(new("c", organisation="")))
    other = new("c", organisation="")
    assert file.ask(replace(other, holder=replace(other.holder, issuer=OTHER_ISSUER)))[1]


def test_what_is_over_counts_no_longer(file: RequestFile, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(module, "MOST_IN_ALL", 1)
    file.ask(new())
    clock.now += LASTS
    assert file.ask(new("paul"))[1]


def test_the_last_that_is_taken_is_the_ten_thousandth(file: RequestFile, tmp_path: Path) -> None:
    file.ask(new())
    by_hand(
        tmp_path,
        "WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 9998)"
        " INSERT INTO requests SELECT CAST(n AS BLOB), n, 'app' || (n / 4000), CAST(n AS BLOB), ?, ?, x'00', NULL"
        " FROM more",
        NOW,
        NOW + LASTS,
    )
    assert file.ask(new("luc"))[1]
    assert "10000 requests of all" in refused(account_codes.QUOTA, lambda: file.ask(new("zoe")))


# --- what is on the disk


def test_the_file_says_nothing_of_anybody_and_is_its_owners_alone(file: RequestFile, tmp_path: Path) -> None:
    sent, _ = file.ask(new())
    file.refuse(sent.reference, {"fr": "Vous êtes parti."})
    content = (tmp_path / REQUESTS_NAME).read_bytes()
    for word in ("Durand", "helene", "op.example", "ville.example", "21590350100017", "Bonjour", "parti"):
        assert word.encode() not in content, word
    assert (tmp_path / REQUESTS_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("column", ["sealed", "refusal"])
def test_a_record_moved_to_another_persons_row_does_not_open(file: RequestFile, tmp_path: Path, column: str) -> None:
    helene, paul = (file.ask(new(who))[0].reference for who in ("helene", "paul"))
    for one in (helene, paul):
        file.refuse(one, {"fr": f"Non, {one}."})
    by_hand(
        tmp_path,
        f"UPDATE requests SET {column} = (SELECT {column} FROM requests WHERE reference = ?) WHERE reference = ?",
        paul, helene,
    )  # fmt: skip
    refused(account_codes.RECORD, lambda: file.find(holder()))
    refused(account_codes.RECORD, lambda: file.of(helene))
    refused(account_codes.RECORD, file.all)
    assert file.of(paul) is not None


@pytest.mark.parametrize("change", ["application = 'paie'", "reference = 'AAAA2222'", "at = at - 1"])
def test_what_stands_beside_the_seal_is_bound_to_it(file: RequestFile, tmp_path: Path, change: str) -> None:
    file.ask(new())
    by_hand(tmp_path, f"UPDATE requests SET {change}")
    refused(account_codes.RECORD, file.all)


def test_no_key_of_the_links_opens_a_request_and_none_of_a_request_a_link(
    file: RequestFile, tmp_path: Path, clock: Clock
) -> None:
    file.ask(new())
    links = link_file(tmp_path)
    links.add([link()])
    with closing(sqlite3.connect(tmp_path / "links.sqlite")) as connection:
        ((wrapped,),) = connection.execute("SELECT wrapped FROM keys").fetchall()
    by_hand(tmp_path, "UPDATE keys SET wrapped = ?", wrapped)
    with closing(opened(tmp_path, clock)) as again:
        refused(account_codes.KEY, again.all)


def test_a_new_key_before_the_old_one_then_alone(file: RequestFile, tmp_path: Path, clock: Clock) -> None:
    file.ask(new())
    other = ("2027", b"another-key-0123456789-0123456789-0")
    with closing(opened(tmp_path, clock, (other,))) as alone:
        refused(account_codes.KEY, alone.all)
    with closing(opened(tmp_path, clock, (other, *KEYS))) as both:
        both.purge()
    with closing(opened(tmp_path, clock, (other,))) as alone:
        assert [one.asked.subject for one in alone.all()] == ["helene"]


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be read" * 40])
def test_a_file_that_is_not_ours_is_a_fault_and_left_as_it_is(
    file: RequestFile, tmp_path: Path, content: bytes
) -> None:
    file.ask(new())
    (tmp_path / REQUESTS_NAME).write_bytes(content)
    file.close()
    refused(account_codes.UNREADABLE, lambda: file.find(holder()))
    refused(account_codes.UNREADABLE, lambda: file.ask(new("paul")))
    file.purge()
    assert (tmp_path / REQUESTS_NAME).read_bytes() == content


def test_a_later_release_and_a_file_of_links_are_not_read(file: RequestFile, tmp_path: Path) -> None:
    file.ask(new())
    file.close()
    by_hand(tmp_path, "PRAGMA user_version = 2")
    assert "version 2" in refused(account_codes.UNREADABLE, file.all)
    link_file(tmp_path).add([link()])
    (tmp_path / REQUESTS_NAME).write_bytes((tmp_path / "links.sqlite").read_bytes())
    assert "not a file of account requests" in refused(account_codes.UNREADABLE, file.all)


def test_one_that_is_gone_is_an_empty_one(file: RequestFile, tmp_path: Path) -> None:
    file.ask(new())
    (tmp_path / REQUESTS_NAME).unlink()
    assert file.all() == []
    assert file.ask(new())[1]


def test_a_full_disk_keeps_what_there_is_and_takes_no_more(file: RequestFile, clock: Clock) -> None:
    sent, _ = file.ask(new())
    with full_disk():
        refused(account_codes.UNWRITABLE, lambda: file.ask(new("paul")))
        refused(account_codes.UNWRITABLE, lambda: file.refuse(sent.reference, {}))
        assert file.ask(new()) == (sent, False)
        clock.now += LASTS
        file.purge()
    clock.now -= LASTS
    assert file.all() == [sent]


def test_one_that_another_process_writes_to_is_waited_for_and_then_refused(
    file: RequestFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.accounts.sealed_file._BUSY", 0.05)
    sent, _ = file.ask(new())
    file.close()
    with closing(sqlite3.connect(tmp_path / REQUESTS_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in refused(account_codes.UNWRITABLE, lambda: file.ask(new("paul")))
        assert file.find(holder()) == sent
        assert file.ask(new()) == (sent, False), "whoever asks again waits for nobody"
    assert file.ask(new("paul"))[1]
