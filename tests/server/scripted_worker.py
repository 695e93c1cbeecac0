"""A worker process that does as a file says: `python scripted_worker.py SCRIPT CONTROL LISTENING...`.

Each line of SCRIPT is `PID KIND ACTION`, `*` for any pid: `no`, `silence`, `die`, or `late` by 0.7 s where a message
of that kind comes. `PID wants SOURCE`: it has that source of metadata fetched whenever it is asked for its counters.
What is not in it is answered well. `SCRIPT.PID` has the revision that it serves.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path

from gateway.server.channel import Channel, Message


class ScriptedWorker:
    def __init__(self, script: Path) -> None:
        self._script = script
        self._left = asyncio.Event()
        self._prepared = ""
        self._channel = Channel(self._received, self._left.set)

    async def run(self, control: socket.socket) -> None:
        control.setblocking(False)
        await self._channel.open(control)
        await self._left.wait()
        self._channel.send("counters", b'[["ecluse_http_requests_total","app","2xx",7],["ecluse_http_connections",3]]')
        self._channel.close()

    def _received(self, message: Message) -> None:
        match self._action(message.kind):
            case "die":
                os._exit(3)
            case "silence":
                pass
            case "late":
                asyncio.get_running_loop().call_later(0.7, self._obey, message)
            case "no":
                self._channel.reply(message, ok=False, detail=f"no {message.kind}")
            case _:
                self._obey(message)

    def _action(self, kind: str) -> str:
        for line in self._script.read_text().splitlines():
            pid, of, action = line.split()
            if pid in ("*", str(os.getpid())) and of == kind:
                return action
        return ""

    def _obey(self, message: Message) -> None:
        match message.kind:
            case "prepare":
                self._prepared = message.fields["revision"]
            case "abort":
                self._prepared = ""
            case "commit":
                Path(f"{self._script}.{os.getpid()}").write_text(self._prepared)
            case "counters":
                if source := self._action("wants"):
                    self._channel.send("metadata", id=0, source=source)
            case "drain":
                self._left.set()
                return
        self._channel.reply(message, ok=True)


def main() -> None:
    script, control = Path(sys.argv[1]), int(sys.argv[2])

    async def run() -> None:
        await ScriptedWorker(script).run(socket.socket(fileno=control))

    asyncio.run(run())


if __name__ == "__main__":
    main()
