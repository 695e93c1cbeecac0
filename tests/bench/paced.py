"""Requests at a steady pace, each on its turn whether the one before was answered or not: what a person at work feels
while others load the machine. A process of its own, so that it never waits for the load beside it."""

import asyncio
import json
import subprocess
import sys
import time
from statistics import quantiles

CONNECTIONS = 16
PACE = 0.004


class Paced:
    """`with Paced(...) as paced: ...`, then `paced.p99_ms`: of all requests sent meanwhile."""

    def __init__(self, port: int, request: bytes) -> None:
        self._command = [sys.executable, "-m", "tests.bench.paced", str(port)]
        self._request = request
        self.p99_ms = 0.0
        self.requests = 0

    def __enter__(self) -> "Paced":
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(len(self._request).to_bytes(4, "big") + self._request)
        self._process.stdin.flush()
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it has begun
        return self

    def __exit__(self, *_: object) -> None:
        printed, _ = self._process.communicate()  # the end of its input tells it to stop
        if self._process.returncode:
            raise RuntimeError("the paced requests were not all answered by 200")
        said = json.loads(printed)
        self.p99_ms, self.requests = said["p99_ms"], said["requests"]


async def _one(port: int, request: bytes, turns: asyncio.Queue[float], took: list[float]) -> None:
    """Each turn is the moment at which its request should have gone out: what it waited for us counts, too."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        due = await turns.get()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head.partition(b"\r\n")[0].decode("latin-1"))
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        took.append(time.monotonic() - due)


async def _send(port: int, request: bytes) -> list[float]:
    loop, turns, took = asyncio.get_running_loop(), asyncio.Queue[float](), list[float]()
    over = loop.run_in_executor(None, sys.stdin.buffer.read)
    connections = [loop.create_task(_one(port, request, turns, took)) for _ in range(CONNECTIONS)]
    print("begun", flush=True)
    due = time.monotonic()
    while not over.done():
        due += PACE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        turns.put_nowait(due)
        for connection in connections:
            if connection.done():
                connection.result()
    for connection in connections:
        connection.cancel()
    return took


def main() -> int:
    size = int.from_bytes(sys.stdin.buffer.read(4), "big")
    took = asyncio.run(_send(int(sys.argv[1]), sys.stdin.buffer.read(size)))
    print(json.dumps({"p99_ms": round(quantiles(took, n=100)[98] * 1000, 2), "requests": len(took)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
