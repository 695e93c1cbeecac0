"""The corpus as tests: one for each case, and at the end of each group its control and a look at the gateway."""

from collections.abc import Iterator, Sequence
from types import ModuleType

import pytest

from tests.attacks.cases import Case, Failed, expect, uncontrolled
from tests.attacks.world import World


def corpus(*, controlled: bool = True, **groups: ModuleType) -> pytest.MarkDecorator:
    """The cases of these groups, by the name of the group and its module, which has CASES. `make attack GROUP=name`
    chooses by the beginning of what a test is called here.

    `controlled`: whether the groups have their controls."""
    rows = [row for name, module in groups.items() for row in _group(name, module.CASES, controlled)]
    return pytest.mark.parametrize("case", rows)


def _group(name: str, cases: Sequence[Case], controlled: bool) -> Iterator[object]:
    checked = [case for case in cases if case.controlled]
    controls = [_control(checked)] if checked and controlled else []
    for case in (*cases, *controls, ALIVE):
        yield pytest.param(case, id=f"{name}-{case.name}")


def _control(cases: Sequence[Case]) -> Case:
    """A case that cannot fail is a defect: with a stand-in that lets everything through, each one has to."""

    async def run(world: World) -> None:
        assert world.stand_in is not None
        blind = [case.name for case in cases if await _passes(case, world.stand_in)]
        expect(not blind, f"these pass whatever is let through: {blind}")

    return uncontrolled("control", "each attack is seen where a permissive stand-in lets it through", run)


async def _passes(case: Case, stand_in: World) -> bool:
    try:
        await case.run(stand_in)
    except Failed:
        return False
    return True


async def _alive(world: World) -> None:
    status, told = await world.gateway.admin("/readyz")
    expect(status == 200 and '"workers_serving": 2' in told, f"not all workers serve: {told}")
    faults = world.faults(world.looked_until)
    world.looked_until = world.gateway.mark()
    expect(not faults, f"{len(faults)} faults in the log: {faults[:3]}")


ALIVE = uncontrolled("alive", "every worker lives, and the log holds no fault", _alive)
