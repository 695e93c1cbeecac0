"""The walks of architecture.md and more-walks.md name functions that a real run calls in this order."""

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.access.decision import AppIdentity, Question
from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.read import read_folder
from gateway.model.decision import Allow
from gateway.ops.log import Log
from gateway.stores.memory import MemoryStore
from tests.bench import fronts
from tests.bench.lane import ANSWER, SAME, Bench, Case
from tests.calls import Calls, traced
from tests.config.samples import BASE, GATEWAY, PERMIS, SECRETS
from tests.patience import until
from tests.portal.installation import ACTES, installed
from tests.portal.saml.region import region_installed
from tests.proxy.applications import OK, SOON, application
from tests.proxy.gateways import ask, gateway
from tests.proxy.stand_ins import identity

ROOT = Path(__file__).parents[2]
STOPS = 12
_WALK = re.compile(r"^##+ (.+?)\n.*?^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
_STOP = re.compile(r"^([a-z_]+(?:\.\w+){2,})", re.MULTILINE)


def walks() -> dict[str, list[str]]:
    """The functions that each names, by its heading."""
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = page.partition("\n## The walks\n")[2].partition("\n## ")[0]
    more = (ROOT / "docs/explanation/more-walks.md").read_text("utf-8")
    return {heading: _STOP.findall(block) for heading, block in _WALK.findall(section + more)}


def in_order(stops: Sequence[str], calls: Calls) -> list[str]:
    """Those that are not called after the ones before them."""
    left, missing = iter(calls.names), []
    for stop in stops:
        if stop not in left:
            missing.append(stop)
            left = iter(calls.names)
    return missing


def assert_walked(heading: str, calls: Calls) -> None:
    stops = walks()[heading]
    assert 5 <= len(stops) <= STOPS
    assert not in_order(stops, calls), [name for name in calls.names if name in stops]


async def test_a_get() -> None:
    """Nothing of it has been seen before, but for the seat; then it comes again."""
    log = Log(os.open(os.devnull, os.O_WRONLY))
    bench = Bench(Case("get", [SAME]), log)
    first = SAME.replace(b"Host: permis", b"Host: Permis")
    with traced() as calls:
        bench.slice([(first, ANSWER)])
        assert_walked("A GET, cold", calls)
        told, modules = numbers("A GET, cold")
        assert abs(len(calls.names) - told) < told / 10
        assert abs(len(modules_of(calls)) - modules) < modules / 10
    bench.slice([(SAME, ANSWER)] * 3)
    with traced() as calls:
        bench.slice([(SAME, ANSWER)])
    bench.check(Case("get", [SAME]))
    assert_walked("A GET, warm", calls)
    assert (len(calls.names), len(modules_of(calls))) == numbers("A GET, warm")
    bench.plane.close()
    log.close()


def numbers(heading: str) -> tuple[int, int]:
    """The calls and modules that the page tells of this walk."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8").partition(f"### {heading}\n")[2].partition("```")[0]
    found = re.search(r"(\d+) calls in (\d+) modules", text)
    assert found is not None
    return int(found[1]), int(found[2])


def modules_of(calls: Calls) -> set[str]:
    files = {path.relative_to(ROOT / "gateway").as_posix() for path in (ROOT / "gateway").rglob("*.py")}
    parts = [name.split(".") for name in calls.names]
    return {"/".join(each[:end]) for each in parts for end in range(len(each)) if f"{'/'.join(each[:end])}.py" in files}


async def test_an_upload_whose_session_ends() -> None:
    async with application(OK) as app, gateway(app) as gate:
        client = await gate.client()
        head = ask(b"POST /app/a", gate.sign_in()).removesuffix(b"\r\n")
        client.send(head + b"Content-Length: 1000\r\n\r\nthe beginning")
        peer = await app.peer()
        await until(lambda: b"the beginning" in peer.received)
        with traced() as calls:
            gate.plane.revoked(gate.sessions.revoke(["session-abcd"]))
            await gate.clock.passes(6)
            await asyncio.wait_for(peer.lost.wait(), SOON)
        assert_walked("An upload whose session ends", calls)


async def test_a_fronts_question() -> None:
    log = Log(os.open(os.devnull, os.O_WRONLY))
    bench = Bench(fronts.case("nginx"), log)
    with traced() as calls:
        bench.client.data_received(fronts.question("nginx"))
    fronts.check(bench)
    assert_walked("A front's question", calls)
    bench.plane.close()
    log.close()


async def test_a_key_responses_add() -> None:
    log = Log(os.open(os.devnull, os.O_WRONLY))
    added = "responses: {add: {X-Content-Type-Options: nosniff}}\n"
    files = {"gateway.yaml": GATEWAY, "apps/permis.yaml": PERMIS + added}
    with traced() as calls:
        bench = Bench(Case("add", [SAME], files=files), log)
        bench.slice([(SAME, ANSWER)])
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in bench.front.last
    assert_walked("A key `responses.add`", calls)
    bench.plane.close()
    log.close()


async def test_a_sign_in_by_openid_connect() -> None:
    """The second: the provider's documents are known."""
    with traced() as calls:
        async with installed(store=MemoryStore()) as here:
            for _ in range(2):
                calls.forget()
                reply = await here.browser().get(here.url(ACTES, "/dossier/7"))
                assert reply.text == "actes for alice"
            assert_walked("A sign-in by OpenID Connect", calls)


async def test_a_sign_in_by_saml() -> None:
    with traced() as calls:
        async with region_installed(store=MemoryStore()) as region:
            for _ in range(2):
                calls.forget()
                assert (await region.signed_in(region.person())).status == 200
            assert_walked("A sign-in by SAML", calls)


def test_a_rule(tmp_path: Path) -> None:
    """From three files to the snapshot, and on to a decision. The second time: what is made once is there."""
    for path, text in BASE.items():
        (tmp_path / "policies" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "policies" / path).write_text(text)
    for reference, secret in SECRETS.items():
        path = tmp_path / "policies" / reference.removeprefix("file:")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(secret)
    with traced() as calls:
        build(compile_files(read_folder(tmp_path / "policies")).plan)
        calls.forget()
        snapshot = build(compile_files(read_folder(tmp_path / "policies")).plan)
        person = identity(uid="jdupont", groups="administrateurs")
        app = snapshot.apps["permis"]
        decision = Question(AppIdentity(app, person, 0.0, 0.0), app.routes.find(("admin", "x")), "GET").decision()
        assert_walked("A rule in YAML", calls)
    assert isinstance(decision, Allow)


def test_every_walk_is_followed() -> None:
    """By the tests above."""
    assert set(walks()) == {
        "A GET, cold",
        "A GET, warm",
        "An upload whose session ends",
        "A front's question",
        "A key `responses.add`",
        "A sign-in by OpenID Connect",
        "A sign-in by SAML",
        "A rule in YAML",
    }


@pytest.mark.parametrize(("stops", "missing"), [(["a.b", "c.d"], []), (["c.d", "a.b"], ["a.b"]), (["e.f"], ["e.f"])])
def test_a_stop_that_comes_before_its_turn_is_found(stops: list[str], missing: list[str]) -> None:
    calls = Calls()
    calls.names += ["a.b", "b.c", "c.d"]
    assert in_order(stops, calls) == missing
