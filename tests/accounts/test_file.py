"""The file of account links: what it gives to whom, and what it says where it is not what was written."""

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.accounts.file import APPLICATION_ID, MADE, NAME, LinkFile
from gateway.model.codes import account_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from tests.accounts.samples import ISSUER, KEYS, OTHER_ISSUER, holder, link, link_file


def refused(code: Code, step: Callable[[], object]) -> str:
    with pytest.raises(GatewayError) as error:
        step()
    assert error.value.code is code, error.value
    return error.value.detail


def by_hand(folder: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as connection:
        return connection.execute(statement, values).fetchall()


def login_of(file: LinkFile, **who: str) -> str | None:
    found = file.find(holder(**who), shared=False)
    return None if found is None else found.login


# --- whose is whose


def test_a_link_is_one_persons_at_one_application(tmp_path: Path) -> None:
    file = link_file(tmp_path)
    assert login_of(file) is None
    assert not list(tmp_path.iterdir()), "nothing is made where nothing is kept"
    assert file.add([link(by="operator")]) == [True]
    found = file.find(holder(), shared=False)
    assert found is not None
    assert (found.login, found.since, found.by, found.secret) == ("h.durand", 1_800_000_000, "operator", None)
    assert login_of(file, person="subject=paul") is None
    assert login_of(file, application="paie") is None
    assert login_of(file, issuer=OTHER_ISSUER) is None, "the same subject of another issuer is another person"


def test_a_person_has_one_login_and_a_login_one_person(tmp_path: Path) -> None:
    file = link_file(tmp_path)
    file.add([link()])
    assert file.add([link()]) == [False], "said twice, kept once"
    refused(account_codes.TAKEN, lambda: file.add([link("other")]))
    paul = holder("subject=paul")
    refused(account_codes.TAKEN, lambda: file.add([link("H.DURAND", paul)]))
    assert login_of(file, person="subject=paul") is None
    assert file.add([link("h.durand", holder("subject=paul", "paie"))]) == [True], "another application's login"
    assert file.add([link("other", replace=True)]) == [True]
    assert login_of(file) == "other"
    assert file.add([link("h.durand", paul)]) == [True], "it is free again"


def test_a_login_is_several_peoples_only_while_the_file_of_the_application_says_so(tmp_path: Path) -> None:
    file, paul = link_file(tmp_path), holder("subject=paul")
    file.add([link(shared=True), link("h.durand", paul, shared=True)])
    assert file.find(paul, shared=True) is not None
    refused(account_codes.SHARED, lambda: file.find(paul, shared=False))
    refused(account_codes.SHARED, lambda: file.find(holder(), shared=False))
    assert file.remove([holder()]) == 1
    assert login_of(file, person="subject=paul") == "h.durand"


def test_all_of_them_or_none(tmp_path: Path) -> None:
    file = link_file(tmp_path)
    file.add([link()])
    more = [link("p.martin", holder("subject=paul")), link("h.durand", holder("subject=luc"))]
    refused(account_codes.TAKEN, lambda: file.add(more))
    assert [one.login for one in file.all()] == ["h.durand"]


def test_links_are_listed_and_taken_back(tmp_path: Path) -> None:
    file = link_file(tmp_path)
    file.add([link(), link("b", holder("subject=b", "paie")), link("a", holder("subject=a", "paie"))])
    assert [one.login for one in file.all()] == ["a", "b", "h.durand"]
    assert [one.holder for one in file.all("permis")] == [holder()]
    assert file.remove([holder(), holder("subject=nobody")]) == 1
    assert file.all("permis") == []
    assert link_file(tmp_path / "none").remove([holder()]) == 0


# --- what is on the disk


def test_the_file_says_nothing_of_anybody_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = link_file(tmp_path)
    file.add([link("h.durand", by="operator", secret="mot de passé")])
    found = [path.read_bytes() for path in tmp_path.iterdir()]
    for word in (b"durand", b"helene", b"op.example", b"operator", "passé".encode()):
        assert not any(word in content for content in found), word
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {NAME: 0o600, MADE: 0o600}


def test_what_is_taken_back_is_overwritten(tmp_path: Path) -> None:
    file = link_file(tmp_path)
    file.add([link(secret="x" * 90)])
    ((sealed,),) = by_hand(tmp_path, "SELECT secret FROM links")
    assert isinstance(sealed, bytes)
    assert sealed[-40:] in (tmp_path / NAME).read_bytes()
    file.remove([holder()])
    assert sealed[-40:] not in (tmp_path / NAME).read_bytes()


def test_another_process_and_this_one_see_each_others_links(tmp_path: Path) -> None:
    one, other = link_file(tmp_path), link_file(tmp_path)
    one.add([link()])
    before = other.state()
    assert other.state() == before
    one.add([link("p.martin", holder("subject=paul"))])
    assert other.state() != before
    assert login_of(other, person="subject=paul") == "p.martin"


def test_two_that_make_the_file_at_once_make_one(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.accounts.samples import *; sys.stdin.read();"
        "link_file(Path(sys.argv[1])).add([link(sys.argv[2], holder('subject=' + sys.argv[2]))])"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(name)], stdin=subprocess.PIPE)
        for name in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(30) for process in started] == [0, 0, 0, 0]
    assert [one.login for one in link_file(tmp_path).all()] == ["0", "1", "2", "3"]


