"""The units in deploy/systemd, as systemd itself reads them."""

import re
import subprocess
from pathlib import Path

import pytest

from gateway.cli.main import _parser
from gateway.config.schema.gateway import TimeoutsSection
from tests.interop.servers import found
from tests.patience import PATIENCE

UNITS = Path(__file__).parents[2] / "deploy/systemd"
# Of `systemd-analyze security`; the unit that the docs had once scored 8.4.
MOST_EXPOSED = 1.5


def lines(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", (UNITS / unit).read_text(), re.MULTILINE)


@pytest.mark.service
def test_the_unit_leaves_little_exposed() -> None:
    told = subprocess.run(
        [found("systemd-analyze"), "security", "--offline=yes", str(UNITS / "ecluse.service")],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    (score,) = re.findall(r"Overall exposure level for ecluse.service: ([\d.]+)", told.stdout)
    assert float(score) <= MOST_EXPOSED


@pytest.mark.service
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """The program stands elsewhere here."""
    for name in ("ecluse.service", "ecluse.socket"):
        (tmp_path / name).write_text((UNITS / name).read_text().replace("/opt/ecluse/bin/ecluse", "/bin/true"))
    told = subprocess.run(
        [
            found("systemd-analyze"),
            "verify",
            "--man=no",
            str(tmp_path / "ecluse.service"),
            str(tmp_path / "ecluse.socket"),
        ],
        capture_output=True,
        text=True,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        timeout=PATIENCE,
    )
    ours = [line for line in told.stderr.splitlines() if "ecluse" in line]
    assert (told.returncode, ours) == (0, [])


def test_the_commands_are_those_of_the_program() -> None:
    (start,) = lines("ecluse.service", "ExecStart")
    program, *words = start.split()
    assert program.endswith("/ecluse")
    assert _parser().parse_args(words).command == "serve"


def test_the_time_to_stop_is_longer_than_that_to_drain() -> None:
    assert float(lines("ecluse.service", "TimeoutStopSec")[0]) > TimeoutsSection.model_fields["drain"].default
