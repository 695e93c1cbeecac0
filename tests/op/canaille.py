"""Canaille from its package index as OpenID Provider, for as long as a `with` lasts."""

import json
import re
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Self
from urllib.parse import urljoin

from aiohttp import ClientSession
from yarl import URL

from tests.op.program import Program

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-canaille/bin/python"
MOST_STEPS = 12

_HIDDEN = re.compile(r'<input[^>]*name="csrf_token"[^>]*value="([^"]+)"')
_ANSWER = re.compile(r'name="answer"[^>]*value="(accept|logout)"')


class Canaille(Program):
    """`clients`: client metadata, `people`: login to e-mail address. RuntimeError, with what it printed, if it does not
    start."""

    def __init__(self, port: int, clients: Sequence[Mapping[str, object]], people: Mapping[str, str]) -> None:
        super().__init__("canaille")
        self._settings = {"port": port, "clients": clients, "people": people}
        self.issuer = f"http://127.0.0.1:{port}"

    def start(self) -> Self:
        if not PYTHON.exists():
            raise RuntimeError("canaille is not installed: run `make test` once")
        self._announced([PYTHON, "-P", Path(__file__).with_name("canaille_program.py"), json.dumps(self._settings)])
        return self


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
