"""An application that asks for an account, with the gateway and its command: who is let in, and under which login."""

import asyncio
import json
import os
import pwd
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.test_main import ECLUSE
from tests.patience import PATIENCE, until
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, ask, everywhere, opened

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

THREE = "three.localhost"
ASK = "{by: [uid], ask: 'Write to helpdesk@example.org.'}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("accounts"))
    (place.folder / "certs/links.key").write_text("of-the-links-0123456789" * 3)
    place.settings["accounts"] = "{keys: [{id: l1, secret: {file: ../certs/links.key}}]}"
    place.write_gateway()
    place.write_app("one", ONE, account=ASK, translate="{headers: {X-Remote-User: {from: account}}}")
    place.write_app("two", TWO)
    asks = "{by: [uid], ask: 'Write to helpdesk@example.org.', missing: request}"
    place.write_app("three", THREE, account=asks, translate="{headers: {X-Remote-User: {from: account}}}")
    async with opened(place) as world:
        yield world


def command(place: Place, *words: str) -> str:
    told = subprocess.run(
        [str(ECLUSE), "account", *words], cwd=place.folder, capture_output=True, text=True, timeout=PATIENCE
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


async def soon(place: Place, cookie: str, status: int, host: str = ONE) -> None:
    """Every worker sees a change within a second; the machine may be busy."""
    async with asyncio.timeout(PATIENCE):
        while await everywhere(place, "/", cookie, host) != {status}:
            await asyncio.sleep(0.05)


async def test_a_person_comes_in_under_their_own_login_from_when_they_are_linked_until_it_is_taken_back(
    world: World,
) -> None:
    place = world.place
    alice = world.person()
    page = await world.follow(alice, await alice.step("GET", place.url()), "alice")
    assert page.status == 403
    assert "Write to helpdesk@example.org." in page.text
    assert "No account in this application is linked to you" in page.text
    assert (await world.gateway.logged(0, event="access.denied"))["code"] == "account.missing"
    cookie = world.cookie(alice)
    refused = await ask(place.url(), "/", cookie)
    assert refused.status == 403
    assert json.loads(bytes(refused.body))["error"] == "account.missing"
    reached = world.upstream.requests

    mark = world.gateway.mark()
    command(place, "link", "one", "a.liddell", "--person", "uid=alice")
    linked = await world.gateway.logged(mark, event="account.linked")
    assert (linked["app"], linked["operator"]) == ("one", pwd.getpwuid(os.geteuid()).pw_name)
    await soon(place, cookie, 200)
    told = json.loads(bytes((await ask(place.url(), "/", cookie)).body))
    assert told["headers"]["x-remote-user"] == "a.liddell"
    shown = json.loads(bytes((await ask(place.url(), "/_ecluse/session", cookie)).body))
    assert shown["headers"] == {"X-Remote-User": "a.liddell"}
    bob = await world.signed_in("bob", place.url(TWO))
    assert (await ask(place.url(), "/", world.cookie(bob, TWO), TWO)).status == 200, "who asks for none needs none"
    assert world.upstream.requests > reached

    reached = world.upstream.requests
    stream = asyncio.create_task(ask(place.url(), "/stream?seconds=600", cookie))
    await until(lambda: world.upstream.requests > reached)
    await asyncio.sleep(0.3)
    command(place, "unlink", "one", "--person", "uid=alice")
    await soon(place, cookie, 403)
    with pytest.raises((ConnectionError, EOFError, AssertionError, asyncio.IncompleteReadError)):
        async with asyncio.timeout(PATIENCE):
            await stream


async def test_a_person_asks_and_comes_in_from_when_an_operator_has_answered(world: World) -> None:
    place, asking = world.place, "/_ecluse/account/request"
    dinah = world.person()
    page = await world.follow(dinah, await dinah.step("GET", place.url(THREE)), "dinah")
    assert page.status == 403
    assert "Your account in this application is not known yet" in page.text
    assert 'href="/_ecluse/account?to=/"' in page.text
    cookie, reached = world.cookie(dinah, THREE), world.upstream.requests
    form = await world.follow(dinah, await dinah.step("GET", place.url(THREE, "/_ecluse/account?to=/")))
    assert (form.status, form.url) == (200, place.portal(f"{asking}?host={THREE}&to=/"))
    (own,) = (dict(one.fields) for one in form.forms() if "owner" in dict(one.fields))
    told = f"host={THREE}&to=%2F&owner={own['owner']}&text=Bonjour%2C%0D%0Amerci."
    across = await dinah.post(place.portal(asking), told, initiator=place.url(THREE))
    assert across.status == 403, "a page of the application sends no such form"
    sent = await dinah.post(place.portal(asking), told, initiator=form.url)
    assert (sent.status, "Your request was sent" in sent.text) == (200, True)
    found = re.search(r"Reference of your request: <code>(\w+)</code>", sent.text)
    assert found is not None
    await world.gateway.logged(0, event="account.asked", account_request=found[1])
    listed = command(place, "list", "--requests")
    assert f"{found[1]}  three  uid=dinah of {world.alpha.url}" in listed
    assert "    > Bonjour,\n    > merci.\n" in listed
    waits = await dinah.step("GET", form.url)
    assert "Your request is waiting for an answer" in waits.text
    assert world.upstream.requests == reached, "nothing has reached the application"

    command(place, "link", "three", "d.cat", "--request", found[1])
    await soon(place, cookie, 200, THREE)
    answered = json.loads(bytes((await ask(place.url(THREE), "/", cookie, THREE)).body))
    assert answered["headers"]["x-remote-user"] == "d.cat", "with the session that there was"
    assert command(place, "list", "--requests") == ""


async def test_links_that_are_gone_close_this_application_alone_and_it_recovers_by_itself(world: World) -> None:
    place, links = world.place, world.place.folder / "var/links.sqlite"
    command(place, "link", "one", "c.lewis", "--person", "uid=carol")
    carol = await world.signed_in("carol", place.url())
    cookie = world.cookie(carol)
    await carol.step("GET", place.url(TWO))
    kept: Path = links.rename(links.with_suffix(".kept"))
    await soon(place, cookie, 503)
    page = await carol.step("GET", place.url())
    assert (page.status, page.header("Retry-After")) == (503, "5")
    assert "This application is temporarily unavailable" in page.text
    bob = await world.signed_in("bob", place.url(TWO))
    assert await everywhere(place, "/", world.cookie(bob, TWO), TWO) == {200}
    line = await world.gateway.logged(0, event="account.unreadable")
    assert line["detail"].endswith("to begin without links")
    kept.rename(links)
    await soon(place, cookie, 200)
    await world.gateway.logged(0, event="account.recovered")
