"""`ecluse serve`: the folder compiled, then the supervisor until it is told to stop."""

import asyncio
import os
import sys
from pathlib import Path

from gateway.ops.log import Log
from gateway.server.compiling import Refused, compile_folder
from gateway.server.supervisor import Supervisor


def serve(folder: Path) -> int:
    """Exit status 0 after a drain, 1 when the folder has problems or an address cannot be had."""
    log = Log(sys.stdout.fileno())
    try:
        asyncio.run(_supervise(folder, log))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"ecluse: {error.strerror or error}", file=sys.stderr)
        return 1
    finally:
        log.close()
    return 0


async def _supervise(folder: Path, log: Log) -> None:
    live = await compile_folder(folder)
    os.makedirs(live.gateway.state_folder, mode=0o700, exist_ok=True)
    await Supervisor(folder, live, log).run()
