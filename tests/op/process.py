"""An OpenID Provider on a free port of 127.0.0.1, for as long as a `with` lasts."""

import http.client
import json
import select
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SCRIPT = Path(__file__).with_name("provider.mjs")
START_SECONDS = 120.0
STOP_SECONDS = 30.0
NODE_PART = SCRIPT.parent.parent / "node_modules" / "oidc-provider"

Claims = Mapping[str, object]


class OpenIdProvider:
    """`clients`: registration metadata; `accounts`: login to its claims; `claims`: further scopes to their claims;
    `tls`: cert, key and ca (PEM) of a second door that asks for certificates; `levels`: login to acr and amr.
    `resources`, `only` and `deaf`: see the script.

    `issuer` is known once started. RuntimeError, with what it printed, if it does not start.
    """

    def __init__(
        self,
        clients: Sequence[Mapping[str, object]],
        accounts: Mapping[str, Claims],
        *,
        claims: Mapping[str, Sequence[str] | None] | None = None,
        features: Mapping[str, object] | None = None,
        options: Mapping[str, object] | None = None,
        tls: Mapping[str, str] | None = None,
        levels: Mapping[str, Mapping[str, object]] | None = None,
        resources: Mapping[str, object] | None = None,
        only: Sequence[str] | None = None,
        deaf: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        self._configuration = {
            "port": port,
            "clients": clients,
            "accounts": accounts,
            "claims": claims or {},
            "features": features or {},
            "options": options or {},
            "levels": levels or {},
            "deaf": deaf,
            **({"tls": tls} if tls else {}),
            **({"only": only} if only else {}),
            **({"resources": resources} if resources else {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.issuer = ""

    def start(self) -> Self:
        node = shutil.which("node")
        if node is None or not NODE_PART.is_dir():
            raise RuntimeError("node or oidc-provider is not installed: run `make test` once")
        # oidc-provider warns on standard error; a file cannot fill up as a pipe would
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self._process = subprocess.Popen(
            [node, str(SCRIPT), json.dumps(self._configuration)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
        )
        self.issuer = self._announced()
        self._wait_for_discovery()
        return self

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._messages):
            if pipe is not None:
                pipe.close()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _announced(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        if not ready:
            raise self._failed(f"said nothing in {START_SECONDS:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise self._failed(f"ended with {self._process.wait(10)}")
        return str(json.loads(line)["issuer"])

    def _failed(self, how: str) -> RuntimeError:
        self._messages.seek(0)
        printed = self._messages.read().decode(errors="replace")
        self.stop()
        return RuntimeError(f"oidc-provider {how}: {printed}")

    def _wait_for_discovery(self) -> None:
        connection = http.client.HTTPConnection(self.issuer.removeprefix("http://"), timeout=START_SECONDS)
        connection.request("GET", "/.well-known/openid-configuration")
        document = json.load(connection.getresponse())
        connection.close()
        assert document["issuer"] == self.issuer
