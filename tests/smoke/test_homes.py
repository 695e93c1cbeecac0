"""The home page of one person of each collectivité: what it offers opens, what it does not is closed, and it is the way
out of all of it."""

import re
from collections.abc import Mapping
from typing import Final

import pytest

from deploy.demo.stack import PORTAL_HOST
from tests.browser_like import Person, Response
from tests.smoke.world import World

# By account: the applications that its home offers, by their host. That of the expenses, which stands
# there where an LDAP server is installed, has checks of its own.
OFFERED: Final[Mapping[str, str]] = {
    "helene": "astreinte avis ecoles elections examens permis subventions",
    "maire": "astreinte avis elections permis subventions",
    "camille": "avis elections subventions",
    "vera": "avis elections",
    "iris": "astreinte avis elections",
    "rose": "avis ecoles elections examens",
    "theo": "avis elections",
    "wael": "avis elections",
    "marc": "astreinte avis ecoles elections",
}
LABELS: Final[Mapping[str, str]] = {
    "astreinte": "Main courante d’astreinte",
    "examens": "Centres d’examen",
    "avis": "Avis sur les projets",
    "ecoles": "Inscriptions scolaires",
    "elections": "Listes électorales",
    "permis": "Permis de construire",
    "subventions": "Demandes de subvention",
}

everybody = pytest.mark.parametrize("login", OFFERED)


async def _home(world: World, login: str) -> tuple[Person, Response]:
    person, _ = await world.signed_in(login, world.demo.origin("elections.localhost") + "/")
    return person, await person.open(world.portal("/"))


def _offered(page: Response) -> dict[str, str]:
    """Address by the name of the host."""
    part = page.text.partition('<ul class="choices">')[2].partition("</ul>")[0]
    found = {re.sub(r"^http://|\.localhost.*$", "", url): url for url in re.findall('<a href="([^"]*)"', part)}
    return {name: url for name, url in found.items() if name != "frais"}


@everybody
async def test_home_offers(world: World, login: str) -> None:
    _, page = await _home(world, login)
    assert " ".join(sorted(_offered(page))) == OFFERED[login]


@everybody
async def test_what_home_offers_opens(world: World, login: str) -> None:
    person, page = await _home(world, login)
    for url in _offered(page).values():
        opened = await person.open(url)
        # Through the portal, which knows the person, and to no provider.
        passed = {one.origin for one in opened.history} | {opened.origin}
        hosts = {re.sub(r"^http://|:\d+$", "", origin) for origin in passed}
        assert opened.status == 200, url
        assert hosts <= {PORTAL_HOST, *(f"{name}.localhost" for name in LABELS)}, hosts


@everybody
async def test_what_home_does_not_offer_is_closed(world: World, login: str) -> None:
    person, page = await _home(world, login)
    for name in LABELS.keys() - _offered(page).keys():
        opened = await person.open(world.demo.origin(f"{name}.localhost") + "/")
        assert opened.status in {200, 403}, name
        assert "Bonjour" not in opened.text, name
        assert LABELS[name] in opened.text, name


@everybody
async def test_home_is_the_way_out(world: World, login: str) -> None:
    person, page = await _home(world, login)
    assert "Vos sessions dans ce navigateur" in page.text
    await person.post(world.portal("/_ecluse/logout"), "", initiator=page.url)
    assert "Choisissez votre service de connexion" in (await person.open(world.portal("/"))).text
    closed = await person.open(world.demo.origin("elections.localhost") + "/")
    assert "Bonjour" not in closed.text
