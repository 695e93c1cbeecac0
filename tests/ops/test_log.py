import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.model.events import EVENTS
from gateway.model.identity import Identity
from gateway.ops.log import Log, short_reference
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
JEANNE = Identity("metropole", "https://op.example", "jeanne", {"mail": ("jeanne@metropole.example",)})


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):  # a test may have closed it
            os.close(end)


def read(end: int) -> list[dict[str, Any]]:
    """What has been written, as objects; the writing end is not closed for it."""
    os.set_blocking(end, False)
    content = b""
    try:
        while chunk := os.read(end, 65536):
            content += chunk
    except BlockingIOError:
        pass
    assert content.endswith(b"\n") or not content
    return [json.loads(line) for line in content.splitlines()]


def logged(pipe: tuple[int, int], event: str = "gateway.started", *, strict: bool = True, **fields: object) -> bytes:
    """The one line of one event."""
    log = Log(pipe[1], strict=strict, now=lambda: 1_800_000_000.1234)
    log.event(event, **fields)
    log.close(PATIENCE)
    line = os.read(pipe[0], 65536)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return line


# --- lines


def test_an_event_is_one_line_of_json_with_time_level_id_and_process(pipe: tuple[int, int]) -> None:
    line = logged(pipe, "login.refused", code="oidc.nonce", request_id="r-1", provider="metropole")
    assert json.loads(line) == {
        "time": "2027-01-15T08:00:00.123Z",
        "level": "warning",
        "event": "login.refused",
        "pid": os.getpid(),
        "code": "oidc.nonce",
        "request_id": "r-1",
        "reference": short_reference("r-1"),
        "provider": "metropole",
    }


def test_every_event_of_the_table_can_be_written(pipe: tuple[int, int]) -> None:
    log = Log(pipe[1], strict=True)
    for id in EVENTS:
        log.event(id)
    log.close(PATIENCE)
    assert [line["event"] for line in read(pipe[0])] == list(EVENTS)


NASTY = [
    'x"}\n{"event": "login.succeeded"}',
    "\r\n2027-01-15 forged",
    "\x00\x07\x08\x1b[31m\x1b]0;title\x07",
    "\x7f\x80\x85\x9b31m",
    "\u2028\u2029\u202e\u2066\ufeff",
    "\ud800 alone",
    "é😀",
]


@pytest.mark.parametrize("value", NASTY)
def test_no_value_breaks_out_of_its_line_or_reaches_a_terminal(pipe: tuple[int, int], value: str) -> None:
    line = logged(pipe, detail=value)
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    assert json.loads(line)["detail"] == value


def test_no_field_takes_the_place_of_ours(pipe: tuple[int, int]) -> None:
    """A fact under such a name would be lost, so the tests refuse it."""
    line = json.loads(logged(pipe, strict=False, time="then", level="none", pid=0))
    assert (line["time"], line["level"], line["pid"]) == ("2027-01-15T08:00:00.123Z", "info", os.getpid())
    log = Log(pipe[1], strict=True)
    with pytest.raises(ValueError, match="the log itself writes level, time"):
        log.event("gateway.started", time="then", level="none")
    log.close(PATIENCE)


def test_an_object_is_never_written_out(pipe: tuple[int, int]) -> None:
    line = logged(pipe, strict=False, identity=JEANNE, raw=b"bytes", inside=[JEANNE], keyed={("a", "b"): 1})
    fields = json.loads(line)
    assert (fields["identity"], fields["raw"], fields["inside"]) == ("<Identity>", "<bytes>", ["<Identity>"])
    assert b"jeanne" not in line


def test_in_tests_an_unknown_event_or_an_object_is_an_error(pipe: tuple[int, int]) -> None:
    log = Log(pipe[1], strict=True)
    with pytest.raises(ValueError, match="is not in the table"):
        log.event("login.sucess")
    with pytest.raises(TypeError, match="<Identity> is no plain value"):
        log.event("login.succeeded", identity=JEANNE)
    log.close(PATIENCE)
    assert read(pipe[0]) == []


def test_in_service_an_unknown_event_is_logged_as_such(pipe: tuple[int, int]) -> None:
    line = json.loads(logged(pipe, "login.sucess", strict=False, code="x"))
    assert (line["event"], line["level"], line["unknown"]) == ("log.unknown_event", "error", "login.sucess")


# --- length


def test_a_line_is_never_longer_than_one_atomic_write(pipe: tuple[int, int]) -> None:
    line = logged(pipe, detail="x" * 100_000, code="c")
    fields = json.loads(line)
    assert len(line) <= 4096
    assert fields["detail"] == "x" * 1500 + "..."
    assert fields["code"] == "c"


@pytest.mark.parametrize("length", range(3900, 4100, 7))
def test_around_the_limit_too(pipe: tuple[int, int], length: int) -> None:
    assert len(logged(pipe, detail="x" * length)) <= 4096


def test_many_long_values_are_cut_shorter_and_at_last_left_out(pipe: tuple[int, int]) -> None:
    several = json.loads(logged(pipe, **{f"field_{number}": "é" * 5000 for number in range(5)}))
    assert several["field_4"] == "é" * 100 + "..."
    line = logged(pipe, **{f"field_{number}": ["x" * 5000] for number in range(100)})
    fields = json.loads(line)
    assert len(line) <= 4096
    assert (len(fields["left_out"]), fields["event"]) == (50, "gateway.started")


