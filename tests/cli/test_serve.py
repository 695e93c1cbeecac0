"""`ecluse serve` up to the moment that it serves; how it serves is walked through in tests/walks."""

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.serve import serve
from tests.cli.test_main import typed

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_folder_that_is_none_is_1_and_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert serve(tmp_path / "nowhere") == 1
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"{tmp_path}/nowhere: the folder cannot be read: ")


def test_typed_it_is_the_same(tmp_path: Path) -> None:
    told = typed("serve", "nowhere", at=tmp_path)
    assert (told.returncode, told.stdout) == (1, "")
    assert "nowhere: the folder cannot be read" in told.stderr


def test_the_signals_of_the_caller_are_its_own_again_afterwards(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    serve(tmp_path / "nowhere")
    assert signal.getsignal(signal.SIGTERM) == before
