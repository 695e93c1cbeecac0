import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.federation import metadata_helper, metadata_keeper, metadata_lanes
from gateway.federation.metadata_helper import HELPER
from gateway.federation.metadata_index import Copy, index_path, read_copy, read_entity, write_index
from gateway.federation.metadata_indexing import index_document
from gateway.federation.metadata_keeper import MetadataKeeper
from gateway.federation.metadata_lanes import FetchLimits, limits_of
from gateway.federation.metadata_source import MetadataSource
from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from tests.federation.metadata_server import UNLOOKED, MetadataServer, files, in_a_day, running_metadata_server
from tests.patience import PATIENCE, until
from tests.saml.metadata_samples import entity, group, many_attributes, signed
from tests.saml.parties import IDP

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes no source a slow one; a test about slow ones says what is slow."""
    monkeypatch.setattr(metadata_lanes, "QUICK_SECONDS", PATIENCE)
    patient = replace(limits_of("usual", aggregate=False), fetch_seconds=PATIENCE, seconds=PATIENCE)
    monkeypatch.setattr(metadata_lanes, "_USUAL", patient)


class Told:
    """As ops.log.Log."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def event(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    def access(self, line: bytes) -> None:
        raise AssertionError(line)

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self.events]


@asynccontextmanager
async def keeping(
    folder: Path, *sources: MetadataSource, told: Told | None = None, helper: tuple[str, ...] = HELPER
) -> AsyncIterator[MetadataKeeper]:
    keeper = MetadataKeeper(folder, told or Told(), helper=helper)
    await keeper.use(dict.fromkeys(sources, ("metropole",)))
    running = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        running.cancel()
        await keeper.close()
        await asyncio.wait((running,))


def copy(fetched: float = 0.0, fresh_for: int = 3600, valid_until: int | None = None) -> Copy:
    """`fetched`: seconds ago."""
    return Copy(int(time.time() - fetched), fresh_for, valid_until, 0)


async def test_what_is_not_there_is_fetched_at_once_and_then_left_alone(tmp_path: Path) -> None:
    async with running_metadata_server() as server:
        server.documents = {"/idp": signed(entity()), "/all": signed(group([entity()], attributes=in_a_day()))}
        sources = server.source(), server.source("/all", "aggregate")
        async with keeping(tmp_path / "metadata", *sources) as keeper:
            await until(lambda: all(read_copy(tmp_path / "metadata", source.id) for source in sources))
            await asyncio.sleep(0.3)
            assert sorted(server.asked) == ["/all", "/idp"]
            counters = keeper.counters()
        assert counters["ecluse_metadata_refreshes_total", "metropole", "ok"] == 2
        assert counters["ecluse_metadata_valid_until_seconds", "metropole"] == pytest.approx(
            time.time() + 86400, abs=60
        )


async def test_a_fresh_copy_is_used_without_network(tmp_path: Path) -> None:
    source = MetadataServer(1).source()
    write_index(tmp_path, source.id, copy(fetched=600), [])
    told = Told()
    async with keeping(tmp_path, source, told=told):
        await asyncio.sleep(0.3)
    assert told.names == []


@pytest.mark.parametrize(
    "old", [copy(fetched=3601), copy(fetched=-86400 * 365, fresh_for=0), copy(fetched=10, fresh_for=5)]
)
async def test_a_copy_that_is_due_is_renewed(tmp_path: Path, old: Copy) -> None:
    async with running_metadata_server() as server:
        server.documents = {"/idp": signed(entity())}
        write_index(tmp_path, server.source().id, old, [])
        async with keeping(tmp_path, server.source()):
            await until(lambda: read_copy(tmp_path, server.source().id) != old)


@pytest.mark.parametrize(
    ("old", "event"),
    [
        (copy(fetched=3601), "provider.stale"),
        # Counted from when the tests were collected, which may be an hour ago.
        (copy(fetched=3601, valid_until=int(time.time()) + 86400), "provider.stale"),
        (copy(fetched=3601, valid_until=int(time.time()) - 1), "provider.unreachable"),
        (None, "provider.unreachable"),
    ],
)
async def test_a_failing_refresh_leaves_the_copy_and_is_told(tmp_path: Path, old: Copy | None, event: str) -> None:
    async with running_metadata_server() as server:
        server.documents = {"/idp": signed(entity(), "stranger")}
        source, told = server.source(), Told()
        if old is not None:
            write_index(tmp_path, source.id, old, [])
        async with keeping(tmp_path, source, told=told) as keeper:
            await until(lambda: bool(told.events))
            assert keeper.counters()["ecluse_metadata_refreshes_total", "metropole", "failed"] == 1
    assert told.names == [event]
    assert told.events[0][1]["provider"] == "metropole"
    assert told.events[0][1]["code"] == "saml.metadata.signature"
    assert read_copy(tmp_path, source.id) == old


