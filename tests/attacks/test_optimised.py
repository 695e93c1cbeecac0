"""K122. No check of ours is an assert: the gateway is attacked again as it runs under `python -O`."""

import pytest

from tests.attacks import openid, paths
from tests.attacks.cases import Case
from tests.attacks.corpus import corpus
from tests.attacks.world import World

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
OPTIMISED = True


@corpus(controlled=False, PC=paths, OC=openid)
async def test_attack(world: World, case: Case) -> None:
    await case.run(world)
