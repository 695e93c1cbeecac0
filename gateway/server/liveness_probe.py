"""Finds a worker that hangs: the supervisor sends regular questions, and kills the worker after a long silence."""

import asyncio

from gateway.server.channel import ChannelLost
from gateway.server.fleet import Worker
from gateway.server.rollout import Patience


async def until_silent(worker: Worker, patience: Patience) -> bool:
    """True once the worker has left `patience.pulses` questions in a row unanswered; False when the worker is gone.

    Several questions are asked, not one with a long wait: after a stop of the whole machine, the answer to a single
    question always comes too late."""
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