async def test_what_cannot_be_kept_is_told_as_such_and_the_copy_serves(tmp_path: Path) -> None:
    async with running_metadata_server() as server:
        server.documents = {"/idp": signed(entity())}
        source, told, old = server.source(), Told(), copy(fetched=3601)
        write_index(tmp_path, source.id, old, [])
        program = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); "
        program += "runpy.run_module('gateway.federation.metadata_process', run_name='__main__')"
        async with keeping(tmp_path, source, told=told, helper=(sys.executable, "-c", program)):
            await until(lambda: bool(told.events))
    ((event, fields),) = told.events
    assert (event, fields["provider"], fields["code"]) == ("provider.unwritten", "metropole", "saml.metadata.unwritten")
    assert str(tmp_path) in str(fields["detail"])
    assert read_copy(tmp_path, source.id) == old


# --- an MDQ service that says that the entity is not there ------------------------------------------------------------

MDQ = "/entities/https%3A%2F%2Fidp.metropole.example%2Fmetadata"


@dataclass
class Asking:
    """A provider of an MDQ service that had it; `again` asks anew and returns what is told of it."""

    server: MetadataServer
    keeper: MetadataKeeper
    folder: Path
    told: Told

    async def again(self, document: bytes | None) -> str:
        self.server.documents = {} if document is None else {MDQ: document}
        before = len(self.told.events)
        await self.keeper.refreshed(self.server.source("", "mdq").id)
        return self.told.names[before] if len(self.told.events) > before else ""

    def found(self) -> Code | None:
        """Why a worker would refuse it."""
        try:
            read_entity(self.folder, self.server.source("", "mdq").id, IDP)
        except GatewayError as error:
            return error.code
        return None


@pytest.fixture
async def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asking]:
    monkeypatch.setattr(metadata_keeper, "ASKED_AGAIN_AFTER", 0.0)
    monkeypatch.setattr(metadata_keeper, "GONE_AFTER", 0.0)
    async with running_metadata_server() as server:
        source, told = server.source("", "mdq"), Told()
        index_document(source, [signed(entity(attributes=in_a_day()))], tmp_path, time.time())
        async with keeping(tmp_path, source, told=told) as keeper:
            yield Asking(server, keeper, tmp_path, told)


async def test_said_three_times_in_a_row_it_disables_the_provider_until_it_is_there_again(asking: Asking) -> None:
    assert [await asking.again(None) for _ in range(2)] == ["provider.stale", "provider.stale"]
    assert asking.found() is None, "it may come of a deployment"
    assert await asking.again(None) == "provider.gone"
    assert asking.found() is saml_codes.METADATA_GONE
    fields = asking.told.events[-1][1]
    assert (fields["provider"], fields["code"]) == ("metropole", "saml.metadata.gone")
    assert f"404: it has no metadata of {IDP}" in str(fields["detail"])
    assert asking.keeper.counters()["ecluse_metadata_valid_until_seconds", "metropole"] <= time.time()
    assert await asking.again(signed(entity(attributes=in_a_day()))) == ""
    assert asking.found() is None
    assert await asking.again(None) == "provider.stale"


async def test_what_else_it_answers_begins_the_count_anew(asking: Asking) -> None:
    answers = [None, None, signed(entity(), "stranger"), None, None]
    assert [await asking.again(answer) for answer in answers] == ["provider.stale"] * 5
    assert asking.found() is None


async def test_said_often_in_a_short_time_it_is_not_believed(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata_keeper, "GONE_AFTER", 1800.0)
    assert [await asking.again(None) for _ in range(4)] == ["provider.stale"] * 4
    assert asking.found() is None


async def test_a_restart_does_not_bring_it_back(asking: Asking) -> None:
    for _ in range(3):
        await asking.again(None)
    told = Told()
    async with keeping(asking.folder, asking.server.source("", "mdq"), told=told) as keeper:
        await keeper.refreshed(asking.server.source("", "mdq").id)
    assert told.names == ["provider.unreachable"]
    assert asking.found() is saml_codes.METADATA_GONE


