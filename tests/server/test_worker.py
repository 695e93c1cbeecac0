"""A worker's side of the channel, over a real socket pair, with a plan that the configuration has made."""

import asyncio
import gc
import json
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme

from gateway.config.compile.compiler import compile_files
from gateway.config.compile.plan import Compiled
from gateway.config.folder.read import read_folder
from gateway.config.snapshot import Listener
from gateway.federation.provider_standing import ProviderVerdict, SignInNews
from gateway.ops.log import Log
from gateway.server import worker
from gateway.server.channel import Channel, ChannelLost, Message
from gateway.server.tls import ListenerContexts, tls_contexts
from gateway.server.worker import Candidate, WorkerControl
from tests.patience import PATIENCE, until
from tests.walks.place import Place


class Served:
    """What the worker runs; `fails` is raised when a snapshot is taken."""

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self.taken: list[str] = []
        self.revoked: list[tuple[str, ...]] = []
        self.kept: list[str] = []
        self.drained: list[float] = []
        self.fails: Exception | None = None
        self.stops: list[float] = []
        self.fresh: list[str] = []
        self.told: list[str] = []
        self.looked_up: list[tuple[str, ...] | None] = []
        self.begun: dict[str, SignInNews] = {}
        self.verdicts: list[tuple[str, str, bool]] = []

    async def prepare(self, candidate: Candidate) -> None:
        self.prepared.append(candidate.snapshot.revision)

    async def take(self, candidate: Candidate) -> None:
        if self.fails is not None:
            raise self.fails
        self.taken.append(candidate.snapshot.revision)

    def revoke(self, session_ids: tuple[str, ...], unwritten: tuple[str, ...]) -> None:
        self.revoked.append(session_ids)
        self.kept += unwritten

    def unwritten(self, session_ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(id for id in session_ids if id in self.kept)

    def written(self, session_ids: tuple[str, ...]) -> None:
        self.kept = [id for id in self.kept if id not in session_ids]

    def look_up(self, session_ids: tuple[str, ...] | None) -> None:
        self.looked_up.append(session_ids)

    async def oversee(self, question: dict[str, Any]) -> dict[str, Any]:
        return {"asked": question["what"]}

    def counters(self) -> Iterator[bytes]:
        yield b""
        yield b"[]"

    def news(self) -> list[str]:
        news, self.fresh = self.fresh, []
        return news

    def heard(self, addresses: list[str]) -> None:
        self.told += addresses

    def sign_ins(self) -> dict[str, SignInNews]:
        sign_ins, self.begun = self.begun, {}
        return sign_ins

    async def looked_at(self, provider: str, verdict: ProviderVerdict, *, tells_nodes: bool) -> None:
        self.verdicts.append((provider, verdict, tells_nodes))

    def loop_stopped(self, seconds: float) -> None:
        self.stops.append(seconds)

    async def drain(self, within: float) -> None:
        self.drained.append(within)


class Both:
    """A worker control, and the supervisor's end of its channel."""

    def __init__(self, log: Log) -> None:
        self.served = Served()
        self.control = WorkerControl(self.served, log)
        self.heard: list[Message] = []
        self.gone = asyncio.Event()
        self.channel = Channel(self.heard.append, self.gone.set)

    async def open(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        await self.channel.open(ours)
        self.running = asyncio.create_task(self.control.run(theirs))

    async def ask(self, kind: str, payload: bytes = b"", **fields: object) -> dict[str, object]:
        return (await self.channel.ask(kind, payload, within=PATIENCE, **fields)).fields


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    log = Log(file, strict=True)
    both = Both(log)
    await both.open()
    yield both
    both.channel.close()
    await asyncio.wait_for(both.running, PATIENCE)
    await asyncio.wait_for(both.gone.wait(), PATIENCE)
    log.close()
    os.close(file)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path, settings={"timeouts": "{drain: 7s}"})
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost")
    return place


def compiled(place: Place) -> Compiled:
    return compile_files(read_folder(place.policies))


async def test_prepared_then_committed_it_is_taken(both: Both, place: Place) -> None:
    plan = compiled(place)
    assert (await both.ask("prepare", plan.plan, revision=plan.revision))["ok"]
    assert (both.served.prepared, both.served.taken) == ([plan.revision], [])
    assert (await both.ask("commit", revision=plan.revision))["ok"]
    assert both.served.taken == [plan.revision]


async def test_it_says_that_it_is_there(both: Both) -> None:
    assert (await both.ask("alive"))["ok"]


async def test_addresses_seen_here_are_told_and_those_seen_elsewhere_are_heard(both: Both) -> None:
    both.served.fresh = ["192.0.2.1"]
    await until(lambda: any(message.kind == "seen" for message in both.heard))
    (told,) = [message for message in both.heard if message.kind == "seen"]
    assert told.fields["addresses"] == ["192.0.2.1"]
    both.channel.send("seen", addresses=["192.0.2.2"])
    await until(lambda: both.served.told)
    assert both.served.told == ["192.0.2.2"]


async def test_who_was_sent_to_a_provider_is_told_and_what_looks_say_of_it_is_heard(both: Both) -> None:
    both.served.begun = {"op": {"sent": 2, "address": "https://op.example/"}}
    await until(lambda: any(message.kind == "sign_ins" for message in both.heard))
    (told,) = [message for message in both.heard if message.kind == "sign_ins"]
    assert told.fields["providers"] == {"op": {"sent": 2, "address": "https://op.example/"}}
    both.channel.send("provider", provider="op", verdict="away", tells_nodes=True)
    await until(lambda: both.served.verdicts)
    assert both.served.verdicts == [("op", "away", True)]


async def test_invariant_14_certificates_are_loaded_beside_the_loop(
    both: Both, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred of them take 25 ms."""
    threads: list[int] = []

    def contexts(listeners: Sequence[Listener]) -> tuple[ListenerContexts | None, ...]:
        threads.append(threading.get_ident())
        return tls_contexts(listeners)

    monkeypatch.setattr(worker, "tls_contexts", contexts)
    plan = compiled(place)
    assert (await both.ask("prepare", plan.plan, revision=plan.revision))["ok"]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_nothing_is_taken_that_was_not_prepared(both: Both, place: Place) -> None:
    plan = compiled(place)
    assert not (await both.ask("commit", revision=plan.revision))["ok"]
    await both.ask("prepare", plan.plan, revision=plan.revision)
    answer = await both.ask("commit", revision="another")
    assert (answer["ok"], answer["detail"]) == (False, "no plan is prepared under this revision")
    assert not (await both.ask("commit", revision=plan.revision))["ok"], "it was to be prepared anew"
    assert both.served.taken == []


@pytest.mark.slow
async def test_what_was_aborted_is_forgotten_even_while_it_is_built(both: Both, place: Place) -> None:
    for number in range(200):
        place.write_app(f"app-{number}", f"app-{number}.localhost")
    plan = compiled(place)
    preparing = asyncio.create_task(both.ask("prepare", plan.plan, revision=plan.revision))
    await asyncio.sleep(0)
    assert (await both.ask("abort"))["ok"]
    preparing.cancel()
    await asyncio.sleep(0.5)
    assert not (await both.ask("commit", revision=plan.revision))["ok"]


async def test_one_that_serves_rests_while_it_builds_and_one_that_starts_does_not(
    both: Both, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_RESTED", 3600.0)
    for number in range(50):
        place.write_app(f"app-{number}", f"app-{number}.localhost")
    plan = compiled(place)
    for kind, payload in (("prepare", plan.plan), ("commit", b"")):
        assert (await both.ask(kind, payload, revision=plan.revision))["ok"]
    preparing = asyncio.create_task(both.ask("prepare", plan.plan, revision=plan.revision))
    done, _ = await asyncio.wait([preparing], timeout=0.5)
    assert not done
    assert (await both.ask("abort"))["ok"], "nothing is held up by it"
    preparing.cancel()


async def test_a_plan_that_cannot_be_built_is_a_no_with_its_reason(both: Both) -> None:
    answer = await both.ask("prepare", b'{"nonsense": 1}\n', revision="x")
    assert not answer["ok"]
    assert answer["detail"]
    assert both.served.taken == []


async def test_a_certificate_that_tls_cannot_use_is_a_no_before_anything_is_swapped(both: Both, place: Place) -> None:
    issued = trustme.CA().issue_cert("one.localhost")
    (place.folder / "certs/tls.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    (place.folder / "certs/tls.key").write_bytes(issued.private_key_pem.bytes())
    tls = "tls: {certificate: {file: ../certs/tls.pem}, key: {file: ../certs/tls.key}}"
    place.settings["listen"] = f"[{{address: 127.0.0.1:{place.port}, {tls}}}]"
    place.write_gateway()
    good = compiled(place)
    assert (await both.ask("prepare", good.plan, revision=good.revision))["ok"]
    first, _, rest = good.plan.partition(b"\n")
    gateway = json.loads(first)
    gateway["Gateway"]["listeners"][0]["certificates"][0]["key"] = "bm8ga2V5"
    answer = await both.ask("prepare", json.dumps(gateway).encode() + b"\n" + rest, revision="x")
    assert not answer["ok"]
    assert "SSL" in str(answer["detail"])


async def test_a_fault_while_taking_is_told(both: Both, place: Place) -> None:
    plan = compiled(place)
    both.served.fails = RuntimeError("store")
    await both.ask("prepare", plan.plan, revision=plan.revision)
    answer = await both.ask("commit", revision=plan.revision)
    assert (answer["ok"], answer["detail"]) == (False, "RuntimeError('store')")


async def test_a_revocation_from_elsewhere_is_in_force_before_it_is_confirmed(both: Both) -> None:
    assert (await both.ask("revoke", sessions=["a", "b"], unwritten=["b"]))["ok"]
    assert both.served.revoked == [("a", "b")]
    assert both.served.kept == ["b"]
    both.channel.send("written", sessions=["b"])
    await until(lambda: not both.served.kept)
    assert (await both.ask("look_up", sessions=["a"]))["ok"]
    assert (await both.ask("look_up", sessions=None))["ok"]
    assert both.served.looked_up == [("a",), None]


async def test_a_question_about_sessions_is_answered(both: Both) -> None:
    told = await both.channel.ask("sessions", within=PATIENCE, question={"what": "list"})
    assert told.fields["answer"] == {"asked": "list"}


async def test_a_revocation_from_here_is_in_force_here_at_once_and_awaits_the_others(both: Both) -> None:
    revoking = asyncio.create_task(both.control.revoked(("a",)))
    await until(lambda: [message for message in both.heard if message.kind == "revoke"])
    assert both.served.revoked == [("a",)]
    await asyncio.sleep(0.1)
    assert not revoking.done()
    (asked,) = (message for message in both.heard if message.kind == "revoke")
    assert (asked.fields["sessions"], asked.fields["unwritten"]) == (["a"], [])
    both.channel.reply(asked, ok=True)
    await asyncio.wait_for(revoking, PATIENCE)


@pytest.mark.slow
async def test_where_the_supervisor_is_gone_a_revocation_waits_until_the_list_has_been_read(both: Both) -> None:
    loop = asyncio.get_running_loop()
    both.channel.close()
    await until(lambda: both.served.drained)
    began = loop.time()
    await both.control.revoked(("a",))
    assert loop.time() - began > 0.9
    assert both.served.revoked == [("a",)]


@pytest.mark.slow
async def test_its_counters_come_each_second_when_asked_and_in_the_end(both: Both) -> None:
    before = len(both.heard)
    await both.channel.ask("counters", within=PATIENCE)
    # One more where its second was over just then.
    assert {message.payload for message in both.heard[before:]} == {b"[]"}
    await until(lambda: len(both.heard) >= 2)
    both.channel.send("drain", within=0.5)
    await asyncio.wait_for(both.running, PATIENCE)
    await until(both.gone.is_set)
    assert {message.kind for message in both.heard} == {"counters"}
    assert len(both.heard) >= 3


async def test_told_to_drain_it_does_so_within_the_time_it_was_given(both: Both) -> None:
    both.channel.send("drain", within=2.5)
    await asyncio.wait_for(both.running, PATIENCE)
    assert both.served.drained == [2.5]


@pytest.mark.parametrize("way", ["signal", "orphan"])
async def test_told_by_nobody_in_particular_it_takes_the_time_of_its_snapshot(
    both: Both, place: Place, way: str
) -> None:
    plan = compiled(place)
    await both.ask("prepare", plan.plan, revision=plan.revision)
    await both.ask("commit", revision=plan.revision)
    if way == "signal":
        both.control.leave()
    else:
        both.channel.close()
    await asyncio.wait_for(both.running, PATIENCE)
    assert both.served.drained == [7.0]


@pytest.mark.slow
async def test_a_stop_of_the_loop_is_noticed_once_the_worker_serves(both: Both, place: Place) -> None:
    """What it does before it accepts holds up nobody."""

    def stand_still() -> None:
        until_then = time.thread_time() + 0.2
        while time.thread_time() < until_then:
            pass

    stand_still()
    plan = compiled(place)
    await both.ask("prepare", plan.plan, revision=plan.revision)
    assert both.served.stops == []
    await both.ask("commit", revision=plan.revision)
    await until(lambda: len(both.served.stops) > 3)
    stand_still()
    await until(lambda: max(both.served.stops) > 0.05)


async def test_who_asks_a_worker_that_has_left_hears_so(both: Both) -> None:
    both.channel.send("drain", within=0.5)
    await until(both.gone.is_set)
    with pytest.raises(ChannelLost):
        await both.ask("prepare")


async def test_metadata_are_refreshed_by_the_supervisor(both: Both) -> None:
    refreshing = asyncio.create_task(both.control.refresh_metadata("a"))
    await until(lambda: [message for message in both.heard if message.kind == "metadata"])
    assert not refreshing.done()
    (asked,) = (message for message in both.heard if message.kind == "metadata")
    assert asked.fields["source"] == "a"
    both.channel.reply(asked, ok=True)
    await asyncio.wait_for(refreshing, PATIENCE)


async def test_where_the_supervisor_does_not_answer_what_there_is_serves(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_METADATA_WITHIN", 0.1)
    await asyncio.wait_for(both.control.refresh_metadata("a"), PATIENCE)
    both.channel.close()
    await until(lambda: both.served.drained)
    await asyncio.wait_for(both.control.refresh_metadata("a"), PATIENCE)


async def test_what_grows_is_settled_in_the_next_turn_of_the_loop_whoever_made_it(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[int] = []
    monkeypatch.setattr(worker.garbage, "settle", lambda: settled.append(threading.get_ident()))
    await both.ask("alive")
    await asyncio.to_thread(gc.collect, 0)
    # The thread has it done before it tells that it is at its end.
    assert settled == [threading.get_ident()]
