"""A steady load from a process of its own, so that it never waits for the load beside it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import uvloop

from tests.bench.steady import Steady


class Paced:
    """`with Paced(...) as paced: ...`, then `paced.p99_ms`: of the `requests` sent meanwhile, `rate` a second."""

    def __init__(self, port: int, headers: Mapping[str, str], target: str, rate: int) -> None:
        self._asked = {"port": port, "headers": headers, "targets": [target], "rate": rate, "connections": 16}
        self.p99_ms = 0.0
        self.requests = 0

    def __enter__(self) -> "Paced":
        command = [sys.executable, "-m", "tests.bench.paced", json.dumps(self._asked)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it has begun
        return self

    def __exit__(self, *_: object) -> None:
        printed, _ = self._process.communicate()  # the end of its input tells it to stop
        if self._process.returncode:
            raise RuntimeError("not every paced request was answered by 200")
        said = json.loads(printed)
        self.p99_ms, self.requests = said["p99_ms"], said["requests"]


async def _paced(asked: Mapping[str, Any]) -> Steady:
    async with Steady(**asked).running() as load:
        print("begun", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    return load


def main() -> int:
    done = uvloop.run(_paced(json.loads(sys.argv[1]))).done
    took = sorted(one.milliseconds for one in done)
    print(json.dumps({"p99_ms": round(took[len(took) * 99 // 100], 2), "requests": len(took)}))
    return 0 if all(one.status == 200 for one in done) else 1


if __name__ == "__main__":
    sys.exit(main())
