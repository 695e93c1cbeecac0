"""Chromium before providers that sign nobody in, take too little or too long, or are asked for more: what people are
told."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web

from gateway.model.levels import ProviderLevels
from gateway.model.provider import AuthorizationParameters
from gateway.policy.levels import USUAL_LADDER, Ladder
from tests.browser.chromium import walked
from tests.portal.installation import ACTES, PERMIS, PORTAL, Installation, installed
from tests.portal.op import Claims

pytestmark = pytest.mark.browser

HINTS = {"login_hint": "helene@m.example", "idp_hint": "9c716f61", "siret_hint": "21590350100017"}

# What the provider becomes, the title and a sentence of the page, and its button.
ERRORS = (
    # It has never answered; one that did is known for a while.
    ("down", "Votre service de connexion ne répond pas", "Patientez un instant", "Recommencer"),
    ("access_denied", "Connexion annulée", "Vous pouvez recommencer.", "Recommencer"),
    (
        "temporarily_unavailable",
        "Votre service de connexion est momentanément indisponible",
        "Patientez un instant",
        "Recommencer",
    ),
    (
        "interaction_required",
        "Votre service de connexion attend une action de votre part",
        "faites ce qu’il vous demande",
        "Recommencer",
    ),
    ("invalid_scope", "La connexion n’a pas abouti", "n’accepte pas ce que ce portail lui demande", "Recommencer"),
    ("unmet_authentication_requirements", "Niveau d’authentification insuffisant", "carte agent", "Recommencer"),
    ("expired", "Les horloges de deux services ne concordent pas", "trop décalées", "Recommencer"),
    ("forged", "La connexion n’a pas abouti", "La réponse du service de connexion", "Recommencer"),
)


@asynccontextmanager
async def controlled(become: Callable[[str], None]) -> AsyncIterator[str]:
    """The address at which a walk says what the provider is to be."""

    async def told(request: web.Request) -> web.Response:
        become(request.match_info["what"])
        return web.Response()

    app = web.Application()
    app.router.add_get("/{what}", told)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def becoming(here: Installation) -> Callable[[str], None]:
    op = here.metropole
    changes: dict[str, Callable[[Claims], Claims]] = {
        "expired": lambda good: {**good, "exp": int(here.clock.now()) - 600, "iat": int(here.clock.now()) - 900},
        "forged": lambda good: {**good, "nonce": "another"},
    }

    def become(what: str) -> None:
        if op.down:
            # What did not answer is asked again after a while.
            here.clock.ahead += 300
        op.down = what == "down"
        op.tamper = changes.get(what, lambda good: good)
        op.error = "" if what in {*changes, "down", "well"} else what

    return become


async def test_each_kind_of_error_has_its_own_sentence_and_a_way_on(tmp_path: Path) -> None:
    async with installed() as here, controlled(becoming(here)) as control:
        keys = ("what", "title", "sentence", "way")
        errors = [dict(zip(keys, error, strict=True)) for error in ERRORS]
        site = {"permis": here.url(PERMIS, ""), "portal": here.url(PORTAL, ""), "control": control, "name": "Métropole"}
        await walked("provider_errors.mjs", {**site, "pictures": str(tmp_path), "errors": json.dumps(errors)})
        assert "gateway.fault" not in here.codes()


async def test_a_person_who_waits_is_told_for_whom() -> None:
    async with installed() as here:
        # Longer than the portal waits before it says so.
        here.metropole.takes = 6.0
        await walked("waiting.mjs", {"permis": here.url(PERMIS, "")})
        assert "gateway.fault" not in here.codes()


async def test_a_link_that_says_who_is_meant_is_followed_by_the_keyboard_alone(tmp_path: Path) -> None:
    async with installed() as here:
        here.change_provider("departement", request=AuthorizationParameters(passed_on=frozenset(HINTS)))
        asked = here.url(PERMIS, f"/agenda?{urlencode(HINTS)}")
        site = {"asked": asked, "portal": here.url(PORTAL, ""), "provider": "Département"}
        await walked("keyboard.mjs", site)
        assert HINTS.items() <= here.departement.asked[-1].items()
        assert "gateway.fault" not in here.codes()


async def test_people_are_told_why_they_are_asked_once_more(tmp_path: Path) -> None:
    async with installed() as here:
        said = {"metropole": ProviderLevels(frozenset({"fresh_login", "acr"}))}
        here.snapshot = replace(here.snapshot, ladder=Ladder(USUAL_LADDER, said))
        here.change_provider("metropole", levels=said["metropole"])

        def become(what: str) -> None:
            if what == "later":
                here.clock.ahead += 120
                # The provider asks anew whoever it is sent.
                here.metropole.authenticated.clear()
            else:
                level = "eidas2" if what == "strong" else "eidas1"
                here.metropole.tamper = lambda good: {**good, "acr": level}

        become("weak")
        async with controlled(become) as control:
            site = {"app": here.url(ACTES, ""), "portal": here.url(PORTAL, ""), "control": control}
            await walked("step_up.mjs", {**site, "pictures": str(tmp_path)})
