"""The gateway as `ecluse serve` runs it, in front of the bench's upstream, and a person who is signed in."""

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.error import URLError
from urllib.request import urlopen

from gateway.model.identity import Established, Identity
from gateway.model.session import SeatLimits
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.sqlite.store import SqliteStore

HOST = "app.localhost"
SLOW_HOST = "slow.localhost"
# Sessions written together: they share a commit.
_AT_ONCE = 500

_GATEWAY = """
version: 1
portal: http://portal.localhost:{port}
listen:
  - {{address: 127.0.0.1:{port}}}
  - {{address: 127.0.0.1:{tls_port}, tls: {{certificate: {{file: ../site.pem}}, key: {{file: ../site.key}}}}}}
admin: 127.0.0.1:{admin}
state: ../var
store: {{type: sqlite, keys: [{{id: k1, secret: {{file: ../store.key}}}}]}}
limits: {{body: 4GB, cached_seats: {seats}}}
access_log: {access_log}
development: true
"""
_PROVIDER = """
version: 1
provider: op
label: OP
oidc: {issuer: http://127.0.0.1:9, client_id: bench, client_authentication: none}
attributes: {uid: sub, groups: groups, family_name: family_name}
"""
_APP = """
version: 1
app: bench
hosts: [{host}]
upstream: {{url: http://127.0.0.1:{upstream}, timeout: 60s}}
providers: [op]
translate:
  headers:
    X-Remote-User: {{from: uid}}
    X-Remote-Groups: {{from: groups, join: ";"}}
    ctln: {{from: family_name, encoding: latin1}}
access:
  - {{path: /public/**, allow: anyone}}
  - {{path: /private/**, allow: {{group: agents}}}}
  - {{path: /signed-in/**, allow: signed_in}}
  - {{path: /denied/**, allow: {{group: nobody}}}}
"""
_SLOW_APP = """
version: 1
app: slow
hosts: [{host}]
upstream: {{url: http://127.0.0.1:{slow}, timeout: 120s}}
providers: [op]
access:
  - {{path: /**, allow: anyone}}
"""


class Site:
    """`cookie`: the whole Cookie header of a person who is signed in on the app's host; `cookies`: ours alone, of each
    of `people`. `cores`: how many the gateway has, and so how many workers. `gateway`: further lines of gateway.yaml;
    `apps`: further files of apps/, or others in the place of those."""

    def __init__(
        self,
        folder: Path,
        ports: tuple[int, int, int],
        upstream: int,
        slow: int,
        *,
        access_log: bool,
        cores: int = 2,
        provider: str = _PROVIDER,
        gateway: str = "",
        apps: Mapping[str, str] = MappingProxyType({}),
        people: int = 1,
    ) -> None:
        self.folder = folder
        self.port, self.tls_port, self.admin = ports
        self._write(upstream, slow, access_log, provider, gateway, apps, seats=max(20_000, 2 * people))
        self.cookies = asyncio.run(self._signed_in(people))
        self.cookie = f"PHPSESSID=0123456789abcdef; {self.cookies[0]}; theme=clair"
        self._output = (folder / "output.log").open("wb")
        every = sorted(os.sched_getaffinity(0))
        # Of this thread, and of what it starts.
        os.sched_setaffinity(0, every[:cores])
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", str(folder / "policies")],
                stdout=self._output,
                stderr=subprocess.STDOUT,
            )
        finally:
            os.sched_setaffinity(0, every)
        self._await_ready(len(every[:cores]))

    @property
    def pid(self) -> int:
        return self.process.pid

    def metric(self, name: str) -> float:
        with urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=5) as answer:
            found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        self._output.close()

    def _write(
        self,
        upstream: int,
        slow: int,
        access_log: bool,
        provider: str,
        more: str,
        apps: Mapping[str, str],
        seats: int,
    ) -> None:
        policies = self.folder / "policies"
        (policies / "providers").mkdir(parents=True)
        (policies / "apps").mkdir()
        (self.folder / "store.key").write_text(secrets.token_hex(32))
        gateway = _GATEWAY.format(
            port=self.port,
            tls_port=self.tls_port,
            admin=self.admin,
            access_log=str(access_log).lower(),
            seats=seats,
        )
        (policies / "gateway.yaml").write_text(gateway + more)
        (policies / "providers" / "op.yaml").write_text(provider)
        (policies / "apps" / "bench.yaml").write_text(_APP.format(host=HOST, upstream=upstream))
        (policies / "apps" / "slow.yaml").write_text(_SLOW_APP.format(host=SLOW_HOST, slow=slow))
        for name, content in apps.items():
            (policies / "apps" / name).write_text(content)

    async def _signed_in(self, people: int) -> list[str]:
        """Straight into the store: what a sign-in costs is another measurement."""
        (self.folder / "var").mkdir(mode=0o700)
        store = SqliteStore(self.folder / "var" / "sessions.sqlite")
        await store.open()
        sessions, cookies = Sessions(store, [("k1", (self.folder / "store.key").read_bytes())]), []
        written: list[Coroutine[None, None, object]] = []
        for number in range(1, people + 1):
            attributes = {"uid": (f"helene{number}",), "groups": ("agents", "ONDE"), "family_name": ("Müller",)}
            identity = Identity("op", "http://127.0.0.1:9", str(number), attributes)
            made = await sessions.new_session(
                host=HOST, person=Established(identity, None), browser=f"b{number}", idle=3600, absolute=36000,
                id_token=None, sid=None, replaces=None, limits=SeatLimits(),
            )  # fmt: skip
            written.append(sessions.add(made))
            cookies.append(f"__Host-ecluse={made.cookie.decode()}")
            if len(written) == _AT_ONCE or number == people:
                await asyncio.gather(*written)
                written.clear()
        await store.close()
        return cookies

    def _await_ready(self, workers: int) -> None:
        until = time.monotonic() + 180
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=5) as answer:
                    if json.load(answer)["workers_serving"] == workers:
                        return
            except (URLError, OSError):
                pass
            time.sleep(0.1)
        raise RuntimeError((self.folder / "output.log").read_text())
