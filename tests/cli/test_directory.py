"""`ecluse directory test`: what an operator reads who wrote it otherwise."""

from pathlib import Path

import pytest

from gateway.cli.main import main

GATEWAY = """\
version: 1
portal: http://portail.localhost:8080
listen: [{address: 127.0.0.1:8080}]
development: true
store: {type: memory, keys: [{id: k1, secret: {file: ../store.key}}]}
"""
PROVIDER = """\
version: 1
provider: op
oidc: {issuer: "http://127.0.0.1:9", client_id: x, client_authentication: none}
attributes: {uid: sub}
"""
COMMUNES = """\
version: 1
directory: communes
csv: {path: ../communes.csv}
key: {siret: {from: uid, providers: [op]}}
gives: {commune: {}}
away: without
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    policies = tmp_path / "policies"
    for name, text in (
        ("gateway.yaml", GATEWAY),
        ("providers/op.yaml", PROVIDER),
        ("directories/communes.yaml", COMMUNES),
    ):
        (policies / name).parent.mkdir(parents=True, exist_ok=True)
        (policies / name).write_text(text)
    (tmp_path / "store.key").write_text("0123456789abcdef" * 4)
    (tmp_path / "communes.csv").write_text("siret,commune\n21590350100017,Lille\n")
    return str(policies)


def test_a_key_that_is_written_as_its_columns_are(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["directory", "test", "communes", "siret=21590350100017", folder]) == 0
    assert "commune: Lille" in capsys.readouterr().out


def test_the_policy_folder_follows_the_key_as_for_other_commands(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["directory", "test", "communes", "insee=59350", folder]) == 2
    assert capsys.readouterr().err.endswith("the key of communes is written siret=VALUE\n")
    with pytest.raises(SystemExit) as ended:
        main(["directory", "test", "communes", folder])
    assert ended.value.code == 2
    assert "expected COLUMN=VALUE once or more" in capsys.readouterr().err
