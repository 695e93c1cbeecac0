"""Every line is an event of the table, and none tells a secret or what a provider said of a person."""

import base64
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.model.events import EVENTS
from tests.attacks.provider import Document, sign
from tests.browser_like import Person
from tests.raw_http import Connection
from tests.walks.gateway import SERVE, Gateway
from tests.walks.place import ONE, PORTAL_HOST, TWO, Place
from tests.walks.world import BINDING, SEAT, World, ask, opened, request

ADMINS = "  - {path: /admins/**, allow: {group: admins}}\n"
PLANTED = {
    "family_name": "Planted-Family-Name",
    "email": "planted-mail@corp.example",
    "groups": ["planted-group"],
    "preferred_username": "planted-login",
}


@dataclass
class Secrets:
    """What must be nowhere, by what it is."""

    found: dict[str, str] = field(default_factory=dict)

    def plant(self, **values: str | None) -> None:
        for name, value in values.items():
            assert value, f"{name} was not there to be looked for"
            assert len(value) > 8, f"{name} is too short to be told from chance"
            self.found[name] = value

    def of_url(self, prefix: str, url: str, *names: str) -> None:
        query = parse_qs(urlsplit(url).query)
        self.plant(**{f"{prefix} {name}": query[name][0] for name in names})


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    place = Place(tmp_path, workers=2, settings={"access_log": "true"})
    usual = "  - {path: /public/**, allow: anyone}\n  - {path: /**, allow: signed_in}\n"
    place.write_app("one", ONE, access=usual + ADMINS)
    async with opened(place) as world:
        world.alpha.people["paul"] = dict(PLANTED)
        yield world


async def a_whole_life(world: World, person: Person, secrets: Secrets) -> None:
    """A sign-in step by step, pages that are given and refused, the second application, and out again."""
    place = world.place
    begun = await person.step("GET", place.url(ONE, "/page?token=planted-query-value"))
    secrets.of_url("start", begun.location, "t")
    asked = await person.step("GET", begun.location)
    secrets.of_url("authorization", asked.location, "state", "nonce", "code_challenge")
    answered = await person.step("GET", f"{asked.location}&as=paul")
    secrets.of_url("callback", answered.location, "code")
    page = await person.step("GET", answered.location)
    secrets.of_url("hand-over", page.location, "code")
    page = await world.follow(person, page)
    assert page.json()["headers"]["x-remote-user"] == PLANTED["preferred_username"]
    assert (await person.step("GET", place.url(ONE, "/admins/"))).status == 403
    await world.follow(person, await person.step("GET", place.url(TWO)))
    for host in (ONE, TWO, PORTAL_HOST):
        secrets.plant(
            **{f"seat on {host}": person.jar.get(host, SEAT), f"binding on {host}": person.jar.get(host, BINDING)}
        )
        secrets.plant(**{f"secret half on {host}": (person.jar.get(host, SEAT) or "").partition(".")[2]})
    form = world.alpha.redeemed[0]
    secrets.plant(verifier=form["code_verifier"], authorization=form["authorization"].partition(" ")[2])
    await person.post(
        place.url(ONE, "/page"), "field=planted-form-value", headers=[("Authorization", "Basic planted-password")]
    )
    await world.log_out(person)


async def what_goes_wrong(world: World, secrets: Secrets) -> None:
    """Refusals of each kind, with what is secret in their hands."""
    place = world.place
    thief, victim = world.person(), world.person()
    page = await victim.step("GET", place.url(ONE, "/page"))
    callback = (await world.follow(victim, page, "paul", before="/_ecluse/callback/")).location
    secrets.of_url("stolen callback", callback, "code", "state")
    await thief.step("GET", callback)
    forged = world.person()

    def told_by_another(claims: Document) -> str:
        token = sign(claims, "stolen")
        secrets.plant(**{"forged ID token": token, "its payload": token.split(".")[1]})
        return token

    with world.alpha.misbehaving(token=told_by_another):
        await world.follow(forged, await forged.step("GET", place.url(ONE)), "paul")
    elsewhere = world.person()
    page = await world.follow(elsewhere, await elsewhere.step("GET", place.url(ONE)), "paul", before="/_ecluse/enter")
    secrets.of_url("misplaced hand-over", page.location, "code")
    await elsewhere.step("GET", page.location.replace(ONE, TWO))
    await ask(place.url(), "/x", f"{SEAT}=planted-cookie-of-nobody")
    await ask(place.url(), "/x", f"{SEAT}=planted-first-cookie; {SEAT}=planted-second-cookie")
    await ask(place.url(), "/%00?planted-in-a-bad-target")
    await ask(place.url(), "/public/%2e%2e/planted-bad-path")
    await ask(place.url(), "/x", host="planted-unknown-host.example")
    await thief.post(place.url(ONE, "/_ecluse/logout"), "", initiator="http://evil.localhost:1/")


async def folders_that_are_refused(world: World) -> None:
    """A file that is wrong in the line of its secret, or with one where none belongs."""
    good = world.place.read("providers/alpha.yaml")
    secret = "client_secret: a-secret-of-the-tests"
    for line in (
        "client_secret: [planted-client-secret]",
        "client_secret: {file: ../certs/missing, x: planted-client-secret",
        'client_secret: "planted-client-secret',
        "client_secret: {value: planted-client-secret}",
        "client_secret: planted-client-secret\n  client_secret: planted-client-secret",
    ):
        world.place.write("providers/alpha.yaml", good.replace(secret, line))
        await world.gateway.reload("config.refused")
    world.place.write("providers/alpha.yaml", good)


