"""Two transports joined in memory."""

import asyncio

from gateway.proxy.memory import MemoryTransport, join


class End(asyncio.Protocol):
    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.paused = False
        self.lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, MemoryTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got.append(data)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1


def joined() -> tuple[End, End]:
    near, far = End(), End()
    join(asyncio.get_running_loop(), near, far, {"peername": ("192.0.2.7", 0)})
    return near, far


async def turns() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def test_what_is_written_comes_later_and_in_order() -> None:
    near, far = joined()
    near.transport.write(b"a")
    near.transport.writelines([b"b", b"", b"c"])
    far.transport.write(bytearray(b"d"))
    assert (near.got, far.got) == ([], [])
    await turns()
    assert (b"".join(near.got), b"".join(far.got)) == (b"d", b"abc")


async def test_only_the_far_end_is_told_of_the_client() -> None:
    near, far = joined()
    assert far.transport.get_extra_info("peername") == ("192.0.2.7", 0)
    assert (near.transport.get_extra_info("peername"), far.transport.get_extra_info("ssl_object")) == (None, None)


async def test_a_writer_is_paused_while_the_reader_is() -> None:
    near, far = joined()
    far.transport.pause_reading()
    assert not far.transport.is_reading()
    near.transport.write(bytes(60_000))
    assert not near.paused
    near.transport.write(bytes(60_000))
    await turns()
    assert near.paused
    assert (far.got, near.transport.get_write_buffer_size()) == ([], 120_000)
    far.transport.resume_reading()
    await turns()
    assert (near.paused, sum(map(len, far.got))) == (False, 120_000)


async def test_a_close_comes_after_what_was_written_before_it() -> None:
    near, far = joined()
    near.transport.write(b"last words")
    near.transport.close()
    near.transport.write(b"never")
    await turns()
    assert (far.got, near.lost, far.lost) == ([b"last words"], 1, 1)
    assert far.transport.is_closing()


async def test_a_close_waits_for_a_reader_that_is_paused() -> None:
    near, far = joined()
    far.transport.pause_reading()
    near.transport.write(b"last words")
    near.transport.close()
    await turns()
    assert (far.got, far.lost) == ([], 0)
    far.transport.resume_reading()
    await turns()
    assert (far.got, far.lost) == ([b"last words"], 1)


async def test_each_end_is_lost_once() -> None:
    near, far = joined()
    near.transport.close()
    far.transport.abort()
    near.transport.close()
    await turns()
    assert (near.lost, far.lost) == (1, 1)


async def test_another_protocol_takes_over() -> None:
    near, far = joined()
    other = End()
    far.transport.set_protocol(other)
    assert far.transport.get_protocol() is other
    near.transport.write(b"a")
    await turns()
    assert (far.got, other.got) == ([], [b"a"])
