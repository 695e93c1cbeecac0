"""python -m tests.attacks [GROUP ...]: the attack corpus against a running gateway.

A line per group, details of what failed, and `N passed, N failed` last; exit status 1 if one failed.
`--list` shows the cases, `--times` those that took over half a second. `--optimised` runs the gateway without asserts,
`--bare` leaves out the stand-in that shows that each case can fail.
"""

import asyncio
import importlib
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.attacks.cases import Case, Failed, expect, uncontrolled
from tests.attacks.world import Stage, World

# Group to module, each with CASES.
GROUPS = {
    "HS": "headers",
    "PC": "paths",
    "HR": "desync",
    "OR": "redirects",
    "CS": "cross_site",
    "SE": "sessions",
    "OC": "openid",
    "SS": "outbound",
    "K": "advisories",
    "GEN": "generated",
    "OPT": "optimised",
}
_EACH_WITHIN = 60.0
_SLOW = 0.5


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    chosen = [name for name in GROUPS if not words or name in {word.upper() for word in words}]
    if not chosen:
        print(f"no such group; there are {', '.join(GROUPS)}")
        return 2
    if "--list" in sys.argv:
        print("\n".join(case.name for name in chosen for case in cases_of(name)))
        return 0
    passed, failed = uvloop.run(run(chosen, optimised="--optimised" in sys.argv))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def cases_of(group: str) -> tuple[Case, ...]:
    cases: tuple[Case, ...] = importlib.import_module(f"tests.attacks.{GROUPS[group]}").CASES
    return cases


async def run(groups: Sequence[str], *, optimised: bool = False) -> tuple[int, int]:
    totals = [0, 0]
    with tempfile.TemporaryDirectory(prefix="ecluse-attacks-") as folder:
        async with Stage(Path(folder), optimised=optimised) as stage:
            stand_in = await stage.stand_in()
            for group in groups:
                began = time.monotonic()
                passed, failed = await _group(group, stage.world, stand_in)
                print(f"{group}: {passed} passed, {failed} failed ({time.monotonic() - began:.1f} s)", flush=True)
                totals[0] += passed
                totals[1] += failed
    return totals[0], totals[1]


async def _group(group: str, world: World, stand_in: World) -> tuple[int, int]:
    mark = world.log_mark()
    cases = cases_of(group)
    results = [await _one(case, world) for case in cases]
    controlled = [case for case in cases if case.controlled]
    if controlled and "--bare" not in sys.argv:
        results.append(await _one(_control(group, controlled, stand_in), world))
    results.append(await _one(_alive(group, mark), world))
    return results.count(True), results.count(False)


async def _one(case: Case, world: World) -> bool:
    began = time.monotonic()
    try:
        async with asyncio.timeout(_EACH_WITHIN):
            await case.run(world)
    except Exception as error:
        print(f"FAILED {case.name}: {_why(error)}", flush=True)
        return False
    finally:
        took = time.monotonic() - began
        if "--times" in sys.argv and took > _SLOW:
            print(f"{took:.1f} s {case.name}", flush=True)
    return True


def _control(group: str, cases: Sequence[Case], stand_in: World) -> Case:
    """A case that cannot fail is a defect: with a stand-in that lets everything through, each one has to."""

    async def run(world: World) -> None:
        blind = [case.name for case in cases if await _passes(case, stand_in)]
        expect(not blind, f"these pass whatever is let through: {blind}")

    return uncontrolled(f"{group}.control", "each attack is seen where a permissive stand-in lets it through", run)


async def _passes(case: Case, stand_in: World) -> bool:
    try:
        await case.run(stand_in)
    except Failed:
        return False
    return True


def _alive(group: str, mark: int) -> Case:
    async def run(world: World) -> None:
        status, told = await world.admin("/readyz")
        expect(status == 200 and '"workers_serving": 2' in told, f"not all workers serve: {told}")
        faults = world.faults(mark)
        expect(not faults, f"{len(faults)} faults in the log: {faults[:3]}")

    return uncontrolled(f"{group}.alive", "every worker lives, and the log holds no fault", run)


def _why(error: Exception) -> str:
    """The words of the case, else where it stopped."""
    if isinstance(error, Failed):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {error}"


if __name__ == "__main__":
    sys.exit(main())