# --- keys


def test_a_new_key_before_the_old_one_then_alone(tmp_path: Path) -> None:
    link_file(tmp_path).add([link()])
    new = ("2027", b"another-key-0123456789-0123456789-0")
    assert login_of(link_file(tmp_path, (new, *KEYS))) == "h.durand"
    assert login_of(link_file(tmp_path, (new,))) == "h.durand", "once opened with both, the new one opens it"
    assert login_of(link_file(tmp_path, KEYS)) == "h.durand"


def test_a_key_that_is_wrong_or_lost(tmp_path: Path) -> None:
    link_file(tmp_path).add([link()])
    same_id = link_file(tmp_path, (("2026", b"another-key-0123456789-0123456789-0"),))
    assert "`2026`" in refused(account_codes.KEY, lambda: same_id.find(holder(), shared=False))
    lost = link_file(tmp_path, (("2027", KEYS[0][1]),))
    assert "2026" in refused(account_codes.KEY, lambda: lost.find(holder(), shared=False))
    refused(account_codes.KEY, lambda: lost.add([link("other", replace=True)]))
    refused(account_codes.KEY, lost.all)
    assert login_of(link_file(tmp_path)) == "h.durand"


# --- what somebody did to it


@pytest.fixture
def two(tmp_path: Path) -> Path:
    link_file(tmp_path).add([link(secret="of helene"), link("p.martin", holder("subject=paul"), secret="of paul")])
    return tmp_path


def hashes(folder: Path) -> list[object]:
    """Of helene's row, then paul's."""
    file = link_file(folder)
    file.state()
    return [file._file.seals.found_by(holder(who)) for who in ("subject=helene", "subject=paul")]


@pytest.mark.parametrize("columns", ["sealed", "sealed, login", "sealed, login, secret"])
def test_a_record_moved_to_another_persons_row_does_not_open(two: Path, columns: str) -> None:
    helene, paul = hashes(two)
    for column in columns.split(", "):
        by_hand(
            two, f"UPDATE links SET {column} = (SELECT {column} FROM links WHERE person = ?) WHERE person = ?",
            paul, helene,
        )  # fmt: skip
    refused(account_codes.RECORD, lambda: link_file(two).find(holder(), shared=True))
    refused(account_codes.RECORD, link_file(two).all)


def test_a_row_of_another_application_does_not_open_here(two: Path) -> None:
    helene, _ = hashes(two)
    by_hand(two, "UPDATE links SET application = 'paie' WHERE person = ?", helene)
    refused(account_codes.RECORD, link_file(two).all)


def test_a_hash_of_a_login_that_hides_who_else_has_it(two: Path) -> None:
    helene, _ = hashes(two)
    by_hand(two, "UPDATE links SET login = zeroblob(32) WHERE person = ?", helene)
    refused(account_codes.RECORD, lambda: link_file(two).find(holder(), shared=False))


