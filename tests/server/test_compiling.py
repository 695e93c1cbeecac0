import sys
from pathlib import Path

import pytest

from gateway.config.compile.build import build
from gateway.config.compile.process import decode_files
from gateway.server import compiling
from gateway.server.compiling import Refused, compile_folder
from gateway.translation.specs import Constant
from tests.patience import PATIENCE
from tests.server import slow_helper
from tests.server.slow_helper import HANGS
from tests.walks.place import Place

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost")
    return place


@pytest.fixture
def slow(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Files of this place may hang the process that compiles them."""
    monkeypatch.setattr("gateway.server.compiling._HELPER", (sys.executable, "-P", slow_helper.__file__))
    monkeypatch.setattr("gateway.server.compiling._FILE_SECONDS", 0.3)
    monkeypatch.setattr("gateway.server.compiling._LEAST_SECONDS", 0.3)
    return place


def lengthen(place: Place, path: str, more: str) -> None:
    place.write(path, place.read(path) + more)


async def test_a_good_folder_becomes_a_plan_and_its_hash(place: Place) -> None:
    live = await compile_folder(place.policies)
    snapshot = build(live.plan)
    assert snapshot.revision == live.revision
    assert snapshot.gateway == live.gateway
    assert (await compile_folder(place.policies)).revision == live.revision


async def test_every_problem_of_every_file_is_told(place: Place) -> None:
    place.write("apps/one.yaml", place.read("apps/one.yaml").replace("hosts:", "host:"))
    place.write("apps/two.yaml", "app: [")
    # For app files alone there would be a start without them.
    (place.policies / "lists").mkdir()
    place.write("lists/some.yaml", "version: 2\n")
    with pytest.raises(Refused) as refused:
        await compile_folder(place.policies)
    assert f"{place.policies}/apps/one.yaml:3:1: host: unknown key" in str(refused.value)
    assert f"{place.policies}/apps/two.yaml:2:" in str(refused.value)


async def test_a_gateway_of_another_release_than_the_program_on_disk_is_told_to_restart(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.server.compiling.__version__", "0.0.9")
    with pytest.raises(Refused, match=r"has another release than the running gateway \(0\.0\.9\): `ecluse restart`"):
        await compile_folder(place.policies)


async def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nowhere"):
        await compile_folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("helper", "within", "why"),
    [
        (("/nonexistent/python",), PATIENCE, "the compiling process cannot be started"),
        (("/bin/false",), PATIENCE, "the compiling process ended with status 1"),
        (("/bin/sh", "-c", "kill -9 $$"), PATIENCE, "the compiling process ended with status -9"),
        (("/bin/echo", "no plan"), PATIENCE, "the compiling process returned no plan"),
        (("/bin/true",), PATIENCE, "the compiling process returned no plan"),
        (("/bin/sh", "-c", "exec sleep 600"), 0.3, "not compiled within 0 s"),
    ],
)
async def test_whatever_becomes_of_the_helper_is_a_reason_and_no_fault(
    place: Place, helper: tuple[str, ...], within: float, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.server.compiling._HELPER", helper)
    with pytest.raises(Refused, match=why):
        await compile_folder(place.policies, within=within)


@pytest.mark.parametrize("wrong", ["x: [", "app: team\nhosts: [team.localhost]\n"])
async def test_a_teams_file_stays_as_it_was_with_the_secret_that_it_named(place: Place, wrong: str) -> None:
    """Also where what is wrong now no longer says which."""
    (place.policies / "apps/urba").mkdir()
    (place.policies.parent / "teams").mkdir()
    (place.policies.parent / "teams/secret").write_text("hers\n")
    bounds = (
        "hosts: [team.localhost], providers: [alpha], upstreams: [127.0.0.1], headers: [X-Gate], secrets: [../teams]"
    )
    place.settings["teams"] = f"{{urba: {{{bounds}}}}}"
    place.write_gateway()
    translate = "{headers: {X-Gate: {value: {file: ../teams/secret}}}}"
    place.write_app("urba/team", "team.localhost", app="team", translate=translate)
    live = await compile_folder(place.policies)
    place.write("apps/urba/team.yaml", wrong)
    live = await compile_folder(place.policies, live=live)
    assert (live.kept, live.closed) == (("apps/urba/team.yaml",), ())
    (header,) = build(live.plan).apps["team"].translation.headers
    assert header.source == Constant("hers", secret=True)


@pytest.mark.parametrize("when", HANGS)
async def test_an_app_file_that_takes_too_long_closes_its_own_hosts_at_start(slow: Place, when: str) -> None:
    slow.write_app("two", "two.localhost, three.localhost", app="two")
    lengthen(slow, "apps/two.yaml", HANGS[when])
    live = await compile_folder(slow.policies)
    assert (live.kept, live.closed) == ((), ("apps/two.yaml",))
    assert f"{slow.policies}/apps/two.yaml: it takes too long to compile" in live.left_out
    snapshot = build(live.plan)
    assert set(snapshot.apps) == {"one"}
    assert {"two.localhost", "three.localhost"} == set(snapshot.closed)


@pytest.mark.parametrize("when", HANGS)
async def test_a_teams_file_that_takes_too_long_stays_as_it_was(slow: Place, when: str) -> None:
    (slow.policies / "apps/urba").mkdir()
    bounds = "hosts: ['*.urba.localhost'], providers: [alpha], upstreams: [127.0.0.1]"
    slow.settings["teams"] = f"{{urba: {{{bounds}}}}}"
    slow.write_gateway()
    slow.write_app("urba/team", "team.urba.localhost", app="team", translate="{}")
    live = await compile_folder(slow.policies)
    assert live.left_out == ""
    slow.write_app("urba/new", "new.urba.localhost", app="new", translate="{}")
    slow.write_app("one", "moved.localhost")
    for path in ("apps/urba/team.yaml", "apps/urba/new.yaml"):
        lengthen(slow, path, HANGS[when])
    live = await compile_folder(slow.policies, live=live)
    assert (live.kept, live.closed) == (("apps/urba/team.yaml",), ("apps/urba/new.yaml",))
    snapshot = build(live.plan)
    assert snapshot.find_app("team.urba.localhost") is not None
    assert snapshot.closed_by("new.urba.localhost")
    # What others changed is live.
    assert snapshot.find_app("moved.localhost") is not None


async def test_where_slow_files_take_all_the_time_those_that_were_found_are_named(
    slow: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.write_app("two", "two.localhost")
    slow.write_app("three", "three.localhost")
    for name in ("one", "two"):
        lengthen(slow, f"apps/{name}.yaml", HANGS["read"])
    in_helper = compiling._in_helper

    async def until_both_are_known(files: bytes, seconds: float) -> tuple[int, bytes]:
        if len(decode_files(files).too_slow) == 2:
            raise TimeoutError
        return await in_helper(files, seconds)

    monkeypatch.setattr("gateway.server.compiling._in_helper", until_both_are_known)
    with pytest.raises(Refused) as refused:
        await compile_folder(slow.policies)
    assert str(refused.value).splitlines() == [
        f"{slow.policies}: not compiled within 120 s",
        f"{slow.policies}/apps/one.yaml: it takes too long to compile",
        f"{slow.policies}/apps/two.yaml: it takes too long to compile",
    ]


@pytest.mark.parametrize("path", ["gateway.yaml", "providers/alpha.yaml"])
async def test_a_file_of_the_operators_own_that_takes_too_long_refuses_the_folder(slow: Place, path: str) -> None:
    lengthen(slow, path, HANGS["read"])
    with pytest.raises(Refused, match=f"{path}: it takes too long to compile"):
        await compile_folder(slow.policies)
