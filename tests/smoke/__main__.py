"""python -m tests.smoke: starts the demo on free ports, walks through it over real HTTP, stops all of it.

Prints a line per check and `N passed, N failed` last; exit status 1 if one failed.
"""

import asyncio
import shutil
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.demo.place import copy_policies, free_ports
from deploy.demo.stack import Demo, DemoFailed
from tests.smoke import forgery, homes, ministries, operations, policy, saml, sessions, sign_in, story, wire
from tests.smoke.world import World

Check = Callable[[World], Awaitable[None]]

CHECKS: tuple[Check, ...] = (
    *sign_in.CHECKS,
    *forgery.CHECKS,
    *sessions.CHECKS,
    *saml.CHECKS,
    *story.CHECKS,
    *ministries.CHECKS,
    *homes.CHECKS,
    *policy.CHECKS,
    *wire.CHECKS,
    *operations.CHECKS,
)
_EACH_WITHIN = 300.0


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ecluse-smoke-") as folder:
        passed, failed = asyncio.run(_run(Path(folder)))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


async def _run(folder: Path) -> tuple[int, int]:
    ports = free_ports()
    copy_policies(folder, ports)
    # The walks change rules on purpose, and the example's own tests would refuse that.
    shutil.rmtree(folder / "policies" / "tests")
    results = []
    try:
        async with Demo(folder, ports) as demo:
            print("ok the demo starts", flush=True)
            results.append(True)
            world = World(demo)
            for check in _chosen(sys.argv[1:]):
                results.append(await _one(check, world))  # noqa: PERF401 - kept if the demo fails half-way
    except DemoFailed as failed:
        print(f"FAILED the demo starts: {failed}")
        results.append(False)
    return results.count(True), results.count(False)


def _chosen(words: list[str]) -> list[Check]:
    """All, or those whose name has one of these words in it."""
    return [check for check in CHECKS if not words or any(word in check.__name__ for word in words)]


async def _one(check: Check, world: World) -> bool:
    name = check.__name__.replace("_", " ")
    try:
        async with asyncio.timeout(_EACH_WITHIN):
            await check(world)
    except Exception as error:
        print(f"FAILED {name}: {_why(error)}", flush=True)
        return False
    finally:
        await world.leave()
    print(f"ok {name}", flush=True)
    return True


def _why(error: Exception) -> str:
    """The words of the check, else its line in the source, for a bare assert has none."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    said = str(error) or frame.line or ""
    return f"{type(error).__name__} at {where}: {said}"


if __name__ == "__main__":
    sys.exit(main())
