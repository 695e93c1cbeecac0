"""The running demo as the checks see it: its addresses, people, log and metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from deploy.demo.accounts import provider_of
from deploy.demo.stack import PORTAL_HOST, Demo
from tests.browser_like import Person, Response
from tests.running import Running, workers_of

PERMIS_HOST = "permis.localhost"
SUBVENTIONS_HOST = "subventions.localhost"
SEAT = "__Host-ecluse"


@dataclass
class World:
    demo: Demo
    _people: list[Person] = field(default_factory=list)

    @property
    def gateway(self) -> Running:
        return Running(self.demo.gateway.log, self.demo.ports.admin)

    def workers(self) -> list[int]:
        return workers_of(self.demo.gateway.pid)

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
        mark = self.gateway.mark()
        (self.demo.folder / "policies" / path).write_text(text)
        self.demo.gateway.signal_reload()
        return await self.gateway.logged(mark, event=event)
