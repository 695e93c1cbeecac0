"""What a request says: where its head and its body end, which path it names, who sends it."""

import pytest

from tests.attacks import desync, fronts, headers, paths, webdav
from tests.attacks.cases import Case
from tests.attacks.corpus import corpus
from tests.attacks.world import World

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


@corpus(HS=headers, FA=fronts, PC=paths, DV=webdav, HR=desync)
async def test_attack(world: World, case: Case) -> None:
    await case.run(world)
