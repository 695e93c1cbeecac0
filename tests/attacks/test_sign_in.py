"""Nobody signs in as another, and no application believes what nobody signed."""

import pytest

from tests.attacks import asking, form_logins, openid, saml, tokens
from tests.attacks.cases import Case
from tests.attacks.corpus import corpus
from tests.attacks.world import World

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


@corpus(TK=tokens, FL=form_logins, AQ=asking, OC=openid, SAML=saml)
async def test_attack(world: World, case: Case) -> None:
    await case.run(world)
