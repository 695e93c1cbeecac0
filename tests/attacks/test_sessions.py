"""Nobody's session is had, and no browser is led astray."""

import pytest

from tests.attacks import cross_site, kept_forms, own_cookies, redirects, rewriting, sessions
from tests.attacks.cases import Case
from tests.attacks.corpus import corpus
from tests.attacks.world import World

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


@corpus(OR=redirects, CS=cross_site, RW=rewriting, SE=sessions, KF=kept_forms, AC=own_cookies)
async def test_attack(world: World, case: Case) -> None:
    await case.run(world)
