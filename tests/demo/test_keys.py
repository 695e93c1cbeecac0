from pathlib import Path

import pytest

from deploy.demo.keys import make_all, make_keys, make_pairs, read_secret
from deploy.demo.place import USUAL, copy_policies
from gateway.cli.main import main


def test_keys_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    make_keys(tmp_path / "certs", ["metropole"])
    files = sorted((tmp_path / "certs").iterdir())
    assert [path.name for path in files] == ["metropole.secret", "store.key"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert all(len(path.read_bytes()) > 60 for path in files)
    assert len({path.read_bytes() for path in files}) == 2


def test_a_key_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "metropole.secret").write_text("mine\n")
    make_keys(tmp_path, ["metropole", "departement"])
    assert read_secret(tmp_path, "metropole") == "mine"
    assert (tmp_path / "departement.secret").exists()


def test_pairs_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    make_pairs(tmp_path, ["saml"])
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(made) == ["saml.crt", "saml.key"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    make_pairs(tmp_path, ["saml", "region"])
    assert {name: (tmp_path / name).read_bytes() for name in made} == made


def test_the_example_is_whole_with_these_keys_and_lint_finds_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fresh clone after `make env`: what everybody copies is as we ask of them."""
    copy_policies(tmp_path, USUAL)
    make_all(tmp_path / "certs")
    folder = str(tmp_path / "policies")
    assert main(["check", folder]) == 0, capsys.readouterr()
    assert main(["lint", folder]) == 0, capsys.readouterr()
