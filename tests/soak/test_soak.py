"""Some seconds of the soak; `make soak` runs an hour of it."""

from pathlib import Path

import pytest

from tests.soak.run import SPARE_DESCRIPTORS, soaked

SECONDS, PACE = 8.0, 0.2
# Megabytes: so short a time is of workers that warm up.
MORE = 15.0

pytestmark = [pytest.mark.slow, pytest.mark.service]


async def test_people_files_the_application_and_tunnels_come_and_go_and_no_answer_is_wrong(tmp_path: Path) -> None:
    told = await soaked(tmp_path, SECONDS, PACE)
    ledger = told.ledger
    assert not ledger.wrongs, ledger.wrong
    for what in ("page", "signed out", "refused after it", "reload", "application died", "left midway", "tunnel ended"):
        assert ledger.done[what] > 0, ledger.done
    assert max(told.lost_descriptors) <= SPARE_DESCRIPTORS
    assert max(ledger.growth()) < MORE