async def test_an_address_of_one_document_says_nothing_by_404(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server that lost a file knows nothing of federations."""
    monkeypatch.setattr(metadata_keeper, "ASKED_AGAIN_AFTER", 0.0)
    monkeypatch.setattr(metadata_keeper, "GONE_AFTER", 0.0)
    async with running_metadata_server() as server:
        source, told = server.source(), Told()
        index_document(source, [signed(entity())], tmp_path, time.time())
        async with keeping(tmp_path, source, told=told) as keeper:
            for _ in range(4):
                await keeper.refreshed(source.id)
        assert told.names == ["provider.stale"] * 4
        assert read_entity(tmp_path, source.id, IDP) is not None


async def test_a_refresh_is_asked_for_once_by_all_and_not_again_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_metadata_server() as server:
        server.documents, server.delay = {"/idp": signed(entity())}, 0.2
        source = server.source()
        write_index(tmp_path, source.id, copy(), [])
        async with keeping(tmp_path, source) as keeper:
            await asyncio.gather(*(keeper.refreshed(source.id) for _ in range(5)))
            assert server.asked == ["/idp"]
            await keeper.refreshed(source.id)
            assert server.asked == ["/idp"]
            monkeypatch.setattr(metadata_keeper, "ASKED_AGAIN_AFTER", 0.0)
            await keeper.refreshed(source.id)
            assert server.asked == ["/idp", "/idp"]
            await keeper.refreshed("unknown")


async def test_an_aggregate_is_not_asked_for_anew_each_half_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can have it asked for, by an answer under a key that nobody knows."""
    monkeypatch.setattr(metadata_keeper, "ASKED_AGAIN_AFTER", 0.0)
    async with running_metadata_server() as server:
        server.documents = {"/all": signed(group([entity()], attributes=in_a_day()))}
        source = server.source("/all", "aggregate")
        async with keeping(tmp_path, source) as keeper:
            await until(lambda: read_copy(tmp_path, source.id) is not None)
            for _ in range(3):
                await keeper.refreshed(source.id)
            assert server.asked == ["/all"]
            monkeypatch.setattr(metadata_keeper, "AGGREGATE_ASKED_AGAIN_AFTER", 0.0)
            await keeper.refreshed(source.id)
            assert server.asked == ["/all", "/all"]


async def test_an_aggregate_of_which_no_copy_serves_is_asked_for_as_soon_as_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata_keeper, "ASKED_AGAIN_AFTER", 0.0)
    async with running_metadata_server() as server:
        source = server.source("/all", "aggregate")
        told = Told()
        async with keeping(tmp_path, source, told=told) as keeper:
            await until(lambda: bool(told.events))
            server.documents = {"/all": signed(group([entity()], attributes=in_a_day()))}
            await keeper.refreshed(source.id)
            assert read_copy(tmp_path, source.id) is not None


async def test_a_reload_takes_new_sources_and_forgets_old_ones(tmp_path: Path) -> None:
    async with running_metadata_server() as server:
        server.documents = {"/idp": signed(entity()), "/next": signed(entity())}
        first, second = server.source(), server.source("/next")
        async with keeping(tmp_path, first) as keeper:
            await until(lambda: read_copy(tmp_path, first.id) is not None)
            await keeper.use({first: ("metropole",), second: ("other",)})
            await until(lambda: read_copy(tmp_path, second.id) is not None)
            await keeper.use({second: ("other",)})
            assert files(tmp_path) == {index_path(tmp_path, second.id).name}
            await keeper.use({})
            assert files(tmp_path) == set()
        assert server.asked == ["/idp", "/next"]


async def test_copies_are_removed_when_the_next_gateway_has_no_source(tmp_path: Path) -> None:
    write_index(tmp_path, "left", copy(), [])
    async with keeping(tmp_path):
        assert files(tmp_path) == set()


async def test_without_sources_no_folder_is_made(tmp_path: Path) -> None:
    async with keeping(tmp_path / "metadata"):
        assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("helper", "why"),
    [
        (("/no/such/program",), "cannot be started"),
        ((sys.executable, "-c", "import sys; sys.exit(3)"), "status 3"),
        ((sys.executable, "-c", "print('{}')"), "an invalid result"),
        ((sys.executable, "-c", "print('x')"), "an invalid result"),
    ],
)
async def test_a_helper_that_is_none(tmp_path: Path, helper: tuple[str, ...], why: str) -> None:
    told = Told()
    async with keeping(tmp_path, MetadataServer(1).source(), told=told, helper=helper) as keeper:
        await until(lambda: bool(told.events))
        await asyncio.sleep(0.2)
        await keeper.refreshed(MetadataServer(1).source().id)
    assert told.names == ["provider.unreachable"], "and it is not started again at once"
    assert why in str(told.events[0][1]["detail"])


async def test_a_helper_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata_lanes, "_USUAL", FetchLimits(0.1, 0.1, 1, 1 << 28))
    monkeypatch.setattr(metadata_helper, "ANSWERS_WITHIN", 0.2)
    told, helper = Told(), (sys.executable, "-c", "import time; time.sleep(600)")
    async with keeping(tmp_path, MetadataServer(1).source(), told=told, helper=helper):
        await until(lambda: bool(told.events))
    assert "sent nothing for" in str(told.events[0][1]["detail"])


# --- one organisation's server and the others' ------------------------------------------------------------------------