async def test_of_20_planted_secrets_none_is_in_the_log_or_on_standard_error(world: World) -> None:
    secrets, person = Secrets(), world.person()
    await a_whole_life(world, person, secrets)
    await what_goes_wrong(world, secrets)
    secrets.plant(
        client_secret="a-secret-of-the-tests",
        basic=base64.b64encode(b"ecluse:a-secret-of-the-tests").decode(),
        store_key=(world.place.folder / "certs/store.key").read_text(),
        family_name=PLANTED["family_name"], mail=PLANTED["email"], group=PLANTED["groups"][0],
        login=PLANTED["preferred_username"], query="planted-query-value", form="planted-form-value",
        password="planted-password", cookie="planted-cookie-of-nobody", first="planted-first-cookie",
        refresh_token="refresh-token-", access_token="access-token-",
    )  # fmt: skip
    await world.gateway.logged(0, event="logout")
    await world.gateway.stop()
    told = world.gateway.text() + world.gateway.errors()
    assert len(secrets.found) >= 20
    assert not {name: value for name, value in secrets.found.items() if value in told}
    assert not world.gateway.errors()


async def test_what_is_wrong_in_the_line_of_a_secret_is_told_without_it(world: World) -> None:
    await folders_that_are_refused(world)
    told = world.gateway.text() + world.gateway.errors()
    assert "providers/alpha.yaml" in told
    assert "planted-client-secret" not in told


async def test_every_line_is_an_event_of_the_table_with_its_level(world: World) -> None:
    secrets, person = Secrets(), world.person()
    await a_whole_life(world, person, secrets)
    await what_goes_wrong(world, secrets)
    await world.gateway.reload()
    await world.gateway.stop()
    lines = world.gateway.lines()
    assert {line["event"] for line in lines} <= EVENTS.keys()
    assert {line["level"] == EVENTS[line["event"]].level for line in lines} == {True}
    assert all(line["time"].endswith("Z") and line["pid"] > 0 for line in lines)
    seen = {line["event"] for line in lines}
    assert seen >= {
        "gateway.started", "gateway.draining", "gateway.stopped", "config.loaded", "worker.started", "login.started",
        "login.succeeded", "login.refused", "handover.refused", "logout", "logout.refused", "request.refused",
        "access.denied", "access",
    }  # fmt: skip
    world.gateway.is_clean()


async def test_the_lines_of_one_person_have_one_name_for_them_and_the_address_they_came_from(world: World) -> None:
    person = world.person()
    await a_whole_life(world, person, Secrets())
    await world.gateway.logged(0, event="logout")
    await world.gateway.stop()
    lines = [line for line in world.gateway.lines() if line["event"] in ("login.succeeded", "logout", "access.denied")]
    lines += [line for line in world.gateway.lines(event="access") if "person" in line]
    assert {line["event"] for line in lines} >= {"login.succeeded", "logout", "access"}
    assert len({line["person"] for line in lines if "person" in line}) == 1
    ends = [line for line in lines if line["event"] in ("login.succeeded", "logout")]
    assert all("person" in line for line in ends)
    assert {line["provider"] for line in ends} == {"alpha"}, "of the session that ended, where no provider was called"
    assert {line["client"] for line in lines} == {"127.0.0.1"}


# --- a log that nobody takes ---


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path, workers=1, settings={"access_log": "true"})
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", ONE)
    return place


async def serves(gateway: Gateway, requests: int = 200) -> None:
    """Every request is answered."""
    connection = await Connection.open(gateway.place.url())
    for _ in range(requests):
        assert (await connection.exchange(request())).status == 401
    await connection.close()


async def test_a_log_whose_reader_has_gone_loses_lines_and_nothing_else(place: Place) -> None:
    reader, writer = os.pipe()
    gateway = Gateway(place, output=writer)
    try:
        await gateway.start()
        os.close(reader)
        await serves(gateway)
        await gateway.measured(lambda told: told["ecluse_log_dropped_total"] > 0)
        assert await gateway.stop() == 0
        assert not gateway.errors()
    finally:
        os.close(writer)
        await gateway.end()


async def test_a_log_that_is_not_read_holds_up_no_request_and_no_end(place: Place) -> None:
    reader, writer = os.pipe()
    gateway = Gateway(place, output=writer)
    try:
        await gateway.start()
        # More than a pipe holds.
        await serves(gateway, 1000)
        assert await gateway.stop() == 0
        assert not gateway.errors()
    finally:
        os.close(reader)
        os.close(writer)
        await gateway.end()


async def test_without_standard_files_no_line_is_written_into_a_connection(place: Place) -> None:
    command = ("bash", "-c", f"exec {' '.join(SERVE)} <&- >&- 2>&-")
    gateway = Gateway(place, command=command)
    try:
        await gateway.start()
        await serves(gateway)
        assert not gateway.text()
        assert await gateway.stop() == 0
    finally:
        await gateway.end()
