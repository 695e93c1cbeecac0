"""A gateway's wall clock, which a test moves: nobody waits for what takes long, and nothing is too late."""

import os
from pathlib import Path


class Clock:
    """The gateway's wall clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.move(0)

    def move(self, seconds: int) -> None:
        beside = self.path.with_suffix(".new")
        beside.write_text(str(seconds))
        beside.replace(self.path)

    @property
    def environment(self) -> dict[str, str]:
        before = os.environ.get("PYTHONPATH")
        paths = [str(Path(__file__).with_name("clock")), *([before] if before else [])]
        return {"PYTHONPATH": os.pathsep.join(paths), "ECLUSE_TEST_CLOCK": str(self.path)}
