"""docs/architecture.md follows a GET, two sign-ins and a rule: what it names is called in that order in a real run.

The same runs count how far a reader has to go: through how many files of gateway/, and how often back to one of them.
"""

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
from tests.bench.lane import ANSWER, SAME, Bench, Case
from tests.calls import Calls, traced
from tests.config.samples import BASE, SECRETS
from tests.portal.installation import ACTES, installed
from tests.portal.saml.region import region_installed
from tests.proxy.stand_ins import identity

ROOT = Path(__file__).parents[2]
STOPS = 12
_WALK = re.compile(r"^### (.+?)\n.*?^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
_STOP = re.compile(r"^([a-z_]+(?:\.\w+){2,})", re.MULTILINE)


def walks() -> dict[str, list[str]]:
    """The functions that each names, by its heading."""
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = page.partition("\n## The walks\n")[2].partition("\n## ")[0]
    return {heading: _STOP.findall(block) for heading, block in _WALK.findall(section)}


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
        assert_walked("A GET", calls)
    bench.slice([(SAME, ANSWER)] * 3)
    with traced() as calls:
        bench.slice([(SAME, ANSWER)])
    bench.check(Case("get", [SAME]))
    bench.plane.close()
    log.close()
    assert_within(calls, files=9, returns=6)


async def test_a_sign_in_by_openid_connect() -> None:
    """The second: the provider's documents are known."""
    with traced() as calls:
        async with installed(store=MemoryStore()) as here:
            for _ in range(2):
                calls.forget()
                reply = await here.browser().get(here.url(ACTES, "/dossier/7"))
                assert reply.text == "actes for alice"
            assert_walked("A sign-in by OpenID Connect", calls)
            assert_within(calls, files=37, returns=141)


async def test_a_sign_in_by_saml() -> None:
    with traced() as calls:
        async with region_installed(store=MemoryStore()) as region:
            for _ in range(2):
                calls.forget()
                assert (await region.signed_in(region.person())).status == 200
            assert_walked("A sign-in by SAML", calls)
            assert_within(calls, files=41, returns=215)


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
        assert_within(calls, files=45, returns=244)
        person = identity(uid="jdupont", groups="administrateurs")
        app = snapshot.apps["permis"]
        decision = Question(AppIdentity(app, person, 0.0, 0.0), app.routes.find(("admin", "x")), "GET").decision()
        assert_walked("A rule in YAML", calls)
    assert isinstance(decision, Allow)


def assert_within(calls: Calls, *, files: int, returns: int) -> None:
    """What was measured: it may become less, and then the number here does."""
    assert len(calls.files) <= files, sorted(calls.files)
    assert calls.returns <= returns


def test_every_walk_is_followed() -> None:
    """By the tests above."""
    assert set(walks()) == {"A GET", "A sign-in by OpenID Connect", "A sign-in by SAML", "A rule in YAML"}


@pytest.mark.parametrize(("stops", "missing"), [(["a.b", "c.d"], []), (["c.d", "a.b"], ["a.b"]), (["e.f"], ["e.f"])])
def test_a_stop_that_comes_before_its_turn_is_found(stops: list[str], missing: list[str]) -> None:
    calls = Calls()
    calls.names += ["a.b", "b.c", "c.d"]
    assert in_order(stops, calls) == missing