def test_an_access_line_goes_as_it_is_and_is_cut_when_too_long(pipe: tuple[int, int]) -> None:
    log = Log(pipe[1])
    log.access(b'{"a":1}\n')
    log.access(b"x" * 9000 + b"\n")
    log.close(PATIENCE)
    lines = os.read(pipe[0], 65536).split(b"\n")
    assert (lines[0], len(lines[1])) == (b'{"a":1}', 4095)


def test_lines_of_several_processes_in_one_pipe_are_never_mixed() -> None:
    script = (
        "import sys; from gateway.ops.log import Log\n"
        "log = Log(1, capacity=10**6)\n"
        "for n in range(2000): log.event('gateway.started', who=sys.argv[1], detail=sys.argv[1] * (n % 900))\n"
        "log.close(60)\n"
    )
    end, writing = os.pipe()
    writers = [subprocess.Popen([sys.executable, "-c", script, who], cwd=ROOT, stdout=writing) for who in "ab"]
    os.close(writing)
    with os.fdopen(end, "rb") as output:
        lines = [json.loads(line) for line in output]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(lines) == 4000
    assert all({*line["detail"]} <= {line["who"]} for line in lines)


# --- when nobody reads


def read_until_end(end: int, size: int) -> None:
    while size > 0:
        size -= len(os.read(end, 65536))


@pytest.mark.parametrize(("is_file", "longest"), [(True, 64 * 1024), (False, 4096)])
def test_a_write_carries_as_many_lines_as_are_never_mixed(
    tmp_path: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, is_file: bool, longest: int
) -> None:
    write, sizes, all_there = os.write, [], threading.Event()

    def told(fd: int, chunk: bytes) -> int:
        all_there.wait(PATIENCE)
        sizes.append(len(chunk))
        return write(fd, chunk)

    monkeypatch.setattr(os, "write", told)
    with (tmp_path / "log").open("wb") as file:
        log = Log(file.fileno() if is_file else pipe[1])
        reader = threading.Thread(target=lambda: is_file or read_until_end(pipe[0], 200_000), daemon=True)
        reader.start()
        for _ in range(2000):
            log.access(b"x" * 99 + b"\n")
        all_there.set()
        log.close(PATIENCE)
        reader.join(PATIENCE)
    assert sum(sizes) == 200_000
    assert longest - 100 < max(sizes) <= longest


def test_a_reader_that_stands_still_stops_nobody_and_what_was_lost_is_told(pipe: tuple[int, int]) -> None:
    log = Log(pipe[1], capacity=100)
    for _ in range(5000):
        log.event("gateway.started", detail="x" * 100)
    assert log.dropped > 3000
    seen: list[dict[str, Any]] = []
    done = threading.Event()

    def reader() -> None:
        with os.fdopen(os.dup(pipe[0]), "rb") as output:
            for line in output:
                seen.append(json.loads(line))
                if seen[-1]["event"] == "log.dropped":
                    done.set()

    thread = threading.Thread(target=reader, daemon=True)
    thread.start()
    assert done.wait(PATIENCE)
    log.close(PATIENCE)
    os.close(pipe[1])
    thread.join(PATIENCE)
    told = sum(line["lines"] for line in seen if line["event"] == "log.dropped")
    assert told == log.dropped
    assert len(seen) - sum(line["event"] == "log.dropped" for line in seen) + told == 5000


def read_whatever(end: int) -> None:
    os.set_blocking(end, False)
    with suppress(BlockingIOError):
        os.read(end, 65536)


def test_the_end_waits_for_a_reader_that_stands_still_no_longer_than_it_was_told(pipe: tuple[int, int]) -> None:
    log = Log(pipe[1])
    for _ in range(2000):
        log.event("gateway.started", detail="x" * 100)
    waited: list[object] = []
    join = log._writer.join
    log._writer.join = lambda within: (waited.append(within), join(within))  # type: ignore[method-assign]
    log.close(within=0.1)
    assert waited == [0.1]
    assert log._writer.is_alive(), "it has written what nobody read"
    # Not left behind: it would write into whatever gets the number of this pipe next.
    until = time.monotonic() + PATIENCE
    while log._writer.is_alive() and time.monotonic() < until:
        read_whatever(pipe[0])


def test_a_reader_that_is_gone_is_no_fault(pipe: tuple[int, int]) -> None:
    log = Log(pipe[1])
    os.close(pipe[0])
    for _ in range(10):
        log.event("gateway.started")
    log.close(PATIENCE)
    assert log.dropped == 10


def test_an_output_that_somebody_made_non_blocking_loses_nothing(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    log = Log(pipe[1])
    for number in range(3000):
        log.event("gateway.started", number=number, detail="x" * 100)
    seen: list[dict[str, Any]] = []
    until = time.monotonic() + PATIENCE
    while len(seen) < 3000 and time.monotonic() < until:
        seen += read(pipe[0])
    assert [line["number"] for line in seen] == list(range(3000))
    assert log.dropped == 0
    log.close(PATIENCE)


def test_the_end_writes_what_is_waiting(pipe: tuple[int, int]) -> None:
    log = Log(pipe[1])
    for number in range(300):
        log.event("gateway.started", number=number)
    log.close(PATIENCE)
    assert [line["number"] for line in read(pipe[0])] == list(range(300))
