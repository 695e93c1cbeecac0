"""Real folders, as an operator or a mount leaves them."""

import os
from pathlib import Path

import pytest

from gateway.config.folder.read import MAX_SECRET_BYTES, read_folder
from gateway.config.yaml.reader import MAX_BYTES
from tests.other_account import not_root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "policies"
    for path, text in {
        "gateway.yaml": "store: {keys: [{secret: {file: ../certs/store.key}}]}\n",
        "providers/a.yaml": "oidc: {client_secret: {env: TEST_CLIENT_SECRET}, ca: {credential: ca}}\n",
        "apps/permis.yaml": "app: permis\n",
        "apps/team/deep/x.yaml": "app: x\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs/store.key").write_bytes(b"key\n")
    return root


def said(folder: Path) -> list[str]:
    return [problem.render().removeprefix(f"{folder}/") for problem in read_folder(folder).problems]


def test_every_file_and_what_it_refers_to_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = folder.parent / "credentials"
    credentials.mkdir()
    (credentials / "ca").write_bytes(b"pem")
    monkeypatch.setenv("TEST_CLIENT_SECRET", "é")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    files = read_folder(folder)
    assert sorted(files.texts) == ["apps/permis.yaml", "apps/team/deep/x.yaml", "gateway.yaml", "providers/a.yaml"]
    assert files.secrets == {
        "file:../certs/store.key": b"key\n", "env:TEST_CLIENT_SECRET": "é".encode(), "credential:ca": b"pem",
    }  # fmt: skip
    assert (files.unreadable, files.problems) == ({}, ())
    assert files.root == str(folder)
    assert files.shown("apps/permis.yaml") == f"{folder}/apps/permis.yaml"


def test_files_that_this_account_may_not_read_are_told_with_who_has_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # From inside: the folders of a test are closed to other accounts.
    monkeypatch.chdir(folder)
    for path in ("apps/permis.yaml", "apps/team/deep", "../certs/store.key"):
        Path(path).chmod(0o000)
    with not_root():
        files = read_folder(Path("."))
    Path("apps/team/deep").chmod(0o700)
    denied = "Permission denied (the account that serves has to read it, and the one that checks as well)"
    assert [problem.render() for problem in files.problems] == [
        f"apps/team/deep: the folder cannot be read: {denied}",
        f"./apps/permis.yaml: this file cannot be read: {denied}",
    ]
    assert files.unreadable["file:../certs/store.key"] == f"this file cannot be read: {denied}"


def test_messages_name_the_folder_as_it_was_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    files = read_folder(Path("policies/"))
    assert (files.folder, files.root) == ("policies", str(folder))


def test_what_cannot_be_had_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_CLIENT_SECRET", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (folder.parent / "certs/store.key").unlink()
    assert read_folder(folder).unreadable == {
        "file:../certs/store.key": "this file cannot be read: No such file or directory",
        "env:TEST_CLIENT_SECRET": "the environment has no such variable",
        "credential:ca": "no credentials here: systemd gives them by LoadCredential=",
    }


