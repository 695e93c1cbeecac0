"""How `--dist loadfile` hands the tests out: by file, and first the files that take longest."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Seconds of the longest files on two quiet cores. A long file that starts last keeps one core waiting for it.
SECONDS = {
    "tests/proxy/test_standing.py": 215,
    "tests/walks/test_provider_outages.py": 161,
    "tests/walks/test_replace.py": 130,
    "tests/walks/test_reload_command.py": 124,
    "tests/server/test_supervisor.py": 108,
    "tests/attacks/test_operations.py": 99,
    "tests/portal/test_accessibility.py": 93,
    "tests/browser/test_walks.py": 90,
    "tests/attacks/test_sessions.py": 91,
    "tests/attacks/test_sign_in.py": 87,
    "tests/attacks/test_requests.py": 80,
    "tests/server/test_compiling.py": 76,
    "tests/docs/test_shown_output.py": 76,
    "tests/walks/test_refresh_lemonldap.py": 74,
    "tests/walks/test_reload_at_scale.py": 70,
    "tests/attacks/test_optimised.py": 69,
    "tests/walks/test_full_store.py": 68,
    "tests/smoke": 50,
}

# All files of such a folder are handed out as one: they share what is slow to start.
FOLDERS = ("tests/smoke",)


class LongestFirst(LoadFileScheduling):
    """In the order in which the tests were collected (tests/conftest.py sorts them)."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """What is handed out as one."""
    path = nodeid.partition("::")[0]
    return next((folder for folder in FOLDERS if path.startswith(f"{folder}/")), path)


def longest_first(nodeid: str) -> float:
    return -SECONDS.get(unit_of(nodeid), 0.0)
