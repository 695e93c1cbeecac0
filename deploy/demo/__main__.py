"""python -m deploy.demo: runs until Ctrl-C or SIGTERM, then stops everything that it started."""

import argparse
import asyncio
import signal
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from deploy.demo.guide import guide, guide_elsewhere
from deploy.demo.place import ROOT, TLS_PORT, USUAL, Ports, Site, copy_policies, free_ports
from deploy.demo.shown import HostRefused, checked, shown
from deploy.demo.stack import Demo, DemoFailed

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="Écluse whole, on this machine.")
    parser.add_argument(
        "--ports-free", action="store_true", help="take free ports and a temporary copy of policies/, gone at the end"
    )
    parser.add_argument("--host", default="", metavar="NAME", help="show it to other machines, over TLS, at NAME")
    given = parser.parse_args()
    if not given.ports_free and not given.host:
        return asyncio.run(_run(ROOT, USUAL))
    with tempfile.TemporaryDirectory(prefix="ecluse-demo-") as name:
        folder, ports = Path(name), free_ports() if given.ports_free else replace(USUAL, public=TLS_PORT)
        copy_policies(folder, ports)
        if not given.host:
            return asyncio.run(_run(folder, ports))
        try:
            site = shown(folder, checked(given.host), ports)
        except HostRefused as refused:
            print(refused, file=sys.stderr)
            return 2
        return asyncio.run(_run(folder, ports, site))


async def _run(folder: Path, ports: Ports, site: Site | None = None) -> int:
    _cancel_on_first_signal()
    print("Starting identity providers, applications and the gateway. This takes a few seconds.", flush=True)
    try:
        say = partial(print, flush=True)
        async with Demo(folder, ports, ldap=site is None, site=site or Site(), say=say) as demo:
            print(guide_elsewhere(demo) if site else guide(demo), flush=True)
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
