"""The start of a worker, with its own store and services; only its acceptors and its collector are watched."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import app
from gateway.ops.log import Log
from gateway.server.worker import Candidate
from tests.config.samples import GATEWAY, sample_snapshot
from tests.patience import PATIENCE


async def test_invariant_14_what_a_start_has_made_is_collected_before_anybody_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first collection stands for some 15 ms: nobody is to wait for it."""
    seen: list[str] = []

    class Watched:
        def __init__(self, *_: object) -> None:
            seen.append("made")

        def open(self) -> None:
            seen.append("open")

        def use(self, contexts: object) -> None:
            pass

        async def close(self) -> None:
            pass

    monkeypatch.setattr(app, "Acceptors", Watched)
    monkeypatch.setattr(app.garbage, "settle", lambda: seen.append("settled"))
    snapshot = sample_snapshot({"gateway.yaml": GATEWAY.replace("../var", str(tmp_path / "state"))})
    log = Log(os.open(os.devnull, os.O_WRONLY))
    worker = app._Worker([], log)
    try:
        await worker.take(Candidate(snapshot, (None,)))
        assert seen == ["made", "settled", "open"]
    finally:
        async with asyncio.timeout(PATIENCE):
            await worker.drain(0.0)
        log.close()


# Says how many objects a full collection would look at when the loop begins.
_BEGINS = """
import gc, socket
from gateway import app
app.uvloop.run = lambda running: (running.close(), print(len(gc.get_objects())))
app.work(socket.socketpair()[0].detach(), [])
"""


@pytest.mark.slow
def test_invariant_14_what_was_imported_is_collected_before_there_is_a_loop() -> None:
    """Some 100,000 objects, 20 to 35 ms; in the loop, no collection looks at more than 10,000."""
    began = subprocess.run(
        [sys.executable, "-c", _BEGINS], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert int(began.stdout) < 10_000
