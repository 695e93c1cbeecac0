"""A person signs in once, and is signed in at a PHP application that has nothing but a login form, by every worker."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.browser_like import Person
from tests.interop.servers import HERE, php
from tests.patience import until
from tests.raw_http import Connection
from tests.walks.place import Place
from tests.walks.world import World, from_every_worker, opened, request

pytestmark = pytest.mark.service

GRR, WORKERS, SECRET = "grr.localhost", 3, "un secret de GRR"
TYPED = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept-Language", "en"))
FORM = (
    "{trusted: {from: uid, secret: {file: ../certs/grr}}, cookies: [GRRSESSID], "
    "steps: [{page: /login.php, fields: {user: login, password: secret, csrf: page}}], "
    "signed_in: [{location: /index.php}], expired: [{location: /login.php}], check: /account.php}"
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    place = Place(tmp_path, workers=WORKERS)
    (port,) = free(1)
    inside = tmp_path / "grr"
    inside.mkdir()
    (inside / "password").write_text(SECRET)
    (tmp_path / "certs/grr").write_text(SECRET)
    place.write_app("grr", GRR, upstream=f"{{url: http://127.0.0.1:{port}}}", form_login=FORM, logout="{url: /bye}")
    with php(inside, port, HERE / "php/form.php"):
        async with opened(place) as world:
            yield world
            world.gateway.is_clean()


def seen(world: World) -> list[str]:
    return (world.place.folder / "grr/seen").read_text().splitlines()


def logins(world: World) -> int:
    return sum(line.startswith("login ") for line in seen(world))


async def page(world: World, person: Person, target: str = "/agenda") -> str:
    found = await world.follow(person, await person.step("GET", world.place.url(GRR, target)))
    return f"{found.status} {found.text}"


async def test_every_worker_serves_it_signed_in_by_one_login(world: World) -> None:
    person = await world.signed_in(url=world.place.url(GRR, "/agenda"))
    assert person.jar.get(GRR, "GRRSESSID") is None
    found = await from_every_worker_of_grr(world, person)
    assert found == {b'{"user":"alice"}'}
    assert logins(world) == 1
    inside = world.place.folder / "grr"
    for session in inside.glob("sess_*"):
        session.unlink()
    pages = await asyncio.gather(*(page(world, person, f"/agenda?tab={number}") for number in range(2)))
    assert ["Bonjour alice" in text for text in pages] == [True, True]
    assert logins(world) == 2, "two tabs, one login"


async def test_the_end_of_a_session_ends_the_one_that_was_kept(world: World) -> None:
    person = await world.signed_in(url=world.place.url(GRR, "/agenda"))
    cookie = world.cookie(person, GRR)
    await world.log_out(person, GRR)
    await until(lambda: "GET /bye alice" in seen(world))
    count = len(seen(world))
    assert set().union(*(await from_every_worker(world.place, "/api", cookie, GRR)).values()) == {401}
    assert len(seen(world)) == count, "nothing goes there with a session that has ended"
    again = await world.signed_in("bob", url=world.place.url(GRR, "/agenda"))
    assert "Bonjour bob" in await page(world, again)


async def test_workers_count_the_tries_together_and_no_secret_is_logged(world: World) -> None:
    (world.place.folder / "grr/mood").write_text("fails")
    people = [world.person() for _ in range(6)]
    said = [await page(world, person) for person in people]
    assert [text[:3] for text in said] == ["502", "502", "502", "503", "503", "503"]
    assert logins(world) == 3
    (world.place.folder / "grr/mood").write_text("")
    for code in ("form_login.answer", "form_login.tries"):
        await world.gateway.logged(0, event="request.refused", code=code)
    assert {line["code"] for line in world.gateway.lines(event="request.refused")} == {
        "form_login.answer",
        "form_login.tries",
    }
    assert SECRET not in world.gateway.text()
    told = await world.gateway.measured(lambda m: m.get('ecluse_form_logins_total{result="form_login.answer"}') == 3)
    assert told['ecluse_form_logins_total{result="form_login.tries"}'] == 3


async def test_a_refusal_that_looks_like_a_success_locks_nobody_however_many_come_at_once(world: World) -> None:
    inside = world.place.folder / "grr"
    (inside / "password").write_text("un autre")
    (inside / "misfit").touch()
    people = [world.person() for _ in range(8)]
    said = await asyncio.gather(*(page(world, person) for person in people))
    assert sorted(text[:3] for text in said) == ["502"] * 3 + ["503"] * 5
    assert (inside / "wrong-alice").read_text() == "3"
    told = await world.gateway.measured(lambda m: m.get('ecluse_form_logins_total{result="form_login.loop"}') == 3)
    assert told['ecluse_form_logins_total{result="success"}'] == 0


async def test_what_a_person_sends_to_the_form_by_hand_never_reaches_it(world: World) -> None:
    person = await world.signed_in(url=world.place.url(GRR, "/agenda"))
    before, form = len(seen(world)), world.place.url(GRR, "/login.php")
    for number in range(4):
        said = await person.step("POST", form, body=b"user=bob&password=guess-%d" % number, headers=TYPED)
        assert (said.status, "own form is not needed" in said.text) == (403, True)
        # No other account opens this form.
        assert '<a href="/">Back to the application</a>' in said.text
    for method in ("PUT", "GET"):
        assert (await person.step(method, form, body=b"user=bob&password=guess", headers=TYPED)).status == 403
    assert len(seen(world)) == before
    # As PHP reads its name; nothing of it reaches the application.
    brought = (("Cookie", "csrf=a; %70assword=guess; password=guess"),)
    text = (await person.step("GET", world.place.url(GRR, "/agenda"), headers=brought)).text
    assert ("csrf=a" in text, "guess" in text) == (True, False)
    assert "Bonjour alice" in await page(world, person)


async def test_a_changed_password_is_put_right_by_a_reload(world: World) -> None:
    (world.place.folder / "grr/password").write_text("un autre")
    text = await page(world, world.person())
    assert text.startswith("403")
    assert "The application refused your account" in text
    assert (await page(world, world.person())).startswith("403")
    assert logins(world) == 1
    (world.place.folder / "certs/grr").write_text("un autre")
    await world.gateway.reload()
    assert "Bonjour alice" in await page(world, world.person())


async def from_every_worker_of_grr(world: World, person: Person) -> set[bytes]:
    """What the application answers, until each worker has asked it."""
    cookie, bodies = world.cookie(person, GRR), set()
    for _ in range(40):
        connection = await Connection.open(world.place.url())
        reading = await connection.exchange(request("/api", cookie, GRR))
        bodies.add(bytes(reading.body))
        await connection.close()
    return bodies


async def test_a_directory_gives_each_persons_login_and_secret(world: World) -> None:
    place, before = world.place, world.gateway.mark()
    (place.policies / "directories").mkdir()
    (place.folder / "vault.csv").write_text(f"who,login,word\nhelene,h.old,{SECRET}\npaul,p.old,\n")
    place.write(
        "directories/vault.yaml",
        "version: 1\ndirectory: vault\ncsv: {path: ../vault.csv}\nkey: {who: {from: uid, providers: [alpha]}}\n"
        "gives: {login: {}, grr: {column: word, secret: true}}\n",
    )
    app = (place.policies / "apps/grr.yaml").read_text()
    changed = app.replace("{from: uid, secret: {file: ../certs/grr}}", "{from: login, secret_from: grr}")
    assert changed != app
    place.write("apps/grr.yaml", changed.replace("access:", "directories: [vault]\naccess:"))
    await world.gateway.reload()
    await world.gateway.logged(before, event="directory.read")
    helene = await world.signed_in("helene", world.place.url(GRR, "/agenda"))
    assert "Bonjour h.old" in await page(world, helene)
    paul = world.person()
    refused = await world.follow(paul, await paul.step("GET", world.place.url(GRR, "/agenda")), "paul")
    assert refused.status == 403
    line = await world.gateway.logged(before, code="form_login.account")
    assert line["detail"] == "form_login: no directory gives this person a secret"
    assert SECRET not in world.gateway.text(before)
