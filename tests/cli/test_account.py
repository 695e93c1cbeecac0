"""`ecluse account`: links are made, listed, removed and carried as CSV, whether the gateway runs or not."""

import json
import subprocess
from pathlib import Path

import pytest

from gateway.accounts.file import NAME
from tests.cli.test_main import ECLUSE, called
from tests.walks.place import Place

pytestmark = pytest.mark.slow

ISSUER = "http://127.0.0.1:1/alpha"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = Place(tmp_path)
    (tmp_path / "certs/links.key").write_text("of-the-links-0123456789" * 3)
    place.settings["accounts"] = "{keys: [{id: l1, secret: {file: ../certs/links.key}}]}"
    place.write_gateway()
    place.write_provider("alpha", ISSUER)
    told = "{headers: {X-Remote-User: {from: account}}}"
    place.write_app("one", "one.localhost", account="{ask: a}", translate=told)
    place.write_app("two", "two.localhost", account="{ask: a, by: [uid], shared: true}")
    place.write_app("none", "none.localhost")
    (place.policies / "directories").mkdir()
    key = "key: {uid: {from: uid, providers: [alpha]}}\ngives: {login: {}}\n"
    place.write("directories/agents.yaml", "version: 1\ndirectory: agents\ncsv: {path: ../agents.csv}\n" + key)
    place.write_app("told", "told.localhost", account="{ask: a, from: login}", directories="[agents]")
    return tmp_path


def account(folder: Path, *words: str, code: int = 0) -> str:
    told = called("account", *words, at=folder)
    assert told.returncode == code, told.stderr
    return told.stdout if code == 0 else told.stderr


def listed(folder: Path) -> list[tuple[str, str, str]]:
    links = json.loads(account(folder, "list", "--output", "json"))["links"]
    return [(link["application"], link["person"], link["login"]) for link in links]


def test_a_link_is_made_listed_and_taken_back(folder: Path) -> None:
    assert account(folder, "list") == ""
    assert account(folder, "link", "one", "h.durand", "--subject", "h=1") == (
        f"subject=h%3D1 of {ISSUER} is h.durand of one\n"
    )
    assert account(folder, "link", "one", "h.durand", "--subject", "h=1") == (
        f"subject=h%3D1 of {ISSUER} is h.durand of one, as before\n"
    )
    told = account(folder, "list", "--application", "one")
    assert told.startswith(f"one  h.durand  subject=h%3D1 of {ISSUER}  since 20")
    assert told.endswith(", by operator\n")
    assert account(folder, "unlink", "one", "--login", "H.Durand") == "removed: 1\n"
    assert "one has no such link" in account(folder, "unlink", "one", "--subject", "h=1", code=1)
    assert account(folder, "list", "--output", "json") == '{\n  "links": []\n}\n'


def test_what_is_refused(folder: Path) -> None:
    account(folder, "link", "one", "h.durand", "--subject", "h")
    for words, code, said in (
        (("link", "one", "other", "--subject", "h"), 1, "account.taken: this person has another login of one already"),
        (("link", "one", "h.durand", "--subject", "p"), 1, "account.taken: another person has this login of one"),
        (("link", "one", " x", "--subject", "p"), 1, "account.login: white space at an end of the login"),
        (("link", "one", "x", "--person", "uid=p"), 1, "this person is named by uid, and the file says subject"),
        (("link", "one", "x", "--person", "p"), 1, "account.person: not written as subject=VALUE"),
        (("link", "none", "x", "--subject", "p"), 2, "policies/apps/none.yaml uses no account"),
        (("link", "ones", "x", "--subject", "p"), 2, "no application has the name ones: did you mean one?"),
        (("link", "one", "x", "--subject", "p", "--provider", "alfa"), 2, "no provider has the name alfa"),
        (("link", "one", "x", "--subject", "p", "--issuer", "https://x"), 2, "no provider has the issuer https://x"),
        (("link", "one", "x", "--subject", "p", "--secret", "none"), 2, "none: No such file or directory"),
        (("list", "--application", "on"), 2, "no application has the name on: did you mean one?"),
        (("import", "none.csv"), 2, "none.csv: No such file or directory"),
    ):
        assert said in account(folder, *words, code=code), words
    assert listed(folder) == [("one", "subject=h", "h.durand")]


def test_an_application_whose_logins_a_directory_says_has_no_links(folder: Path) -> None:
    said = account(folder, "link", "told", "x", "--subject", "p", code=2)
    assert "uses no account links: a directory gives the logins (account.from)" in said
    (folder / "links.csv").write_text(f"application,issuer,person,login\ntold,{ISSUER},subject=a,b\n")
    assert "the file of told uses no account links" in account(folder, "import", "links.csv", code=1)


def test_another_login_only_where_it_is_said_so_and_a_shared_one_where_the_file_does(folder: Path) -> None:
    account(folder, "link", "one", "h.durand", "--subject", "h", "--provider", "alpha")
    account(folder, "link", "one", "hd", "--subject", "h", "--issuer", ISSUER, "--replace")
    account(folder, "link", "two", "guichet", "--person", "uid=anne")
    account(folder, "link", "two", "guichet", "--person", "uid=luc")
    assert listed(folder) == [
        ("one", "subject=h", "hd"), ("two", "uid=anne", "guichet"), ("two", "uid=luc", "guichet"),
    ]  # fmt: skip


