"""A person's own account and password of an application in PHP that has nothing but a login form, from end to end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from tests.browser_like import Person, Response
from tests.interop.servers import HERE, php
from tests.interop.test_form_login import FORM
from tests.patience import PATIENCE
from tests.walks.place import ONE, Place
from tests.walks.test_accounts import command
from tests.walks.world import World, opened

pytestmark = [pytest.mark.service, pytest.mark.slow]

SECRET = "un secret d'Alice"


class Grr:
    """`folder`: of the application, which notes there what it has seen."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.place = world.place

    @property
    def logins(self) -> list[str]:
        noted = self.folder / "seen"
        lines = noted.read_text().splitlines() if noted.exists() else []
        return [line.split()[1] for line in lines if line.startswith("login ")]

    def password(self, login: str, text: str) -> None:
        (self.folder / f"password-{login}").write_text(text)

    def link(self, login: str, secret: str = "", *more: str) -> None:
        file = self.place.folder / "secret.txt"
        file.write_text(secret)
        words = ("--secret", str(file)) if secret else ()
        command(self.place, "link", "one", login, "--person", "uid=alice", *words, *more)
        file.unlink()

    async def comes_to(self, person: Person, text: str) -> Response:
        async with asyncio.timeout(PATIENCE):
            while text not in (page := await person.step("GET", self.place.url())).text:
                await asyncio.sleep(0.1)
        return page


@pytest_asyncio.fixture
async def grr(tmp_path: Path) -> AsyncIterator[Grr]:
    async with behind(tmp_path, "{by: [uid], ask: Ask GRR.}") as grr:
        yield grr


@pytest_asyncio.fixture
async def own(tmp_path: Path) -> AsyncIterator[Grr]:
    """Where people link by themselves."""
    async with behind(tmp_path, "{by: [uid], ask: Ask GRR., missing: link}") as grr:
        yield grr


@asynccontextmanager
async def behind(tmp_path: Path, account: str) -> AsyncIterator[Grr]:
    place, folder = Place(tmp_path), tmp_path / "grr"
    folder.mkdir()
    (folder / "password").write_text("nobody's")
    (place.folder / "certs/links.key").write_text("of-the-links-0123456789" * 3)
    place.settings["accounts"] = "{keys: [{id: l1, secret: {file: ../certs/links.key}}]}"
    place.write_gateway()
    (port,) = free(1)
    place.write_app("one", ONE, upstream=f"{{url: http://127.0.0.1:{port}}}", account=account)
    file = place.policies / "apps/one.yaml"
    form = FORM.replace("  trusted: {from: uid, secret: {file: grr}}\n", "")
    file.write_text(file.read_text().replace("access:", f"{form}access:"))
    with php(folder, port, HERE / "php/form.php"):
        async with opened(place) as world:
            yield Grr(world, folder)


async def test_each_person_is_signed_in_under_their_own_account_with_its_own_password(grr: Grr) -> None:
    world, place = grr.world, grr.place
    alice = world.person()
    page = await world.follow(alice, await alice.step("GET", place.url()), "alice")
    assert (page.status, "Ask GRR." in page.text) == (403, True)
    assert grr.logins == []

    grr.link("a.liddell")
    page = await grr.comes_to(alice, "You cannot be signed in to this application yet")
    assert (page.status, "Ask GRR." in page.text) == (403, True)
    assert grr.logins == []

    grr.password("a.liddell", SECRET)
    grr.link("a.liddell", SECRET)
    page = await grr.comes_to(alice, "Bonjour a.liddell")
    assert page.status == 200
    assert grr.logins == ["a.liddell"]
    again = await alice.step("GET", place.url(target="/again"))
    assert "Bonjour a.liddell" in again.text
    assert grr.logins == ["a.liddell"], "one sign-in, then its session"

    bob = world.person()
    page = await world.follow(bob, await bob.step("GET", place.url()), "bob")
    assert page.status == 403, "another person has no part in it"

    grr.password("alice2", "un autre")
    grr.link("alice2", "un autre", "--replace")
    await grr.comes_to(alice, "Bonjour alice2")
    command(place, "unlink", "one", "--person", "uid=alice")
    page = await grr.comes_to(alice, "No account in this application is linked to you")
    assert page.status == 403
    assert grr.logins == ["a.liddell", "alice2"]

    held = [path for path in (place.folder / "var").rglob("*") if path.is_file()]
    held += [place.folder / "gateway.log"]
    assert not [path for path in held if path.exists() and SECRET.encode() in path.read_bytes()]
    world.gateway.is_clean()


async def test_a_person_links_their_account_by_themselves_and_renews_its_password(own: Grr) -> None:
    grr, world, place = own, own.world, own.place
    grr.password("a.liddell", SECRET)
    alice = world.person()
    page = await world.follow(alice, await alice.step("GET", place.url(target="/notes")), "alice")
    assert page.status == 403
    assert 'href="/_ecluse/account?to=/notes"' in page.text
    form = await world.follow(alice, await alice.step("GET", place.url(target="/_ecluse/account?to=/notes")))
    assert form.url.startswith(place.portal("/_ecluse/account?host="))
    wrong = await sent(grr, alice, "guess")
    assert (wrong.status, "does not accept this name with this password" in wrong.text) == (403, True)
    page = await led(alice, await sent(grr, alice, SECRET))
    assert (page.status, "Bonjour a.liddell" in page.text) == (200, True)

    grr.password("a.liddell", "a new one")
    for session in grr.folder.glob("sess_*"):
        session.unlink()
    page = await alice.step("GET", place.url(target="/notes"))
    assert "The application refused your account" in page.text
    assert 'href="/_ecluse/account?to=/notes"' in page.text
    assert "until you enter the new password here" in page.text
    known = await world.follow(alice, await alice.step("GET", place.url(target="/_ecluse/account?to=/notes")))
    assert "This account is linked" in known.text
    assert 'value="a.liddell"' in known.text
    page = await led(alice, await sent(grr, alice, "a new one"))
    assert "Bonjour a.liddell" in page.text
    shown = await alice.step("GET", place.portal("/_ecluse/sessions"))
    assert "one – a.liddell" in shown.text
    world.gateway.is_clean()


async def sent(grr: Grr, person: Person, password: str) -> Response:
    form = await person.step("GET", grr.place.portal(f"/_ecluse/account?host={ONE}&to=/notes"))
    owner = dict(form.forms()[0].fields)["owner"]
    fields = {"host": ONE, "to": "/notes", "owner": owner, "login": "a.liddell", "password": password}
    headers = [("Sec-Fetch-Site", "same-origin")]
    return await person.post(grr.place.portal("/_ecluse/account"), urlencode(fields), headers=headers)


async def led(person: Person, page: Response) -> Response:
    """Where a page leads that goes on by itself."""
    url = page.links()[-1]
    assert f'content="0;url={url}"' in page.text
    return await person.step("GET", url)
