"""The supervisor's and a worker's ends, over a real socket pair."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from gateway.server.channel import Channel, ChannelLost, Message
from tests.patience import PATIENCE, until


class End:
    def __init__(self) -> None:
        self.received: list[Message] = []
        self.lost = asyncio.Event()
        self.channel = Channel(self.received.append, self.lost.set)


Opened = tuple[End, End]


@pytest.fixture
async def ends() -> AsyncIterator[Opened]:
    both = End(), End()
    for end, sock in zip(both, socket.socketpair(), strict=True):
        sock.setblocking(False)
        await end.channel.open(sock)
    yield both
    for end in both:
        end.channel.close()
        await asyncio.wait_for(end.lost.wait(), PATIENCE)


async def test_messages_arrive_whole_and_in_order_with_their_payload(ends: Opened) -> None:
    ours, theirs = ends
    for number in range(50):
        ours.channel.send("prepare", bytes([number]) * 100_000, revision=f"r{number}")
    await until(lambda: len(theirs.received) == 50)
    assert [m.fields["revision"] for m in theirs.received] == [f"r{n}" for n in range(50)]
    assert all(m.payload == bytes([n]) * 100_000 for n, m in enumerate(theirs.received))


async def test_an_answer_reaches_the_question_that_it_belongs_to(ends: Opened) -> None:
    ours, theirs = ends
    first = asyncio.create_task(ours.channel.ask("revoke", within=PATIENCE, sessions=["a"]))
    second = asyncio.create_task(ours.channel.ask("revoke", within=PATIENCE, sessions=["b"]))
    await until(lambda: len(theirs.received) == 2)
    for asked in reversed(theirs.received):
        theirs.channel.reply(asked, said=asked.fields["sessions"])
    assert (await first).fields["said"] == ["a"]
    assert (await second).fields["said"] == ["b"]


async def test_no_answer_in_time_is_a_time_out_and_a_late_one_is_dropped(ends: Opened) -> None:
    ours, theirs = ends
    with pytest.raises(TimeoutError):
        await ours.channel.ask("revoke", within=0.05)
    await until(lambda: theirs.received)
    theirs.channel.reply(theirs.received[0], ok=True)
    await asyncio.sleep(0.05)
    assert ours.received == []


async def test_who_waits_hears_that_the_other_side_is_gone(ends: Opened) -> None:
    ours, theirs = ends
    asked = asyncio.create_task(ours.channel.ask("revoke", within=PATIENCE))
    await until(lambda: theirs.received)
    theirs.channel.close()
    with pytest.raises(ChannelLost):
        await asked
    await asyncio.wait_for(ours.lost.wait(), PATIENCE)
    with pytest.raises(ChannelLost):
        await ours.channel.ask("revoke", within=PATIENCE)


async def test_a_frame_of_absurd_length_ends_the_channel() -> None:
    left, right = socket.socketpair()
    left.setblocking(False)
    end = End()
    await end.channel.open(left)
    right.sendall(b"\xff\xff\xff\xff\x00\x00\x00\x00")
    await asyncio.wait_for(end.lost.wait(), PATIENCE)
    right.close()