def test_a_mount_of_kubernetes_is_followed_out_of_the_folder(tmp_path: Path) -> None:
    data = tmp_path / "mount/..2026_11_24"
    data.mkdir(parents=True)
    (data / "permis.yaml").write_text("app: permis\n")
    (tmp_path / "mount/..data").symlink_to(data.name)
    (tmp_path / "mount/permis.yaml").symlink_to("..data/permis.yaml")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/apps").symlink_to(tmp_path / "mount")
    (tmp_path / "elsewhere.yaml").write_text("version: 1\n")
    (tmp_path / "policies/gateway.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    files = read_folder(tmp_path / "policies")
    assert files.texts == {"apps/permis.yaml": b"app: permis\n", "gateway.yaml": b"version: 1\n"}
    assert files.problems == ()


def test_a_folder_that_is_a_link_has_its_keys_beside_the_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed/policies").symlink_to(folder)
    (tmp_path / "installed/certs").mkdir()
    (tmp_path / "installed/certs/store.key").write_bytes(b"of the installation")
    files = read_folder(tmp_path / "installed/policies")
    assert files.secrets["file:../certs/store.key"] == b"of the installation"
    assert files.root == str(tmp_path / "installed/policies")


def test_no_yaml_file_is_passed_over_in_silence(folder: Path) -> None:
    for path in ("apps/old.yml", "apps/B.YAML", "permis.yaml", "providers/team/b.yaml"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("")
    assert said(folder) == [
        "apps/B.YAML: this file is not read (its name has to end with .yaml)",
        "apps/old.yml: this file is not read (its name has to end with .yaml)",
        (
            "permis.yaml: this file is not read "
            "(it belongs into apps/, providers/, shared/, lists/, directories/, organisations/, tests/)"
        ),
        "providers/team/b.yaml: this file is not read (it belongs into providers/ itself)",
    ]


def test_hidden_files_other_files_and_other_folders_are_none_of_ours(folder: Path) -> None:
    for path in (".git/x.yaml", "apps/.permis.yaml.swp", "apps/.x.yaml", "apps/README.md", "notes/permis.yaml"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("")
    assert (said(folder), len(read_folder(folder).texts)) == ([], 4)


def test_a_folder_that_is_nearly_named_as_one_of_ours_is_a_problem(folder: Path) -> None:
    for name in ("app", "provider", "test", "liste", "documents", "var"):
        (folder / name).mkdir()
        (folder / name / "x.yaml").write_text("")
    assert said(folder) == [
        "app: this folder is not read (did you mean apps?)",
        "liste: this folder is not read (did you mean lists?)",
        "provider: this folder is not read (did you mean providers?)",
        "test: this folder is not read (did you mean tests?)",
    ]


def test_a_folder_with_the_name_of_a_file_and_links_that_go_round_are_problems(folder: Path) -> None:
    (folder / "apps/team.yaml").mkdir()
    (folder / "gateway.yaml").unlink()
    (folder / "gateway.yaml").mkdir()
    (folder / "apps/a.yaml").symlink_to("b.yaml")
    (folder / "apps/b.yaml").symlink_to("a.yaml")
    (folder / "apps/round").symlink_to("round")
    assert said(folder) == [
        "apps/team.yaml: this is a folder, and has the name of a file (rename it)",
        "gateway.yaml: this is a folder, and has the name of a file (rename it)",
        "apps/a.yaml: this file cannot be read: Too many levels of symbolic links",
        "apps/b.yaml: this file cannot be read: Too many levels of symbolic links",
    ]


def test_a_folder_that_holds_itself_is_seen(folder: Path) -> None:
    (folder / "apps/again").symlink_to(folder / "apps")
    assert said(folder) == ["apps/again: the folder holds itself"]


def test_a_folder_that_is_too_deep_is_seen(folder: Path) -> None:
    deep = folder / "apps/1/2/3/4/5/6/7/8"
    deep.mkdir(parents=True)
    assert said(folder) == ["apps/1/2/3/4/5/6/7/8: too deep a folder"]


def test_a_pipe_a_folder_or_a_dead_link_in_the_place_of_a_file_is_a_problem(folder: Path) -> None:
    os.mkfifo(folder / "apps/pipe.yaml")
    (folder / "apps/dead.yaml").symlink_to("nowhere")
    (folder / "apps/device.yaml").symlink_to("/dev/null")
    (folder.parent / "certs/store.key").unlink()
    (folder.parent / "certs/store.key").mkdir()
    assert said(folder) == [
        "apps/dead.yaml: this file cannot be read: No such file or directory",
        "apps/device.yaml: this is not a file",
        "apps/pipe.yaml: this is not a file",
    ]
    assert read_folder(folder).unreadable["file:../certs/store.key"] == "this is not a file"


def test_a_file_that_is_too_large_is_a_problem(folder: Path) -> None:
    (folder / "apps/large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    (folder.parent / "certs/store.key").write_bytes(b"k" * (MAX_SECRET_BYTES + 1))
    assert said(folder) == ["apps/large.yaml: this file is larger than 1 MB"]
    assert read_folder(folder).unreadable["file:../certs/store.key"] == "this file is larger than 1 MB"


def test_a_name_that_is_not_utf_8_is_a_problem(folder: Path) -> None:
    (folder / os.fsdecode(b"apps/\xe9.yaml")).write_text("")
    assert said(folder) == ["apps/?.yaml: the name of this file is not UTF-8"]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert said(tmp_path / "none") == [f"{tmp_path}/none: the folder cannot be read: No such file or directory"]
    (tmp_path / "file").write_text("")
    assert said(tmp_path / "file") == [f"{tmp_path}/file: the folder cannot be read: Not a directory"]


def test_a_reference_may_stand_anywhere_and_be_nothing_at_all(folder: Path) -> None:
    """`{file: x}` may be a mapping of attributes: it is read, found missing, and nobody asks for it."""
    (folder / "providers/a.yaml").write_text("attributes: {file: nowhere}\nlist: [[{env: X}]]\nfile: 7\n")
    files = read_folder(folder)
    assert (set(files.unreadable), files.problems) == ({"file:nowhere", "env:X"}, ())
