"""The gateway with one SAML provider that others wrote, and people who go through that provider's pages."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from gateway.config.compile.gateway import service_provider
from gateway.saml.parties import KeyPair
from gateway.saml.sp_metadata import sp_metadata
from tests.browser_like import Form, Person, Response
from tests.idp.keys import Pair, new_pair
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, TWO, Place
from tests.walks.upstream import Upstream
from tests.walks.world import SEAT

MOST_STEPS = 20
_REFRESH = re.compile(r'http-equiv="refresh" content="\d+; *url=([^"]+)"', re.IGNORECASE)


@dataclass
class SamlWorld:
    place: Place
    gateway: Gateway
    provider: str
    people: list[Person] = field(default_factory=list)

    def person(self) -> Person:
        person = Person("en")
        self.people.append(person)
        return person

    def metadata(self) -> str:
        """What a provider's administrator would download, had the gateway been started before the provider."""
        sp = service_provider(self.place.portal("").rstrip("/"), (self.own,), entity_id=self.entity_id)
        return sp_metadata(sp, id="_ours", service_name="walks").decode()

    @property
    def own(self) -> KeyPair:
        certs = self.place.folder / "certs"
        return KeyPair("k1", (certs / "saml.key").read_bytes(), (certs / "saml.crt").read_bytes())

    @property
    def entity_id(self) -> str:
        return self.place.portal("/_ecluse/saml/metadata")

    async def signed_in(self, login: str, url: str = "") -> Person:
        person = self.person()
        page = await self.through(person, await person.open(url or self.place.url()), login)
        assert page.status == 200, f"{page.status} {page.url}: {page.text[:800]}"
        assert page.url == (url or self.place.url()), f"{page.url}: {page.text[:800]}"
        return person

    async def through(self, person: Person, page: Response, login: str) -> Response:
        """From page to page as long as there is a form of the provider's to send: to sign in, confirm, or go on."""
        for _ in range(MOST_STEPS):
            form = _to_send(page, self.place)
            if form is None:
                return page
            values = [(name, login) for name in ("user", "password", "login") if f'name="{name}"' in page.text]
            kept = tuple(pair for pair in form.fields if pair[0] not in dict(values))
            page = await person.submit(page, Form(form.action, form.method, kept, ()), values)
        raise AssertionError(f"no way out of the provider's pages: {page.url}")

    async def goes_on(self, person: Person, page: Response, login: str = "") -> Response:
        """The same, and from a page that goes on by itself (meta refresh) as a browser does."""
        for _ in range(MOST_STEPS):
            page = await self.through(person, page, login)
            found = _REFRESH.search(page.text)
            if found is None:
                return page
            page = await person.follow(await person.step("GET", unescape(found[1]), initiator=page.url))
        raise AssertionError(f"round in circles: {page.url}")

    async def signs_out(self, person: Person, host: str = ONE) -> Response:
        page = await person.open(self.place.url(host, "/_ecluse/logout"))
        return await self.goes_on(person, await person.submit(page, page.forms()[0]))

    def cookie(self, person: Person, host: str = ONE) -> str:
        return f"{SEAT}={person.jar.get(host, SEAT)}"

    async def asks_for_a_second_opinion(self) -> None:
        """From here on nobody is signed in whose response the other implementation refuses."""
        own = self.place.settings["saml"].partition(", second_opinion")[0].removesuffix("}")
        self.place.settings["saml"] = f"{own}, second_opinion: {{by: python3-saml, mode: deny}}}}"
        self.place.write_gateway()
        await self.gateway.reload()

    async def opinions(self, number: int) -> dict[str, float]:
        """How many it gave of each, once it has given so many."""
        names = {
            one: f'ecluse_saml_second_opinion_total{{by="python3-saml",verdict="{one}"}}'
            for one in ("agree", "disagree", "failed")
        }
        found = await self.gateway.measured(lambda told: sum(told.get(name, 0) for name in names.values()) >= number)
        return {one: found[name] for one, name in names.items()}

    async def is_signed_in(self, person: Person, host: str = ONE) -> bool:
        return (await person.script(self.place.url(host, "/_ecluse/session"))).status == 200


def _to_send(page: Response, place: Place) -> Form | None:
    """A form on a provider's page, or one of ours that goes to a provider."""
    ours = page.url.startswith((place.url(), place.url(TWO), place.portal("/")))
    forms = [form for form in page.forms() if form.method == "post" or not ours]
    if ours:
        forms = [form for form in forms if not form.action.startswith((place.url(), place.url(TWO), place.portal("/")))]
    return forms[0] if forms and page.status == 200 else None


def write_saml_provider(place: Place, entity_id: str, metadata: str, *, saml: str = "", attributes: str) -> None:
    """`metadata`: a flow mapping; `saml`: further lines of that section."""
    place.write(
        "providers/idp.yaml",
        f"version: 1\nprovider: idp\nsaml:\n  entity_id: {entity_id}\n  metadata: {metadata}\n{saml}"
        f"attributes: {attributes}\n",
    )


@asynccontextmanager
async def saml_opened(folder: Path, *, workers: int = 2) -> AsyncIterator[SamlWorld]:
    """Everything but the provider, whose file is still to be written before `gateway.start`."""
    place = Place(folder, workers=workers)
    own: Pair = new_pair("ecluse")
    (place.folder / "certs/saml.key").write_text(own.key)
    (place.folder / "certs/saml.crt").write_text(own.certificate)
    place.settings["saml"] = (
        "{keys: [{id: k1, key: {file: ../certs/saml.key}, certificate: {file: ../certs/saml.crt}}]}"
    )
    place.write_gateway()
    place.write_app("one", ONE, providers="idp", logout="{scope: global}")
    place.write_app("two", TWO, providers="idp")
    upstream, gateway = Upstream(), Gateway(place)
    world = SamlWorld(place, gateway, "idp")
    await upstream.start(place.upstream_port)
    try:
        yield world
        gateway.is_clean()
    finally:
        for person in world.people:
            await person.close()
        await gateway.end()
        await upstream.stop()
