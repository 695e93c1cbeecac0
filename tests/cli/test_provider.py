"""`ecluse provider show`: what counts in the end, and why."""

import json
from pathlib import Path

import pytest

from gateway.cli.main import main

FILE = """\
version: 1
provider: agents
preset: proconnect
oidc: {client_id: ecluse, client_secret: {env: NOT_SET}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "agents.yaml").write_text(FILE)
    return tmp_path


def test_every_value_is_shown_with_its_origin(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the rest of the folder nor a secret is needed for it."""
    assert main(["provider", "show", "agents", str(folder)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["oidc.client_authentication", "client_secret_post", "preset", "proconnect"] in lines
    assert ["oidc.client_id", "ecluse", f"{folder}/providers/agents.yaml:4"] in lines
    assert ["skew", "1m", "default"] in lines


def test_programs_read_it_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provider", "show", "agents", str(folder), "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tenant"] == {"value": "siret", "from": "preset proconnect"}


def test_a_file_with_problems_shows_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "providers" / "agents.yaml").write_text(FILE.replace("client_id", "client"))
    assert main(["provider", "show", "agents", str(folder)]) == 1
    assert "oidc.client: unknown key" in capsys.readouterr().err


def test_a_name_that_nobody_has_is_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provider", "show", "agent", str(folder)]) == 2
    assert capsys.readouterr().err.endswith("has the provider agent (did you mean agents?)\n")
