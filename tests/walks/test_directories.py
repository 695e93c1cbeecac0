"""People whom a directory knows, with a gateway that runs: what the application is told, and what a wrong file does."""

import asyncio
import json
import os
import pwd
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.cli.test_main import ECLUSE
from tests.patience import PATIENCE, until
from tests.raw_http import Connection
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import World, ask, opened, request

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TABLE = "uid,uai,office\nalice,0590001A,maire\nbob,0590002B,\n"
STAFF = """\
version: 1
directory: staff
csv: {path: ../staff.csv}
key: {uid: {from: uid, providers: [alpha]}}
gives: {uai: {}, office: {}}
"""
RULES = """\
  - {path: /public/**, allow: anyone}
  - {path: /conseil/**, allow: {claim: {name: office, equals: maire}}}
  - {path: /**, allow: signed_in}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    place = Place(tmp_path_factory.mktemp("directories"))
    (place.policies / "directories").mkdir()
    (place.folder / "staff.csv").write_text(TABLE)
    place.write("directories/staff.yaml", STAFF)
    told = "{headers: {X-Remote-User: {from: uid}, X-Uai: {from: uai}}}"
    place.write_app("one", ONE, access=RULES, translate=told, directories="[staff]")
    place.write_app("two", TWO)
    async with opened(place) as world:
        await world.gateway.logged(0, event="directory.read")
        yield world


def write_table(place: Place, text: str) -> None:
    beside = place.folder / "staff.new"
    beside.write_text(text)
    beside.replace(place.folder / "staff.csv")


async def test_a_person_is_told_with_what_the_directory_says_of_them_alone(world: World) -> None:
    alice, bob = await world.signed_in("alice"), await world.signed_in("bob")
    told = json.loads(bytes((await ask(world.place.url(), "/", world.cookie(alice))).body))
    assert told["headers"]["x-uai"] == "0590001A"
    assert (await ask(world.place.url(), "/conseil/x", world.cookie(alice))).status == 200
    assert (await ask(world.place.url(), "/conseil/x", world.cookie(bob))).status == 403
    shown = json.loads(bytes((await ask(world.place.url(), "/_ecluse/session", world.cookie(bob))).body))
    assert shown["headers"] == {"X-Remote-User": "bob", "X-Uai": "0590002B"}
    await world.leave()


async def test_an_application_that_lists_no_directory_is_told_nothing_of_one(world: World) -> None:
    alice = await world.signed_in("alice", world.place.url(TWO))
    told = json.loads(bytes((await ask(world.place.url(), "/", world.cookie(alice, TWO), TWO)).body))
    assert told["headers"]["x-remote-user"] == "alice"
    assert "0590001A" not in json.dumps(told)
    await world.leave()


async def test_a_wrong_file_closes_its_applications_to_new_people_alone_until_it_is_right(world: World) -> None:
    place, before = world.place, world.gateway.mark()
    alice = await world.signed_in("alice")
    write_table(place, "uid,uai\nalice,1\n")
    await world.gateway.logged(before, event="directory.unreadable")
    zoe = world.person()
    page = await world.follow(zoe, await zoe.step("GET", place.url()), "zoe")
    assert page.status == 503
    assert "cannot be looked up" in page.text
    assert (await world.gateway.logged(before, event="login.refused"))["code"] == "directory.away"
    assert (await ask(place.url(), "/conseil/x", world.cookie(alice))).status == 200, "what was said of her stays"
    await world.signed_in("yann", place.url(TWO))

    async with asyncio.timeout(PATIENCE):
        write_table(place, TABLE + "zoe,0590003C,maire\n")
        await world.gateway.logged(before, event="directory.read")
    again = await world.signed_in("zoe")
    assert (await ask(place.url(), "/conseil/x", world.cookie(again))).status == 200
    await world.leave()


async def test_a_file_of_the_folder_that_asks_otherwise_makes_what_was_said_unknown(world: World) -> None:
    place = world.place
    alice = await world.signed_in("alice")
    assert (await ask(place.url(), "/conseil/x", world.cookie(alice))).status == 200
    place.write("directories/staff.yaml", STAFF.replace("office: {}", "office: {column: uai}"))
    before = world.gateway.mark()
    await world.gateway.reload()
    await world.gateway.logged(before, event="directory.read")
    refused = await ask(place.url(), "/conseil/x", world.cookie(alice))
    assert (refused.status, json.loads(bytes(refused.body))["error"]) == (503, "directory.away")
    place.write("directories/staff.yaml", STAFF)
    await world.gateway.reload()
    # At once, unless she was looked up by the other file meanwhile.
    await becomes(place, world.cookie(alice), 200)
    await world.leave()


async def test_a_file_of_the_folder_that_cannot_be_read_by_leaves_the_one_before_in_force(world: World) -> None:
    place = world.place
    alice = await world.signed_in("alice")
    place.write("directories/staff.yaml", STAFF.replace("office: {}", "office: {column: none}"))
    told = await world.gateway.reload("config.refused")
    assert "directory staff stays as it was" in told["detail"]
    assert "0 columns are called none" in told["detail"]
    assert (await ask(place.url(), "/conseil/x", world.cookie(alice))).status == 200
    again = await world.signed_in("alice")
    assert (await ask(place.url(), "/conseil/x", world.cookie(again))).status == 200
    place.write("directories/staff.yaml", STAFF)
    await world.gateway.reload()
    await world.leave()


async def test_each_person_s_own_secret_goes_to_the_application_and_is_shown_nowhere(world: World) -> None:
    place = world.place
    (place.folder / "vault.csv").write_text("who,login,word\nalice,a.old,à elle\n")
    place.write(
        "directories/vault.yaml",
        STAFF.replace("staff", "vault").replace("key: {uid:", "key: {who:").replace(
            "{uai: {}, office: {}}", "{login: {}, grr: {column: word, secret: true}}"
        ),
    )  # fmt: skip
    basic = "{basic: {account: {from: login}, password_from: grr}}"
    before = world.gateway.mark()
    place.write_app("two", TWO, translate=basic, directories="[vault]")
    await world.gateway.reload()
    await world.gateway.logged(before, event="directory.read")
    alice, bob = await world.signed_in("alice", place.url(TWO)), world.person()
    told = json.loads(bytes((await ask(place.url(TWO), "/", world.cookie(alice, TWO), TWO)).body))
    assert told["headers"]["authorization"] == "Basic " + b64encode("a.old:à elle".encode()).decode()
    refused = await world.follow(bob, await bob.step("GET", place.url(TWO)), "bob")
    assert refused.status == 403
    shown = bytes((await ask(place.url(TWO), "/_ecluse/session", world.cookie(alice, TWO), TWO)).body).decode()
    assert "elle" not in shown + world.gateway.text(before)
    place.write_app("two", TWO)
    (place.policies / "directories/vault.yaml").unlink()
    await world.gateway.reload()
    await world.leave()


async def test_a_person_comes_in_under_the_login_that_the_directory_says_while_it_says_one(world: World) -> None:
    place, table = world.place, world.place.folder / "logins.csv"
    table.write_text("uid,login\nalice,a.old\n")
    logins = STAFF.replace("staff", "logins").replace("{uai: {}, office: {}}", "{login: {}}")
    place.write("directories/logins.yaml", logins)
    before = world.gateway.mark()
    told = "{headers: {X-Remote-User: {from: account}}}"
    account = "{from: login, ask: 'Write to helpdesk@example.org.'}"
    place.write_app("two", TWO, translate=told, directories="[logins]", account=account)
    await world.gateway.reload()
    await world.gateway.logged(before, event="directory.read")
    alice, bob = await world.signed_in("alice", place.url(TWO)), world.person()
    cookie = world.cookie(alice, TWO)
    answer = json.loads(bytes((await ask(place.url(TWO), "/", cookie, TWO)).body))
    assert answer["headers"]["x-remote-user"] == "a.old"
    page = await world.follow(bob, await bob.step("GET", place.url(TWO)), "bob")
    assert page.status == 403
    assert "Write to helpdesk@example.org." in page.text
    assert (await world.gateway.logged(before, event="access.denied"))["code"] == "account.missing"
    shown = json.loads(bytes((await ask(place.url(TWO), "/_ecluse/session", cookie, TWO)).body))
    assert shown["headers"] == {"X-Remote-User": "a.old"}

    await asyncio.sleep(1.1)
    before = world.gateway.mark()
    beside = table.with_suffix(".new")
    beside.write_text("uid,login\nbob,b.old\n")
    beside.replace(table)
    await world.gateway.logged(before, event="directory.read")
    await refresh(place, "--all")
    async with asyncio.timeout(PATIENCE):
        while (await ask(place.url(TWO), "/", cookie, TWO)).status != 403:
            await asyncio.sleep(0.05)
    place.write_app("two", TWO)
    (place.policies / "directories/logins.yaml").unlink()
    await world.gateway.reload()
    await world.leave()


async def test_an_operator_has_one_person_or_everybody_looked_up_at_their_next_request(world: World) -> None:
    place = world.place
    alice, bob = await world.signed_in("alice"), await world.signed_in("bob")
    # Looked up in another second than the order is of.
    await asyncio.sleep(1.1)
    before = world.gateway.mark()
    write_table(place, TABLE.replace("alice,0590001A,maire", "alice,0590001A,").replace("bob,0590002B,", "bob,1,maire"))
    await world.gateway.logged(before, event="directory.read")
    refused = await refresh(place)
    assert (refused.returncode, refused.stderr.startswith("ecluse: which people?")) == (2, True)
    told = await refresh(place, "--provider", "alpha", "--subject", "alice")
    assert (told.returncode, told.stdout.startswith("will be looked up again at their next request: ")) == (0, True)
    await becomes(place, world.cookie(alice), 403)
    assert (await ask(place.url(), "/conseil/x", world.cookie(bob))).status == 403, "he was not meant"
    assert (await refresh(place, "--all")).stdout == "will be looked up again at their next request: everybody\n"
    await becomes(place, world.cookie(bob), 200)
    assert (await refresh(place, "--provider", "alpha", "--subject", "nobody")).returncode == 1
    assert (await world.gateway.logged(before, event="directory.refresh", number=2))["sessions"] == "all"
    one = world.gateway.lines(before, event="directory.refresh")[0]
    assert one["person"] in {line["person"] for line in world.gateway.lines(event="login.succeeded")}
    assert one["operator"] == pwd.getpwuid(os.geteuid()).pw_name
    await writes_back(world)
    await world.leave()


async def test_a_stream_that_is_open_is_cut_when_the_directory_says_otherwise_and_no_other(world: World) -> None:
    """Nobody asks for anything meanwhile."""
    place, cookie = world.place, world.cookie(await world.signed_in("alice"))
    streams = [await Connection.open(place.url()) for _ in range(2)]
    seen = world.upstream.requests
    council, other = [
        asyncio.create_task(stream.exchange(request(target, cookie)))
        for stream, target in zip(streams, ("/conseil/stream?seconds=300", "/stream?seconds=300"), strict=True)
    ]
    await until(lambda: world.upstream.requests == seen + 2)
    # Looked up in another second than the order is of.
    await asyncio.sleep(1.1)
    before = world.gateway.mark()
    write_table(place, TABLE.replace("alice,0590001A,maire", "alice,0590001A,"))
    await world.gateway.logged(before, event="directory.read")
    assert (await refresh(place, "--provider", "alpha", "--subject", "alice")).returncode == 0
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionError):
            await council
    assert not other.done(), "its rule asks for no office"
    other.cancel()
    for stream in streams:
        await stream.close()
    await writes_back(world)
    await world.leave()


async def writes_back(world: World) -> None:
    """For the test after it."""
    mark = world.gateway.mark()
    write_table(world.place, TABLE)
    await world.gateway.logged(mark, event="directory.read")


async def refresh(place: Place, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [str(ECLUSE), "directory", "refresh", *words]
    return await asyncio.to_thread(
        lambda: subprocess.run(command, cwd=place.folder, capture_output=True, text=True, timeout=PATIENCE)
    )


async def becomes(place: Place, cookie: str, status: int) -> None:
    """By requests of a person who is here."""
    async with asyncio.timeout(PATIENCE):
        while (await ask(place.url(), "/conseil/x", cookie)).status != status:
            await asyncio.sleep(0.1)
