"""Targets and framings that are put together from pieces."""

import pytest

from tests.attacks import generated
from tests.attacks.cases import Case
from tests.attacks.corpus import corpus
from tests.attacks.world import World

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


@corpus(GEN=generated)
async def test_attack(world: World, case: Case) -> None:
    await case.run(world)
