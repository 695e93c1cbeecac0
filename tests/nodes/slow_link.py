"""A cable that is slow: frames between two TAP devices, late. `python -m tests.nodes.slow_link NEAR FAR SECONDS`; what
goes from FAR to NEAR is late by so much, as with netem, which not every kernel has."""

import asyncio
import fcntl
import os
import struct
import sys
from contextlib import suppress

_TUNSETIFF = 0x400454CA
_TAP_WITHOUT_HEAD = 0x0002 | 0x1000
_FRAME = 1 << 16


def device(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP_WITHOUT_HEAD))
    return descriptor


async def main(near: str, far: str, late: str) -> None:
    loop, one, other = asyncio.get_running_loop(), device(near), device(far)

    def passes(source: int, to: int, seconds: float) -> None:
        def written(frame: bytes) -> None:
            # A device that is down, or full, loses it, as a cable does.
            with suppress(OSError):
                os.write(to, frame)

        def comes() -> None:
            with suppress(OSError):
                while True:
                    loop.call_later(seconds, written, os.read(source, _FRAME))

        loop.add_reader(source, comes)

    passes(one, other, 0.0)
    passes(other, one, float(late))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
