"""What is prepared for an application has an end (invariant 16) and may have to be awaited: with a preparer that signs
a number, given as the composition root would."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import pytest

from gateway.access.outcome import Prepared
from gateway.access.shared_work import SharedWork
from gateway.config.snapshot import App
from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.proxy.lasting import is_allowed
from gateway.translation.render import Translation
from tests.patience import PATIENCE
from tests.proxy.applications import OK, Peer, application
from tests.proxy.gateways import ask, gateway


class Signer:
    """Signs for each person once, and anew when that has ended. `seconds`: how long it may take; `lives`: how long what
    it signed is valid; `error`: what it raises. It waits for `may_go_on`."""

    def __init__(self, *, seconds: float = 10.0, lives: float = 60.0, error: GatewayError | None = None) -> None:
        self.signed: dict[str, Prepared] = {}
        self.begun = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.lives = lives
        self.error = error
        self._work = SharedWork[None](seconds, upstream_codes.TIMEOUT)

    def __call__(
        self, app: App, seat: Seat | None, now: float, wall: float, translation: Translation | None = None
    ) -> Prepared | Callable[[], Awaitable[None]]:
        if seat is None:
            return Prepared(b"", b"")
        identity = seat.identity
        signed = self.signed.get(identity.subject)
        if signed is not None and now < signed.valid_until:
            return signed
        return lambda: self._work.done((app.name, identity.subject), lambda: self._sign(identity))

    async def _sign(self, identity: Identity) -> None:
        self.begun += 1
        number = self.begun
        await self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        self.signed[identity.subject] = Prepared(b"\r\nX-Signed: %d" % number, b"", monotonic() + self.lives)


def signed(requests: list[bytes]) -> list[bytes]:
    return [line[10:] for raw in requests for line in raw.split(b"\r\n") if line.startswith(b"X-Signed: ")]


async def test_invariant_16_what_is_prepared_is_never_sent_past_its_end() -> None:
    async with application() as app, gateway(app, prepare=(signer := Signer(lives=0.3))) as gate:
        client, cookie = await gate.client(), gate.sign_in()
        began, seen = monotonic(), list[int]()
        # Others have come in its place three times, and one of them was used again.
        while signer.begun < 4 or len(seen) == len({*seen}):
            assert monotonic() < began + PATIENCE
            assert (await client.ask(ask(b"GET /a", cookie))).status == 200
            (number,) = signed(app.requests[-1:])
            # The one that is valid now, or was when this request came.
            assert signer.begun - int(number) == 0
            seen.append(int(number))
            await asyncio.sleep(0.01)
        assert signer.begun <= 1 + (monotonic() - began) / signer.lives


async def test_requests_of_one_seat_wait_for_one_piece_of_work() -> None:
    async with application() as app, gateway(app, prepare=(signer := Signer())) as gate:
        cookie = gate.sign_in()
        signer.may_go_on.clear()
        clients = [await gate.client() for _ in range(5)]
        for number, client in enumerate(clients):
            client.send(ask(b"GET /%d" % number, cookie))
        await gate.until(lambda: sum(one.active.task is not None for one in gate.plane.connections) == 5)
        # Others are served meanwhile.
        assert (await gate.once(ask(b"GET /public/a"))).status == 200
        signer.may_go_on.set()
        assert [(await client.answer()).status for client in clients] == [200] * 5
        assert (signer.begun, signed(app.requests)) == (1, [b"1"] * 5)


async def test_a_client_that_leaves_ends_the_work_for_no_other() -> None:
    async with application() as app, gateway(app, prepare=(signer := Signer())) as gate:
        cookie = gate.sign_in()
        signer.may_go_on.clear()
        first, second = await gate.client(), await gate.client()
        first.send(ask(b"GET /a", cookie))
        await gate.until(lambda: signer.begun)
        second.send(ask(b"GET /b", cookie))
        await gate.until(lambda: sum(one.active.task is not None for one in gate.plane.connections) == 2)
        first.close()
        await gate.until(lambda: len(gate.plane.connections) == 1)
        signer.may_go_on.set()
        assert (await second.answer()).status == 200
        assert (signer.begun, signed(app.requests)) == (1, [b"1"])


@pytest.mark.parametrize(
    ("signer", "status", "code"),
    [
        (lambda: Signer(error=GatewayError(upstream_codes.CONNECT, "the vault")), 502, "upstream.connect"),
        (lambda: Signer(seconds=0.05), 504, "upstream.timeout"),
        (lambda: Signer(lives=-1.0), 500, "gateway.fault"),
    ],
    ids=["fails", "takes too long", "has ended at once"],
)
async def test_where_it_is_not_prepared_nothing_reaches_the_application(
    signer: Callable[[], Signer], status: int, code: str
) -> None:
    made = signer()
    async with application() as app, gateway(app, prepare=made) as gate:
        client, cookie = await gate.client(), gate.sign_in()
        if status == 504:
            made.may_go_on.clear()
        answer = await client.ask(ask(b"GET /a", cookie))
        assert (answer.status, app.requests) == (status, [])
        assert gate.log.named("request.refused")[0]["code"] == code
        # It is no decision that is kept: the next request may find it done.
        made.may_go_on.set()
        made.error, made.lives = None, 60.0
        assert (await client.ask(ask(b"GET /a", cookie))).status == 200


async def test_what_has_ended_when_it_comes_is_refused_and_prepared_anew_for_the_next() -> None:
    ends = [-1.0, 60.0]

    def prepare(
        app: App, seat: Seat | None, now: float, wall: float, translation: Translation | None = None
    ) -> Prepared:
        return Prepared(b"\r\nX-Signed: 1", b"", now + ends.pop(0))

    async with application() as app, gateway(app, prepare=prepare) as gate:
        client, cookie = await gate.client(), gate.sign_in()
        assert (await client.ask(ask(b"GET /a", cookie))).status == 500
        assert app.requests == []
        assert (await client.ask(ask(b"GET /a", cookie))).status == 200


async def test_a_stream_may_outlive_what_was_prepared_for_its_request() -> None:
    """What was sent was valid then; policy alone is asked again."""
    async with application(None) as app, gateway(app, prepare=Signer(lives=0.05)) as gate:
        client, cookie = await gate.client(), gate.sign_in()
        client.send(ask(b"GET /a", cookie))
        await gate.until(lambda: app.requests)
        await asyncio.sleep(0.1)
        (connection,) = gate.plane.connections
        assert is_allowed(connection.active, gate.plane.tables)


@pytest.mark.parametrize("silent", [0.0, 0.5], ids=["at once", "past its end"])
async def test_invariant_16_a_request_is_sent_again_only_while_what_was_prepared_lasts(silent: float) -> None:
    """The kept connection is closed before a response: a GET is sent once more, unless what it carries has ended."""

    def closes(peer: Peer) -> None:
        asyncio.get_running_loop().call_later(silent, peer.close)

    async with application(OK, closes) as app, gateway(app, prepare=Signer(lives=0.3 if silent else PATIENCE)) as gate:
        client, cookie = await gate.client(), gate.sign_in()
        assert (await client.ask(ask(b"GET /a", cookie))).status == 200
        response = await client.ask(ask(b"GET /b", cookie))
        assert (response.status, len(app.requests)) == ((502, 2) if silent else (200, 3))
