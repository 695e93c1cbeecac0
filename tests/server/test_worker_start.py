"""The start of a worker, with its own store and services; only its acceptors and its collector are watched."""

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from gateway import app
from gateway.model.codes import route_codes
from gateway.model.ports import Reader
from gateway.model.theme import Theme
from gateway.ops.log import Log
from gateway.server.worker import Candidate
from tests.config.samples import GATEWAY, sample_snapshot
from tests.patience import PATIENCE
from tests.portal.pictures import DSFR


def made(tmp_path: Path, log: Log) -> tuple[app._Worker, Candidate]:
    """A worker without sockets."""
    snapshot = sample_snapshot({"gateway.yaml": GATEWAY.replace("../var", str(tmp_path / "state"))})
    return app._Worker([], log), Candidate(snapshot, ())


async def test_invariant_14_a_reload_that_changes_the_look_of_pages_compiles_them_before_it_is_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each template takes some milliseconds, and beside the loop nobody waits for them."""
    log = Log(os.open(os.devnull, os.O_WRONLY))
    worker, first = made(tmp_path, log)
    gateway = replace(first.snapshot.gateway, theme=Theme(dsfr=DSFR))
    second, in_threads = Candidate(replace(first.snapshot, gateway=gateway), ()), set[int]()
    compile = Environment.compile

    def compiled(self: Environment, *args: Any, **named: Any) -> Any:
        in_threads.add(threading.get_ident())
        return compile(self, *args, **named)

    try:
        await worker.take(first)
        monkeypatch.setattr(Environment, "compile", compiled)
        await worker.prepare(second)
        assert len(in_threads) == 1
        assert threading.get_ident() not in in_threads
        await worker.take(second)
        for code in (route_codes.HOST_UNKNOWN, route_codes.RESERVED):
            page = worker._pages.render(code, kind="html", reader=Reader("fr"), reference="r1")
            assert (b"dsfr.min.css" in page.body) is (code is route_codes.RESERVED)
        assert threading.get_ident() not in in_threads, "a page was compiled in the loop"
    finally:
        async with asyncio.timeout(PATIENCE):
            await worker.drain(0.0)
        log.close()


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
    log = Log(os.open(os.devnull, os.O_WRONLY))
    worker, first = made(tmp_path, log)
    try:
        await worker.take(first)
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
