"""Canaille from its package index as OpenID Provider, for as long as a `with` lasts."""

import json
import re
import select
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

from aiohttp import ClientSession
from yarl import URL

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-canaille/bin/python"
START_SECONDS = 30.0
MOST_STEPS = 12

_HIDDEN = re.compile(r'<input[^>]*name="csrf_token"[^>]*value="([^"]+)"')
_ANSWER = re.compile(r'name="answer"[^>]*value="(accept|logout)"')


class Canaille:
    """`clients`: client metadata, `people`: login to e-mail address. RuntimeError, with what it printed, if it does not
    start."""

    def __init__(self, port: int, clients: Sequence[Mapping[str, object]], people: Mapping[str, str]) -> None:
        self._settings = {"port": port, "clients": clients, "people": people}
        self._process: subprocess.Popen[bytes] | None = None
        self.issuer = f"http://127.0.0.1:{port}"

    def start(self) -> Self:
        if not PYTHON.exists():
            raise RuntimeError("canaille is not installed: run `make test` once")
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self._process = subprocess.Popen(
            [PYTHON, "-P", Path(__file__).with_name("canaille_program.py"), json.dumps(self._settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        if not ready or self._process.stdout.readline() != b"ready\n":
            said = self.said()
            self.stop()
            raise RuntimeError(f"canaille did not start: {said}")
        return self

    def said(self) -> str:
        self._messages.seek(0)
        return self._messages.read().decode(errors="replace")[-4000:]

    def stop(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        # What it goes by; it takes its folder with it.
        self._process.stdin.close()
        self._process.wait(10)
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


async def through_canaille(session: ClientSession, url: str, issuer: str, login: str | None) -> str:
    """From an authorization or logout request to the URL, not yet opened, that the provider sends the browser to.

    `login` None: the person, signed in there already, refuses.
    """
    form: dict[str, str] | None = None
    for _ in range(MOST_STEPS):
        method = "GET" if form is None else "POST"
        async with session.request(method, URL(url, encoded=True), data=form, allow_redirects=False) as response:
            page, location, status = await response.text(), response.headers.get("Location"), response.status
        if location is not None:
            url, form = urljoin(url, location), None
            if not url.startswith(issuer + "/"):
                return url
            continue
        assert status == 200, f"{status} at {url}: {page[:2000]}"
        form = _filled(page, login)
    raise AssertionError(f"no way out of the provider's pages after {MOST_STEPS} steps: {url}")


def _filled(page: str, login: str | None) -> dict[str, str]:
    secret, answer = _HIDDEN.search(page), _ANSWER.search(page)
    assert secret, f"a page without a form: {page[:3000]}"
    filled = {"csrf_token": unescape(secret[1])}
    if answer:
        accepts = 'value="accept"' in page
        return filled | {"answer": "deny" if login is None else "accept" if accepts else "logout"}
    kind = "password" if 'type="password"' in page else "login"
    return filled | {kind: login or "alice"}
