"""A port of one machine that leads to another's: `python -m tests.nodes.relay FROM TO`, each HOST:PORT."""

import asyncio
import sys
from contextlib import suppress


async def relayed(listens: str, leads: str) -> asyncio.Server:
    host, _, port = leads.rpartition(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        await asyncio.gather(pass_on(reader, other[1]), pass_on(other[0], writer))

    here, _, its_port = listens.rpartition(":")
    return await asyncio.start_server(connected, here, int(its_port))


async def main(listens: str, leads: str) -> None:
    await (await relayed(listens, leads)).serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
