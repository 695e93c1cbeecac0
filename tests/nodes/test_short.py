"""The short form of `make nodes`: a gateway and then the primary are killed while people work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
# Of the whole, with its start and its end.
WITHIN = 480

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_nobody_is_lost_mixed_up_or_asked_to_sign_in_and_nothing_is_replayed() -> None:
    command = [sys.executable, "-m", "tests.nodes", "--short", "--store", "sentinels", "node-killed", "primary-killed"]
    told = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=WITHIN, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    rows = [line.split("|")[1].strip() for line in told.stdout.splitlines()[2:]]
    assert rows == ["a gateway killed (SIGKILL)", "a primary killed (SIGKILL)"]
