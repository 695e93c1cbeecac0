"""The running demo as the checks see it: its addresses, people, log and metrics."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import aiohttp

from deploy.demo.accounts import provider_of
from deploy.demo.stack import PORTAL_HOST, Demo
from tests.browser_like import Person, Response
from tests.metrics import measured, samples_in
from tests.patience import PATIENCE

PERMIS_HOST = "permis.localhost"
SUBVENTIONS_HOST = "subventions.localhost"
SEAT = "__Host-ecluse"

_PAUSE = 0.05


@dataclass
class World:
    demo: Demo
    _people: list[Person] = field(default_factory=list)

    # --- addresses ---

    def permis(self, target: str = "/") -> str:
        return self.demo.origin(PERMIS_HOST) + target

    def subventions(self, target: str = "/") -> str:
        return self.demo.origin(SUBVENTIONS_HOST) + target

    def portal(self, target: str) -> str:
        return self.demo.origin(PORTAL_HOST) + target

    # --- people ---

    def person(self, language: str = "fr") -> Person:
        person = Person(language)
        self._people.append(person)
        return person

    async def leave(self) -> None:
        """Everybody closes their browser."""
        for person in self._people:
            await person.close()
        self._people.clear()

    async def signed_in(self, login: str, url: str = "") -> tuple[Person, Response]:
        """A new person with this account, on the page that they asked for."""
        person = self.person()
        return person, await self.sign_in(person, login, url or self.permis())

    async def sign_in(self, person: Person, login: str, url: str) -> Response:
        return await person.follow(await self.choose(person, await self.to_provider(person, login, url), login))

    async def to_provider(self, person: Person, login: str, url: str) -> Response:
        """From an address to the sign-in page of the account's provider, by the chooser where there is one."""
        page = await person.open(url)
        if page.origin == self.portal(""):
            (link,) = (link for link in page.links() if f"provider={provider_of(login)}" in link)
            page = await person.follow(await person.step("GET", link, initiator=page.url))
        assert page.origin == self.demo.issuer(provider_of(login)), f"not at the provider: {page.status} {page.url}"
        return page

    async def choose(self, person: Person, page: Response, login: str) -> Response:
        """The account is picked on the provider's page; the answer is the redirect back, not yet followed."""
        (form,) = page.forms()
        answer = await person.post(form.action, urlencode([*form.fields, ("account", login)]))
        if not answer.location and "SAMLResponse" in answer.text:
            # The provider's page sends its form to us by itself.
            (form,) = answer.forms()
            answer = await person.post(form.action, urlencode(form.fields), initiator=answer.url)
        assert answer.location, f"{login} was not taken: {answer.status}"
        return answer

    async def stop_before(self, person: Person, response: Response, path: str) -> Response:
        """Follows until the next step would ask for `path`; the redirect that leads there."""
        while not urlsplit(response.location).path.startswith(path):
            assert response.location, f"never led to {path}: {response.status} {response.url}"
            response = await person.step("GET", response.location, initiator=response.url)
        return response

    # --- the gateway's own words ---

    def log_mark(self) -> int:
        """Where the log ends now."""
        return self.demo.gateway.log.stat().st_size

    def log_text(self, mark: int = 0) -> str:
        return self.demo.gateway.log.read_bytes()[mark:].decode("utf-8", "replace")

    def log_lines(self, mark: int = 0) -> list[dict[str, object]]:
        # The last may be half written.
        whole = self.log_text(mark).rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    async def logged(self, mark: int, **fields: object) -> dict[str, object]:
        """The first line since `mark` with these fields. AssertionError if none comes."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for line in self.log_lines(mark):
                        if fields.items() <= line.items():
                            return line
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise AssertionError(f"not in the log: {fields}; there is {self.log_text(mark)[-1500:]}") from None

    async def admin(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.demo.ports.admin}{path}"
        async with aiohttp.request("GET", url) as answer:
            return answer.status, await answer.text()

    async def metrics(self) -> dict[str, float]:
        """By name and labels as exposed, and by name alone their sum."""
        _, text = await self.admin("/metrics")
        return samples_in(text)

    async def measured(self, holds: Callable[[dict[str, float]], object]) -> dict[str, float]:
        """The metrics once they are so. AssertionError if they never are."""
        return await measured(self.metrics, holds)

    # --- policies ---

    def read_policy(self, path: str) -> str:
        return (self.demo.folder / "policies" / path).read_text()

    @asynccontextmanager
    async def policy(self, path: str, text: str, *, event: str = "config.loaded") -> AsyncIterator[dict[str, object]]:
        """This file reads so meanwhile, and is told to the gateway; `event`: what it should make of it."""
        good = self.read_policy(path)
        assert text != good, "nothing is changed"
        try:
            yield await self._reload_with(path, text, event)
        finally:
            await self._reload_with(path, good, "config.loaded")

    async def _reload_with(self, path: str, text: str, event: str) -> dict[str, object]:
        """Writes a policy file and sends SIGHUP; the log line that tells the outcome."""
        mark = self.log_mark()
        (self.demo.folder / "policies" / path).write_text(text)
        self.demo.gateway.signal_reload()
        return await self.logged(mark, event=event)
