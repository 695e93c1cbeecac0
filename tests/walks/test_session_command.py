"""`ecluse session` against a gateway that runs: what it lists is there, what it ends is refused by every worker."""

import asyncio
import json
import os
import pwd
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.cli.test_main import ECLUSE
from tests.patience import PATIENCE
from tests.walks.place import Place
from tests.walks.world import World, everywhere, opened

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with opened(Place(tmp_path_factory.mktemp("sessions"))) as world:
        yield world
        world.gateway.is_clean()


async def said(place: Place, *words: str) -> tuple[int, str, str]:
    def run() -> subprocess.CompletedProcess[str]:
        command = [str(ECLUSE), "session", *words]
        return subprocess.run(command, cwd=place.folder, capture_output=True, text=True, timeout=PATIENCE)

    told = await asyncio.to_thread(run)
    return told.returncode, told.stdout, told.stderr


async def listed(place: Place, *words: str) -> list[dict[str, Any]]:
    code, told, errors = await said(place, "list", *words, "--output", "json")
    assert (code, errors) == (0, "")
    sessions: list[dict[str, Any]] = json.loads(told)["sessions"]
    return sessions


async def test_sessions_are_listed_shown_and_ended(world: World) -> None:
    place = world.place
    alice, bob = [world.cookie(await world.signed_in(login)) for login in ("alice", "bob")]
    assert [each["provider"] for each in await listed(place)] == ["alpha", "alpha"]
    (first,) = await listed(place, "--provider", "alpha", "--subject", "alice")
    assert first["applications"] == ["one"]

    code, told, _ = await said(place, "show", first["id"])
    assert (code, told.splitlines()[0]) == (0, f"session       {first['id']}")
    assert "alice" not in told + json.dumps(first)
    assert (await said(place, "show", "none"))[0] == 1

    code, _, errors = await said(place, "revoke", "--provider", "alpha")
    how = "confirm with --yes, or select one with --id ID"
    assert (code, errors) == (2, f"ecluse: 2 sessions would end: {how}\n")
    assert await everywhere(place, "/x", alice) == {200}

    mark = world.gateway.mark()
    code, told, _ = await said(place, "revoke", "--id", first["id"])
    assert (code, told) == (0, "ended: 1\n")
    ended = await world.gateway.logged(mark, event="logout.operator")
    assert (ended["operator"], ended["sessions"]) == (pwd.getpwuid(os.geteuid()).pw_name, 1)
    of_alice = world.gateway.lines(event="login.succeeded")[0]["person"]
    assert ended["person"] == first["person"] == of_alice
    assert await everywhere(place, "/x", alice) == {401}
    assert await everywhere(place, "/x", bob) == {200}

    code, told, _ = await said(place, "revoke", "--provider", "alpha", "--yes")
    assert (code, told) == (0, "ended: 1\n")
    assert await everywhere(place, "/x", bob) == {401}
    assert (await said(place, "revoke", "--provider", "alpha", "--yes"))[0] == 1
    assert await listed(place) == []


async def test_a_person_is_found_by_issuer_and_subject_alone(world: World) -> None:
    alice = world.cookie(await world.signed_in("alice"))
    await world.signed_in("bob")
    subject = ("--subject", "alice")
    assert len(await listed(world.place, "--provider", "alpha", *subject)) == 1
    assert len(await listed(world.place, "--issuer", world.alpha.url, *subject)) == 1
    assert await listed(world.place, "--issuer", world.beta.url, *subject) == []
    code, told, _ = await said(world.place, "revoke", "--provider", "alpha", *subject, "--output", "json")
    assert (code, len(json.loads(told)["revoked"])) == (0, 1)
    assert await everywhere(world.place, "/x", alice) == {401}
    assert (await said(world.place, "revoke", "--all", "--yes"))[1] == "ended: 1\n"


async def test_who_finds_nobody_is_told_what_the_options_take(world: World) -> None:
    whole = "--tenant takes an organisation whole, as `ecluse session list` shows it; a SIRET has 14 digits"
    given = "--subject takes the identifier that the provider gives; it is rarely the login or the name"
    for words, hint in (
        (("--tenant", "215901034"), f" ({whole})"),
        (("--tenant", "21590103400011"), ""),
        (("--provider", "alpha", "--subject", "Alice"), f" ({given})"),
    ):
        assert await said(world.place, "revoke", *words) == (1, "", f"ecluse: there is no such session{hint}\n")


async def test_the_name_of_the_organisation_stands_beside_its_number(world: World) -> None:
    """By its SIREN, as on pages; the number alone where no table names it."""
    place, alice, siret = world.place, world.alpha.people["alice"], "21590350100017"
    provider = place.read("providers/alpha.yaml").replace("groups: groups,", "groups: groups, siret: siret,")
    provider = provider.replace("asserts: {", f'tenant: siret\nasserts: {{siret: ["{siret}"], ')
    place.write("providers/alpha.yaml", provider)
    await world.gateway.reload()
    alice["siret"] = siret
    await world.signed_in("alice")
    (session,) = await listed(place, "--tenant", siret)
    assert (session["tenant"], session.get("organisation")) == (siret, None)
    assert f"tenant        {siret}\n" in (await said(place, "show", session["id"]))[1]

    (place.folder / "communes.csv").write_text("name,siren\nVille de Lille,215903501\n")
    (place.policies / "organisations").mkdir()
    mark = world.gateway.mark()
    place.write("organisations/communes.yaml", "version: 1\norganisations: communes\ncsv: {path: ../communes.csv}\n")
    await world.gateway.reload()
    await world.gateway.logged(mark, event="organisations.read")
    (session,) = await listed(place, "--tenant", siret)
    assert session["organisation"] == "Ville de Lille"
    assert f"tenant        {siret} (Ville de Lille)\n" in (await said(place, "show", session["id"]))[1]
    assert f"alpha  for {siret} (Ville de Lille)  since" in (await said(place, "list", "--tenant", siret))[1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("revoke",), "which sessions? Use --id, --subject, --provider or another option, or --all"),
        (("list", "--subject", "alice"), "--subject needs --provider NAME or --issuer URL"),
        (("list", "--older-than", "soon"), "--older-than soon: write an age as a number with s, m, h or d: 8h"),
    ],
)
async def test_what_is_not_clear_is_asked_for(world: World, words: tuple[str, ...], why: str) -> None:
    assert await said(world.place, *words) == (2, "", f"ecluse: {why}\n")
