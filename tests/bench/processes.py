"""What a tree of processes has used: CPU from the scheduler's own count, memory as the kernel shares it out."""

from collections.abc import Iterator
from pathlib import Path


def tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Of every thread of the tree, user and system together; nanoseconds behind the point, no ticks."""
    nanoseconds = 0
    for member in tree(pid):
        for task in Path(f"/proc/{member}/task").iterdir():
            nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def loop_seconds(pid: int) -> float:
    """Of the first thread of each process of the tree, which runs its loop."""
    tasks = (Path(f"/proc/{member}/task/{member}/schedstat") for member in tree(pid))
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def rss_megabytes(pid: int) -> float:
    """The largest resident set among the processes below `pid`, those shared pages included (VmRSS)."""
    return max(_field(member, "VmRSS") for member in tree(pid)) / 1024


def worker_megabytes(pid: int) -> float:
    """As rss_megabytes, without the supervisor itself."""
    return max(_field(member, "VmRSS") for member in tree(pid) if member != pid) / 1024


def rss_of(pid: int) -> float:
    """Megabytes, of this one process."""
    return _field(pid, "VmRSS") / 1024


def pss_megabytes(pid: int) -> float:
    """Of the whole tree, each shared page counted once (Pss)."""
    return sum(_pss(member) for member in tree(pid)) / 1024


def _field(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
