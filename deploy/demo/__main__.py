"""python -m deploy.demo: runs until Ctrl-C or SIGTERM, then stops everything that it started."""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from deploy.demo.guide import guide
from deploy.demo.place import ROOT, USUAL, Ports, copy_policies, free_ports
from deploy.demo.stack import Demo, DemoFailed

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="Écluse whole, on this machine.")
    parser.add_argument(
        "--ports-free", action="store_true", help="take free ports and a temporary copy of policies/, gone at the end"
    )
    if not parser.parse_args().ports_free:
        return asyncio.run(_run(ROOT, USUAL))
    with tempfile.TemporaryDirectory(prefix="ecluse-demo-") as folder:
        ports = free_ports()
        copy_policies(Path(folder), ports)
        return asyncio.run(_run(Path(folder), ports))


async def _run(folder: Path, ports: Ports) -> int:
    _cancel_on_first_signal()
    print("Starting identity providers, applications and the gateway. This takes a few seconds.", flush=True)
    try:
        async with Demo(folder, ports) as demo:
            print(guide(demo), flush=True)
            ended = await demo.one_ended()
            print(f"{ended.name} ended with status {ended.status}:\n{ended.tail()}", file=sys.stderr)
    except DemoFailed as failed:
        print(f"The demo does not start: {failed}", file=sys.stderr)
    except asyncio.CancelledError:
        print("Stopped.")
        return 0
    return 1


def _cancel_on_first_signal() -> None:
    """The first signal ends the demo; more of them do not disturb the stopping."""
    task = asyncio.current_task()
    told = False

    def stop() -> None:
        nonlocal told
        if task is not None and not told:
            told = True
            print("\nStopping.", flush=True)
            task.cancel()

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop)


if __name__ == "__main__":
    sys.exit(main())
