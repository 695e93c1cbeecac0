"""python -m tests.attacks [GROUP ...]: the attack corpus against a running gateway.

A line per group, details of what failed, and `N passed, N failed` last; exit status 1 if one failed.
`--list` shows the cases, `--times` those that took over half a second. `--optimised` runs the gateway without asserts,
`--bare` leaves out the stand-in that shows that each case can fail.
"""

import asyncio
import importlib
import signal
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
    "FA": "fronts",
    "PC": "paths",
    "DV": "webdav",
    "HR": "desync",
    "OR": "redirects",
    "CS": "cross_site",
    "RW": "rewriting",
    "SE": "sessions",
    "KF": "kept_forms",
    "TK": "tokens",
    "FL": "form_logins",
    "AQ": "asking",
    "AC": "own_cookies",
    "OC": "openid",
    "SAML": "saml",
    "SS": "upstreams",
    "DI": "directories",
    "SC": "directories_tell",
    "K": "advisories",
    "GEN": "generated",
    "OPT": "optimised",
}
_EACH_WITHIN = 300.0
_SLOW = 0.5
# Where one fault fails everything, these are enough to find it.
_MOST_SHOWN = 12


def main() -> int:
    words = {word.upper() for word in sys.argv[1:] if not word.startswith("--")}
    if unknown := words - GROUPS.keys():
        print(f"no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
        return 2
    chosen = [name for name in GROUPS if not words or name in words]
    if "--list" in sys.argv:
        print("\n".join(case.name for name in chosen for case in cases_of(name)))
        return 0
    try:
        passed, failed = uvloop.run(run(chosen, optimised="--optimised" in sys.argv))
    except (Failed, asyncio.CancelledError) as stopped:
        print(f"stopped: {str(stopped) or 'told to'}")
        return 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def cases_of(group: str) -> tuple[Case, ...]:
    cases: tuple[Case, ...] = importlib.import_module(f"tests.attacks.{GROUPS[group]}").CASES
    return cases


async def run(groups: Sequence[str], *, optimised: bool = False) -> tuple[int, int]:
    totals = [0, 0]
    task = asyncio.current_task()
    if task is not None:
        # Whoever ends the run ends what it has started.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
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
    cases = list(cases_of(group))
    controlled = [case for case in cases if case.controlled]
    if controlled and "--bare" not in sys.argv:
        cases.append(_control(group, controlled, stand_in))
    cases.append(_alive(group, mark))
    failures = 0
    for case in cases:
        why = await _one(case, world)
        failures += why is not None
        if why is not None and failures <= _MOST_SHOWN:
            print(f"FAILED {case.name}: {why}", flush=True)
    if failures > _MOST_SHOWN:
        print(f"FAILED {failures - _MOST_SHOWN} more of {group}")
    return len(cases) - failures, failures


async def _one(case: Case, world: World) -> str | None:
    """Why it failed; None where it passed."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(_EACH_WITHIN):
            await case.run(world)
    except Exception as error:
        return _why(error)
    finally:
        took = time.monotonic() - began
        if "--times" in sys.argv and took > _SLOW:
            print(f"{took:.1f} s {case.name}", flush=True)
    return None


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
