"""A worker that lives and does nothing: it is asked now and then, and ended when it has not answered for long."""

import asyncio

from gateway.server.channel import ChannelLost
from gateway.server.fleet import Worker
from gateway.server.rollout import Patience


async def until_silent(worker: Worker, patience: Patience) -> bool:
    """True once it has left `patience.pulses` questions in a row unanswered; False when it is gone.

    Several questions, not one with a long wait: where the whole machine stood still, no single one was heard in time.
    """
    unanswered = 0
    while unanswered < patience.pulses:
        try:
            await worker.channel.ask("alive", within=patience.pulse)
        except TimeoutError:
            unanswered += 1
        except ChannelLost:
            return False
        else:
            unanswered = 0
            await asyncio.sleep(patience.pulse)
    return True
