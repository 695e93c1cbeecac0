"""Chromium before pages as an operator has them: their look and words, their time zone, and more applications than fit
a page."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser import chromium
from tests.config.design_copy import make_copy
from tests.walks.place import ONE, Place
from tests.walks.world import World, opened

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LIGHT, DARK, ZONE = "#6a1b4d", "#f2a7cf", "Pacific/Noumea"
# Two pages are full; alice may open all but the last one, and the usual two.
SERVICES = 98
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" fill="#6a1b4d"/></svg>'
NAMES = {"fr": "Portail de l’île", "en": "Portal of the island"}
HELP = {"fr": "Besoin d’aide ? Appelez le 12 34.", "en": "Need help? Call 12 34."}
LEGAL = {"fr": "https://ile.example/mentions", "en": "https://ile.example/en/legal"}
PRIVACY = "https://ile.example/donnees"
STATEMENT = {"fr": "https://ile.example/accessibilite", "en": "https://ile.example/en/accessibility"}
REFUSAL = {"fr": "Réservé au service de l’urbanisme.", "en": "For the planning office alone."}
MARK = ["Ministère", "de l’Exemple"]
LABEL = {"fr": "Permis de construire", "en": "Building permits"}
# A copy of the design system, by somebody who may use it.
COPY = os.environ.get("ECLUSE_DSFR", "")


def theme(**more: object) -> str:
    """JSON is YAML."""
    return json.dumps(
        {
            "name": NAMES,
            "logo": {"file": "logo.svg"},
            "help": HELP,
            "links": {"legal": LEGAL, "data_protection": PRIVACY},
            "accessibility": {"state": "partial", "statement": STATEMENT},
            "time_zone": ZONE,
            **more,
        }
    )


def written(folder: Path) -> Place:
    place = Place(folder, workers=1)
    make_copy(folder / "dsfr")
    (place.policies / "logo.svg").write_text(LOGO)
    refusal = json.dumps(REFUSAL)
    rules = (
        "  - {path: /**, allow: signed_in}\n"
        f"  - {{path: /reserve/**, allow: {{group: urbanisme}}, refusal: {refusal}}}\n"
    )
    place.write_app("one", ONE, access=rules, label=json.dumps(LABEL))
    for number in range(1, SERVICES + 1):
        place.write_app(f"service-{number}", f"service-{number}.localhost", label=f"Service {number:03}")
    nobody = "  - {path: /**, allow: {group: urbanisme}}\n"
    place.write_app("service-999", "service-999.localhost", label="Service 999", access=nobody)
    return place


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with opened(written(tmp_path_factory.mktemp("look"))) as world:
        yield world
        world.gateway.is_clean()


async def themed(world: World, told: str) -> None:
    world.place.settings["theme"] = told
    world.place.write_gateway()
    await world.gateway.reload()


def site(world: World, folder: Path, **more: str) -> dict[str, str]:
    said = {"names": NAMES, "help": HELP, "legal": LEGAL, "statement": STATEMENT, "refusal": REFUSAL, "label": LABEL}
    origins = {"app": world.place.url(ONE, ""), "portal": world.place.portal("")}
    told = {name: json.dumps(texts) for name, texts in said.items()}
    return {**origins, **told, "privacy": PRIVACY, "zone": ZONE, "pictures": str(folder), **more}


async def test_the_operators_theme_in_both_languages_light_and_dark(world: World, tmp_path: Path) -> None:
    await themed(world, theme(colours={"light": LIGHT, "dark": DARK}))
    await chromium.walked("theme.mjs", site(world, tmp_path, light=LIGHT, dark=DARK))


async def test_the_states_design_system_in_both_languages(world: World, tmp_path: Path) -> None:
    """A made-up sheet stands for it."""
    await themed(world, theme(dsfr={"folder": "../dsfr", "mark": "\n".join(MARK)}))
    await chromium.walked("theme.mjs", site(world, tmp_path, mark=json.dumps(MARK)))


@pytest.mark.skipif(not COPY, reason="ECLUSE_DSFR names no copy of the State's design system")
async def test_the_states_design_system_of_an_operators_copy(world: World, tmp_path: Path) -> None:
    await themed(world, theme(dsfr={"folder": COPY, "mark": "\n".join(MARK)}))
    await chromium.walked("theme.mjs", site(world, tmp_path, mark=json.dumps(MARK)))


async def test_many_applications_are_found_fifty_a_page(world: World) -> None:
    await chromium.walked("many_applications.mjs", {"portal": world.place.portal("")})
