"""What the gateway asks of others, what it is told, and defects that others had."""

import pytest

from tests.attacks import advisories, directories, directories_tell, upstreams
from tests.attacks.cases import Case
from tests.attacks.corpus import corpus
from tests.attacks.world import World

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


@corpus(SS=upstreams, DI=directories, SC=directories_tell, K=advisories)
async def test_attack(world: World, case: Case) -> None:
    await case.run(world)
