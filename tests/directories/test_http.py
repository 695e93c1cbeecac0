"""An HTTP server asked about people: what is taken of its answers, what is not, and what follows where it is away."""

import asyncio
import json
import ssl
import time
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.ports import free
from gateway.directories.http_reader import HttpReader
from gateway.directories.json_rows import NoRows, finding_in
from gateway.directories.kinds import server_reader
from gateway.directories.lookups import Directories
from gateway.directories.source import DirectoryAway, FindingAndFaults
from gateway.identity.directories import is_value, known_with
from gateway.model.directory import Directory, HttpSource, pointer_steps
from gateway.model.identity import Identity
from gateway.model.provider import ClientCertificate
from gateway.ops.log import Log
from gateway.policy.conditions import Claim, evaluate
from gateway.policy.truth import Truth
from gateway.policy.values import Exists
from tests.directories.http_server import TOKEN, people, staff
from tests.directories.samples import Kept
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio
NOW = 1_700_000_000


class Told(Log):
    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def event(self, event: str, **facts: object) -> None:
        self.events.append((event, facts.get("code")))


async def finding(directory: Directory, uid: str) -> FindingAndFaults:
    assert isinstance(directory.source, HttpSource)
    reader = HttpReader(directory, directory.source)
    try:
        return await reader.finding(uid, NOW)
    finally:
        await reader.close()


async def away(directory: Directory, uid: str = "alice") -> str:
    with pytest.raises(DirectoryAway) as why:
        await finding(directory, uid)
    assert TOKEN not in why.value.detail
    return why.value.code.id


async def test_a_person_is_known_by_their_own_object() -> None:
    (port,) = free(1)
    async with people(port) as server:
        base = f"http://127.0.0.1:{port}/people"
        posted = staff(port, url=base, method="POST")
        for directory in (staff(port), staff(port, url=base + "?uid={uid}"), posted):
            found, faults = await finding(directory, "alice")
            assert found.values == {"matricule": ("4711",), "services": ("12", "34")}
            assert (found.state, found.at, faults) == ("found", NOW, ())
            assert (await finding(directory, "nobody"))[0].state == "none"
        assert (await finding(staff(port), "nothing"))[0].state == "none"
        assert server.asked[0] == "/people/alice"
        server.asked.clear()
        await finding(staff(port, url=base + "?uid={uid}"), "a&b=c#/../{uid}\u00e9")
        assert server.asked == ["/people?uid=a%26b%3Dc%23%2F..%2F%7Buid%7D%C3%A9"]


@pytest.mark.parametrize("uid", ["..", ".", "..;", "alice;x=1", "x/../alice", "a\\b", "%2e%2e", "/"])
async def test_no_value_is_more_than_one_step_of_the_path(uid: str) -> None:
    (port,) = free(1)
    async with people(port) as server:
        found, faults = await finding(staff(port), uid)
        assert (found.unknown, [fault.code.id for fault in faults]) == ({"matricule", "services"}, ["directory.key"])
        assert server.asked == []


@pytest.mark.parametrize(
    ("uid", "code"),
    [("bob", "directory.rows"), ("another", "directory.key"), ("types", "directory.value")],
)
async def test_what_is_wrong_of_one_person_is_unknown(uid: str, code: str) -> None:
    (port,) = free(1)
    async with people(port):
        found, faults = await finding(staff(port), uid)
        assert found.values == {}
        assert found.unknown == {"matricule", "services"}
        assert {fault.code.id for fault in faults} == {code}


@pytest.mark.parametrize("uid", ["latin", "twice", "html", "nan", "deep", "large", "text", "elsewhere"])
async def test_what_is_no_answer_is_none(uid: str) -> None:
    (port,) = free(1)
    async with people(port):
        assert await away(staff(port), uid) == "directory.answer"


async def test_where_it_is_and_who_we_are_has_to_be_right() -> None:
    port, dead = free(2)
    async with people(port):
        assert await away(staff(port, token=b"wrong")) == "directory.denied"
        assert await away(staff(dead)) == "directory.unreachable"
        elsewhere = (IPv4Network("10.0.0.0/8"),)
        assert await away(staff(port, addresses=elsewhere)) == "directory.address"
        named = f"http://localhost:{port}/people/{{uid}}"
        assert await away(staff(port, url=named, addresses=elsewhere)) == "directory.address"
        by_hand = server_reader(staff(port))
        assert (await asyncio.to_thread(by_hand.finding, "alice", NOW))[0].state == "found"
        await asyncio.to_thread(by_hand.look)