async def test_a_hostile_server_is_ended_at_its_limit_while_the_others_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real documents under a genuine Signature, read by a helper that does not look at them first."""
    monkeypatch.setattr(metadata_lanes, "_USUAL", replace(limits_of("usual", aggregate=False), cpu_seconds=1))
    async with running_metadata_server() as server:
        hostile = [server.source(f"/hostile{number}") for number in range(2)]
        healthy = [server.source(f"/idp{number}") for number in range(6)]
        server.documents = {f"/idp{number}": signed(entity()) for number in range(6)}
        server.documents |= {f"/hostile{number}": many_attributes() for number in range(2)}
        told = Told()
        async with keeping(tmp_path, *hostile, *healthy, told=told, helper=UNLOOKED):
            await until(lambda: all(read_copy(tmp_path, source.id) for source in healthy))
            await until(lambda: len(_said(told, hostile)) >= 2)
    # By its time, where the machine is so busy that it got no second of processor.
    for detail in _said(told, hostile)[:2]:
        assert re.search("took over 1 s of processor time|not fetched, verified and indexed within", detail)


def _said(told: Told, sources: list[MetadataSource]) -> list[str]:
    details = [str(fields["detail"]) for _, fields in told.events]
    return [detail for detail in details if detail.startswith(tuple(source.url for source in sources))]


async def test_who_overran_is_tried_in_the_slow_lane_and_after_growing_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata_keeper, "ASKED_AGAIN_AFTER", 0.0)
    patient = limits_of("usual", aggregate=False)
    hasty = replace(patient, seconds=0.5)
    monkeypatch.setattr(metadata_lanes, "_USUAL", hasty)
    monkeypatch.setattr(metadata_lanes, "_SLOW", patient)
    async with running_metadata_server() as server:
        server.documents, server.delay = {"/idp": signed(entity())}, 1.0
        source, told = server.source(), Told()
        async with keeping(tmp_path, source, told=told) as keeper:
            # It is slow and honest: the slow lane has the time that it needs, and it is had there without a pause.
            refreshed = "ecluse_metadata_refreshes_total", "metropole"
            await until(lambda: keeper.counters().get((*refreshed, "ok")) == 1)
            assert [fields["detail"] for _, fields in told.events] == [
                f"{source.url}: not fetched, verified and indexed within 0.5 s"
            ]
            monkeypatch.setattr(metadata_lanes, "_USUAL", patient)
            server.delay = 0.0
            await keeper.refreshed(source.id)
            assert keeper.counters()[*refreshed, "ok"] == 2
            for lane in ("_USUAL", "_SLOW"):
                monkeypatch.setattr(metadata_lanes, lane, hasty)
            server.delay = PATIENCE
            await keeper.refreshed(source.id)
            await until(lambda: keeper.counters().get((*refreshed, "failed")) == 3)
            asked = len(server.asked)
            await keeper.refreshed(source.id)
            assert len(server.asked) == asked, "a stranger who begins to sign in does not have it asked for again"
            assert keeper.counters()[*refreshed, "failed"] == 3


async def test_a_source_that_left_and_came_back_while_it_was_fetched(tmp_path: Path) -> None:
    async with running_metadata_server() as server:
        server.documents, server.delay = {"/idp": signed(entity())}, 0.5
        source = server.source()
        async with keeping(tmp_path, source) as keeper:
            await until(lambda: bool(server.asked))
            await keeper.use({})
            await keeper.use({source: ("metropole",)})
            await keeper.refreshed(source.id)
            assert server.asked == ["/idp", "/idp"]
            assert read_copy(tmp_path, source.id) is not None


async def test_whoever_waits_for_a_source_that_a_reload_takes_away_goes_on(tmp_path: Path) -> None:
    async with running_metadata_server() as server:
        server.delay = PATIENCE
        sources = [server.source(f"/idp{number}") for number in range(5)]
        async with keeping(tmp_path, *sources) as keeper:
            await until(lambda: len(server.asked) == 4)
            waiting = asyncio.create_task(keeper.refreshed(sources[4].id))
            await asyncio.sleep(0.1)
            await keeper.use(dict.fromkeys(sources[:4], ("metropole",)))
            await asyncio.wait_for(waiting, PATIENCE)


async def test_leaving_ends_the_helper_and_whoever_waits(tmp_path: Path) -> None:
    told, helper = Told(), (sys.executable, "-c", "import time; time.sleep(600)")
    source = MetadataServer(1).source()
    async with keeping(tmp_path, source, told=told, helper=helper) as keeper:
        waiting = asyncio.create_task(keeper.refreshed(source.id))
        await asyncio.sleep(0.3)
    await asyncio.wait_for(waiting, PATIENCE)
    assert told.names == []
