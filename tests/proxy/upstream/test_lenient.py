"""Applications by `upstream.accept`, over sockets. By heads alone: tests/wire/test_lenient_heads.py."""

import pytest

from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.proxy.http1.bodies import ChunkedBody
from tests.proxy.applications import OK, application, closing
from tests.proxy.gateways import ask, gateway

PUBLIC = ask(b"GET /public/a")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

FAULTS = {
    "bare_lf": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "padded_chunk": CHUNKED + b"2  \r\nok\r\n0 \r\n\r\n",
    "chunked_1_0": CHUNKED.replace(b"1.1", b"1.0") + b"2\r\nok\r\n0\r\n\r\n",
    "odd_status": b"HTTP/1.1 999 Denied\r\nContent-Length: 2\r\n\r\nok",
    "zero_padded_length": b"HTTP/1.1 200 OK\r\nContent-Length: 0002\r\n\r\nok",
    "line_without_colon": b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 2\r\n\r\nok",
    "long_headers": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70_000 + b"\r\nContent-Length: 2\r\n\r\nok",
}
KEEP = {"odd_status", "long_headers"}
GROUP = "others: ['http://127.0.0.1:9'], circuit: {failures: 9}, "


@pytest.mark.parametrize("several", ["", GROUP], ids=["one", "several"])
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_that_is_accepted(name: str, several: str) -> None:
    """Behind a fault of framing the connection ends, and whatever it still says reaches nobody."""
    said = FAULTS[name]
    async with (
        application(said, then=said) as app,
        gateway(app, upstream=f"{several}accept: [{name}]") as gate,
    ):
        client = await gate.client()
        for _ in range(2):
            answer = await client.ask(PUBLIC)
            assert (answer.status, answer.body) == (500 if name == "odd_status" else 200, b"ok")
            assert b"no header" not in answer.head
        assert len(app.peers) == (1 if name in KEEP else 2)
        told = gate.log.named("upstream.deviation")
        assert [name in str(one) for one in told] == ([] if name in KEEP else [True])


@pytest.mark.parametrize("accepts", ["", "all but it"])
@pytest.mark.parametrize("name", FAULTS)
async def test_one_that_is_not(name: str, accepts: str) -> None:
    others = ", ".join(other for other in FAULTS if other != name)
    async with (
        application(closing(FAULTS[name])) as app,
        gateway(app, upstream=f"accept: [{others}]" if accepts else "") as gate,
    ):
        answer = await gate.once(PUBLIC)
        assert answer.status == 502
        assert "upstream." in str(gate.log.named("upstream.failed"))


SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - KEEP))
async def test_what_follows_a_fault_of_framing_is_never_the_next_response(name: str) -> None:
    async with application(FAULTS[name] + SMUGGLED) as app, gateway(app, upstream=f"accept: [{name}]") as gate:
        client = await gate.client()
        assert (await client.ask(PUBLIC)).body == b"ok"
        assert (await client.ask(PUBLIC)).body == b"ok"
        assert len(app.requests) == len(app.peers) == 2


@pytest.mark.parametrize(
    "body",
    [b" 2\r\nok\r\n0\r\n\r\n", b"2 2\r\nok\r\n0\r\n\r\n", b"2\nok\r\n0\r\n\r\n", b"2 \nok\n0\n\n",
     b"0x2\r\nok\r\n0\r\n\r\n"],
)  # fmt: skip
async def test_blanks_elsewhere_than_behind_a_size_are_refused(body: bytes) -> None:
    accepts = "accept: [bare_lf, padded_chunk, chunked_1_0]"
    async with application(closing(CHUNKED + body)) as app, gateway(app, upstream=accepts) as gate:
        assert (await gate.once(PUBLIC)).status == 502


def test_padding_is_bounded() -> None:
    body = ChunkedBody(upstream_codes.RESPONSE, padded=True)
    with pytest.raises(GatewayError, match="too long"):
        body.feed_all(b"2" + b" " * 5_000 + b"\r\nok\r\n")


async def test_a_head_that_is_too_long_or_comes_in_pieces() -> None:
    head = b"HTTP/1.1 200 OK\nX-A: " + b"a" * 300_000
    accepts = "accept: [bare_lf, long_headers]"
    async with application(head, closing(head + b"\n\nok")) as app, gateway(app, upstream=accepts) as gate:
        for _ in range(2):
            assert (await gate.once(PUBLIC)).status == 502
    async with application(None, then=OK) as app, gateway(app, upstream=accepts) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        peer = await app.peer()
        await app.request()
        for piece in (b"HTTP/1.1 200 OK\r\nConten", b"t-Length: 2\n", b"\n", b"o", b"k"):
            peer.send(piece)
        answer = await client.answer()
        assert (answer.status, answer.body) == (200, b"ok")
        await peer.lost.wait()


async def test_a_strict_response_keeps_its_connection() -> None:
    everything = f"accept: [{', '.join(FAULTS)}]"
    async with application(OK, then=OK) as app, gateway(app, upstream=everything) as gate:
        client = await gate.client()
        for _ in range(3):
            assert (await client.ask(PUBLIC)).body == b"ok"
        assert len(app.peers) == 1