def test_a_secret_belongs_to_its_person_and_login(two: Path) -> None:
    file = link_file(two)
    found = file.find(holder(), shared=False)
    assert found is not None
    assert file.secret(found) == "of helene"
    helene, paul = hashes(two)
    by_hand(two, "UPDATE links SET secret = (SELECT secret FROM links WHERE person = ?) WHERE person = ?", paul, helene)
    moved = link_file(two).find(holder(), shared=False)
    assert moved is not None
    refused(account_codes.RECORD, lambda: link_file(two).secret(moved))
    link_file(two).add([link("other", replace=True)])
    changed = link_file(two).find(holder(), shared=False)
    assert changed is not None
    assert changed.secret is None, "a new login has no secret of the old one"


# --- the file itself


def test_a_file_that_is_gone_is_no_empty_one(two: Path) -> None:
    file = link_file(two)
    assert login_of(file) == "h.durand"
    kept = (two / NAME).read_bytes()
    (two / NAME).unlink()
    assert "it is gone" in refused(account_codes.UNREADABLE, lambda: login_of(file))
    refused(account_codes.UNREADABLE, lambda: file.add([link("new", holder("subject=new"))]))
    assert not (two / NAME).exists(), "it is never made anew"
    (two / NAME).write_bytes(kept)
    assert login_of(file) == "h.durand", "from the backup, without a restart"
    (two / NAME).unlink()
    (two / MADE).unlink()
    assert login_of(file) is None, "the operator said so"


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be read" * 40])
def test_a_file_that_is_not_ours(two: Path, content: bytes) -> None:
    (two / NAME).write_bytes(content)
    refused(account_codes.UNREADABLE, lambda: login_of(link_file(two)))
    refused(account_codes.UNREADABLE, lambda: link_file(two).add([link()]))
    assert (two / NAME).read_bytes() == content, "it is never mended"


def test_a_database_of_something_else_or_of_a_later_release(two: Path) -> None:
    by_hand(two, "PRAGMA user_version = 2")
    assert "version 2" in refused(account_codes.UNREADABLE, lambda: login_of(link_file(two)))
    by_hand(two, "PRAGMA application_id = 1")
    refused(account_codes.UNREADABLE, lambda: login_of(link_file(two)))
    assert APPLICATION_ID == 0x45434C4C


def test_pages_that_are_damaged(two: Path) -> None:
    content = bytearray((two / NAME).read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    (two / NAME).write_bytes(content)
    refused(account_codes.UNREADABLE, lambda: login_of(link_file(two)))


@contextmanager
def full_disk() -> Iterator[None]:
    """Nothing can be written to a file: the same error at the same calls as on a disk without room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_what_there_is(tmp_path: Path) -> None:
    file = link_file(tmp_path)
    file.add([link()])
    paul = link("p.martin", holder("subject=paul"))
    with full_disk():
        refused(account_codes.UNWRITABLE, lambda: file.add([paul]))
        refused(account_codes.UNWRITABLE, lambda: file.remove([holder()]))
        assert [one.login for one in file.all()] == ["h.durand"], "nothing of it, and everybody else comes in"
        other = ("2027", b"another-key-0123456789-0123456789-0")
        assert login_of(link_file(tmp_path, (other, *KEYS))) == "h.durand", "also where a new key has no room yet"
    assert file.add([paul]) == [True]


def test_a_disk_that_is_full_from_the_start_keeps_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*told: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    refused(account_codes.UNWRITABLE, lambda: link_file(tmp_path).add([link()]))
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    assert link_file(tmp_path).add([link()]) == [True]


def test_the_issuer_is_part_of_whose_it_is(tmp_path: Path) -> None:
    file = link_file(tmp_path)
    file.add([link(), link("other", holder(issuer=OTHER_ISSUER))])
    assert {one.holder.issuer: one.login for one in file.all()} == {ISSUER: "h.durand", OTHER_ISSUER: "other"}