async def test_tls_with_an_authority_of_its_own_by_either_side() -> None:
    (port,), authority = free(1), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    client = authority.issue_cert("ecluse")
    shown = ClientCertificate(client.cert_chain_pems[0].bytes(), client.private_key_pem.bytes())
    there = {"url": f"https://127.0.0.1:{port}/people/{{uid}}", "ca": authority.cert_pem.bytes()}
    async with people(port, context):
        assert (await finding(staff(port, certificate=shown, **there), "alice"))[0].state == "found"
        assert await away(staff(port, **there)) == "directory.unreachable"
        other = {**there, "ca": trustme.CA().cert_pem.bytes()}
        assert await away(staff(port, certificate=shown, **other)) == "directory.certificate"
        named = {**there, "url": f"https://localhost:{port}/people/{{uid}}"}
        assert await away(staff(port, certificate=shown, **named)) == "directory.certificate"


async def test_slowed_gone_and_back_it_holds_up_nobody_who_does_not_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.directories.source._PAUSE", 3.0)
    (port,), told = free(1), Told()
    asking = Directories(tmp_path, log=told, now=lambda: NOW, kept=Kept())
    one = staff(port, timeout=2.0)

    async def states(number: int) -> tuple[set[str], float]:
        """Of alice, and of as many others as make the number."""
        began = time.monotonic()
        uids = ["alice", *map(str, range(1, number))]
        people = [Identity("alpha", "https://alpha.example", uid, {"uid": (uid,)}) for uid in uids]
        known = await asyncio.gather(*(asking.look_up([one], each, None) for each in people))
        return {each.findings[0].state for each in known}, time.monotonic() - began

    async def back() -> None:
        async with asyncio.timeout(PATIENCE):
            while (await states(1))[0] != {"found"}:
                await asyncio.sleep(0.1)

    async with people(port) as server:
        await back()
        server.waits = PATIENCE
        assert (await states(10))[0] == {"away"}
        assert (await states(10))[1] < one.timeout, "nobody waits during the pause"
        monkeypatch.setattr("gateway.directories.source._PAUSE", 0.5)
        server.waits = 0.0
        await back()
    assert (await states(3))[0] == {"away"}
    async with people(port):
        await back()
    await asking.close()
    assert [event for event, _ in told.events] == ["directory.away", "directory.recovered"] * 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["person", "uid", "job", "number", "offices", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(answer=_JSON, raw=st.binary(max_size=40))
async def test_whatever_it_answers_nothing_opens_and_nothing_is_of_anybody_else(answer: object, raw: bytes) -> None:
    directory = staff(1)
    who = Identity("alpha", "https://alpha.example", "s-1", {"uid": ("alice",)})
    for body in (json.dumps({"person": answer}).encode(), json.dumps(answer).encode(), raw):
        try:
            found, faults = finding_in(directory, ("person",), body, {"uid": "alice"}, NOW)
        except NoRows:
            continue
        known = known_with(replace(who, findings=(found,)), (directory,), NOW)
        assert set(known.attributes) <= {"uid", "matricule", "services"}
        assert known.attributes["uid"] == ("alice",)
        assert known.left_out.isdisjoint(known.attributes)
        assert bool(found.unknown) == bool(faults)
        for given_one in directory.gives:
            if given_one.name in found.unknown:
                assert evaluate(Claim(given_one.name, Exists()), known) is Truth.UNKNOWN
            assert all(is_value(given_one, value) for value in found.values.get(given_one.name, ()))
        told = json.loads(body)["person"] if found.values else None
        if isinstance(told, dict):
            assert told.get("uid") in (None, [], "alice", ["alice"]) or "alice" in told["uid"]


@pytest.mark.parametrize(("text", "steps"), [("", ()), ("/a~1b/~0", ("a/b", "~")), ("name", ("name",)), ("/", ("",))])
async def test_a_json_pointer_is_read_in_steps(text: str, steps: tuple[str, ...]) -> None:
    assert pointer_steps(text) == steps
