"""Clients of SCIM that others have written, before the gateway: scim2-client, and scim2-tester and scim-sanity, which
look for what a server has wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.patience import PATIENCE
from tests.walks.place import PORTAL_HOST, Place
from tests.walks.test_scim import TOKEN, USER, created, lists_a_directory
from tests.walks.world import World, ask, opened

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.service]

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-scim/bin/python"
PROGRAM = Path(__file__).with_name("scim_program.py")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    assert PYTHON.exists(), "clients of SCIM are not installed: run `make test` once"
    place = Place(tmp_path_factory.mktemp("scim"))
    lists_a_directory(place)
    async with opened(place) as world:
        yield world
        world.gateway.is_clean()


async def said(world: World, *what: str, status: int = 0) -> Any:
    url = world.place.url(PORTAL_HOST, "/_ecluse/scim/v2")
    ran = await asyncio.create_subprocess_exec(
        *(PYTHON, "-P", PROGRAM, url, TOKEN, *what), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        told, wrong = await ran.communicate()
    assert ran.returncode == status, wrong.decode()[-4000:]
    return json.loads(told)


async def test_a_checker_of_servers_has_nothing_to_say(world: World) -> None:
    checks = await said(world, "check")
    assert [one for one in checks if one[0] != "SUCCESS"] == []
    of = [name for _, name, _ in checks]
    # What it looks at depends on what it finds: these are all of a User, and of the documents that describe it.
    assert {
        *("service_provider_config_endpoint", "query_all_resource_types", "access_schema_by_id", "random_url"),
        *("object_creation", "object_query", "object_query_without_id", "object_query_with_attributes"),
        *("object_list_with_attributes", "search_with_attributes", "object_replacement", "object_deletion"),
        *("check_add_attribute", "check_remove_attribute", "check_replace_attribute"),
    } <= {*of}


async def test_another_checker_misses_nothing_but_a_name_that_is_not_kept(world: World) -> None:
    """It writes a displayName, which the schema does not have, and looks whether it is there afterwards."""
    found = (await said(world, "probe", status=1))["results"]
    wrong = [(one["name"], one["message"].partition("=")[0]) for one in found if one["status"] not in ("pass", "skip")]
    assert wrong == [("GET /Users/{id} after PUT", "Expected displayName")]
    assert [one["name"] for one in found].count("PUT /Users/{id}") == 1
    assert len([one for one in found if one["status"] == "pass"]) == 17


async def test_a_client_understands_each_answer_of_a_users_life(world: World) -> None:
    told = await said(world, "life")
    assert told["made"] == ["Anne@ville.example", "a-1", True]
    assert told["read again"] is True
    assert told["by userName"] == told["by externalId"] == [1, ["Anne@ville.example"]]
    assert told["by another"] == [0, []]
    assert told["a page"][1] == []
    assert told["searched"] == [
        1,
        {"schemas": [USER], "id": told["searched"][1]["id"], "userName": "Anne@ville.example"},
    ]
    assert "active" not in told["without active"]
    assert told["without active"]["externalId"] == "a-1"
    assert told["errors"] == {
        "a second one": [409, "uniqueness"],
        "a filter": [400, "invalidFilter"],
        "nobody": [404, None],
        "deleted": [404, None],
    }
    assert told["replaced"] == ["anne.durand@ville.example", True]


async def test_whom_a_client_deactivates_has_no_session_when_it_is_answered(world: World) -> None:
    await created(world.place, "alice")
    alice, bob = await world.signed_in("alice"), await world.signed_in("bob")
    assert await said(world, "deactivate", "alice") is False
    assert (await ask(world.place.url(), "/x", world.cookie(alice))).status == 401
    assert (await ask(world.place.url(), "/x", world.cookie(bob))).status == 200
    assert await said(world, "activate", "alice") is True
    await world.signed_in("alice")