def test_it_asks_before_it_takes_more_than_one(folder: Path) -> None:
    for name in ("anne", "luc"):
        account(folder, "link", "two", "guichet", "--person", f"uid={name}")
    assert "2 links would be removed: confirm with --yes" in account(folder, "unlink", "two", code=2)
    assert len(listed(folder)) == 2
    typing = ["script", "-qec", f"{ECLUSE} account unlink two", "/dev/null"]
    for answer, left in (("n\n", 2), ("y\n", 0)):
        told = subprocess.run(typing, cwd=folder, input=answer, capture_output=True, text=True, timeout=120)
        assert "Remove these 2 links? [y/N]" in told.stdout
        assert len(listed(folder)) == left
    account(folder, "link", "two", "guichet", "--person", "uid=anne")
    assert json.loads(account(folder, "unlink", "two", "--yes", "--output", "json")) == {"removed": 1}


def test_links_go_out_and_come_in_as_csv(folder: Path) -> None:
    (folder / "secret").write_text("mot de passé\n")
    account(folder, "link", "one", "=1+1", "--subject", "h", "--secret", "secret")
    account(folder, "link", "two", "Durand, Anne", "--person", "uid=anne")
    written = account(folder, "export")
    assert written == (
        f'application,issuer,person,login\none,{ISSUER},subject=h,\'=1+1\ntwo,{ISSUER},uid=anne,"Durand, Anne"\n'
    )
    assert "mot de passé" not in written
    with_secrets = account(folder, "export", "--secrets")
    assert f"one,{ISSUER},subject=h,'=1+1,mot de passé\n" in with_secrets
    before = listed(folder)
    account(folder, "unlink", "one", "--yes")
    account(folder, "unlink", "two", "--yes")
    (folder / "links.csv").write_text(with_secrets)
    assert account(folder, "import", "links.csv") == "2 of 2 link(s) are new or changed\n"
    assert listed(folder) == before
    assert json.loads(account(folder, "import", "links.csv", "--output", "json")) == {"links": 2, "changed": 0}
    assert account(folder, "export", "--secrets") == with_secrets


def test_a_table_with_one_wrong_line_is_not_taken(folder: Path) -> None:
    head = "application;issuer;person;login\n"
    (folder / "links.csv").write_text(f"{head}one;{ISSUER};subject=a;a\none;{ISSUER};subject=b;=1\n")
    told = account(folder, "import", "links.csv", code=1)
    assert told.startswith("links.csv:3: a cell begins as a formula does")
    assert "1 problem(s): nothing was imported" in told
    (folder / "links.csv").write_text(f"{head}one;{ISSUER};subject=a;a\none;{ISSUER};subject=b;A\n")
    assert "links.csv:3: another person has this login of one" in account(folder, "import", "links.csv", code=1)
    told = called("account", "import", "links.csv", "--output", "json", at=folder).stdout
    assert json.loads(told) == {"problems": [{"line": 3, "message": "another person has this login of one"}]}
    assert listed(folder) == []


def test_a_folder_without_a_key_for_links_and_links_that_cannot_be_read(folder: Path) -> None:
    account(folder, "link", "one", "h.durand", "--subject", "h")
    (folder / "certs/links.key").write_text("another-key-0123456789" * 3)
    assert "account.key: the key `l1` of gateway.yaml is not" in account(folder, "list", code=1)
    (folder / "var" / NAME).write_bytes(b"")
    assert "account.unreadable" in account(folder, "list", code=1)
    (folder / "policies/apps/one.yaml").unlink()
    (folder / "policies/apps/two.yaml").unlink()
    gateway = folder / "policies/gateway.yaml"
    gateway.write_text(gateway.read_text().replace("accounts:", "# accounts:"))
    assert "gateway.yaml has no `accounts:` with keys" in account(folder, "list", code=1)


def test_explain_shows_the_login_and_whom_to_ask_without_one(folder: Path) -> None:
    (folder / "anne.yaml").write_text("provider: alpha\nsubject: s-1\nattributes: {uid: anne}\n")
    ask = ("explain", "GET", "http://one.localhost/", "--as", "anne.yaml")
    told = called(*ask, at=folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert "with no account of one\n" in told.stdout
    assert "deny  account.missing  policies/apps/one.yaml:10\n  a\n" in told.stdout
    account(folder, "link", "one", "a.durand", "--subject", "s-1")
    told = called(*ask, at=folder)
    assert "with the account a.durand of one\n" in told.stdout
    assert "  header X-Remote-User: a.durand\n" in told.stdout
    assert json.loads(called(*ask, "--output", "json", at=folder).stdout)["account"] == "a.durand"
    (folder / "anne.yaml").write_text("provider: alpha\nsubject: s-1\naccount: other\n")
    assert "X-Remote-User: other" in called(*ask, at=folder).stdout, "the person's file counts before the links"
    (folder / "anne.yaml").write_text("provider: alpha\nsubject: s-1\n")
    (folder / "var" / NAME).write_bytes(b"")
    told = called(*ask, at=folder)
    assert "account.unreadable" in told.stdout
    assert "deny  account.missing" in told.stdout
