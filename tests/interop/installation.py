"""`ecluse serve` with two workers before applications that others wrote; people sign in at npm oidc-provider."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser_like import Person, Response
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, through_provider
from tests.raw_http import Connection, Header, Reading
from tests.walks.gateway import Gateway
from tests.walks.place import Place

SEAT = "__Host-ecluse"
SECRET = "a-secret-of-the-tests"
ACCOUNTS = {
    "helene": {
        "preferred_username": "helene",
        "family_name": "Lebœuf-Müller",
        "email": "helene@corp.example",
        "groups": ["agents", "administrateurs"],
    },
    # No family name.
    "paul": {"preferred_username": "paul", "email": "paul@corp.example", "groups": ["agents"]},
}


@dataclass(frozen=True, slots=True)
class App:
    """`lines`: further keys of its file, as YAML text; `rules`: in place of public, admin and the rest."""

    name: str
    port: int
    lines: dict[str, str] = field(default_factory=dict)
    rules: str = ""

    @property
    def host(self) -> str:
        return f"{self.name}.localhost"


RULES = (
    "  - {path: /public/**, allow: anyone}\n"
    "  - {path: /admin/**, allow: {group: administrateurs}}\n"
    "  - {path: /**, allow: signed_in}\n"
)


@dataclass
class Installation:
    place: Place
    gateway: Gateway
    issuer: str
    _people: list[Person] = field(default_factory=list)
    _kept: dict[tuple[str, str], Person] = field(default_factory=dict)

    def url(self, app: App, target: str = "/") -> str:
        return self.place.url(app.host, target)

    def person(self) -> Person:
        person = Person()
        self._people.append(person)
        return person

    async def signed_in(self, app: App, login: str = "helene") -> Person:
        """Signed in at the provider on the first call for this app and login; the same person afterwards."""
        if (app.name, login) not in self._kept:
            person = self.person()
            page = await self.sign_in(person, login, self.url(app))
            assert person.jar.get(app.host, SEAT), f"{page.status} {page.url}: {page.text[:500]}"
            self._kept[app.name, login] = person
        return self._kept[app.name, login]

    async def sign_in(self, person: Person, login: str, asked: str) -> Response:
        """From the page asked for, by the provider's own pages, to where it ends."""
        page = await person.step("GET", asked)
        while not page.location.startswith(self.issuer):
            assert page.location, f"not on the way to the provider: {page.status} {page.url}: {page.text[:500]}"
            page = await person.step("GET", page.location, initiator=page.url)
        async with browser() as at_provider:
            back = await through_provider(at_provider, page.location, self.issuer, login)
        return await person.follow(await person.step("GET", back, initiator=self.issuer + "/"))

    def seat(self, person: Person | None, app: App) -> str:
        """A Cookie line, or nothing."""
        return "" if person is None else f"Cookie: {SEAT}={person.jar.get(app.host, SEAT)}\r\n"

    async def raw(self, request: bytes, *, head_only: bool = False) -> Reading:
        """On a connection of its own."""
        connection = await Connection.open(f"http://127.0.0.1:{self.place.port}")
        try:
            return await connection.exchange(request, head_only=head_only)
        finally:
            await connection.close()

    async def leave(self) -> None:
        for person in self._people:
            await person.close()


async def direct(port: int, target: str, headers: Sequence[Header] = ()) -> Reading:
    """Past the gateway: what the server makes of it by itself."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    connection = await Connection.open(f"http://127.0.0.1:{port}")
    try:
        request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}Connection: close\r\n\r\n"
        return await connection.exchange(request.encode("latin-1"))
    finally:
        await connection.close()


@asynccontextmanager
async def installed(folder: Path, apps: Sequence[App], place: Place | None = None) -> AsyncIterator[Installation]:
    """`place`: where an application has to know its address before it starts."""
    place = place or Place(folder / "gateway")
    client = {
        "client_id": "ecluse",
        "client_secret": SECRET,
        "redirect_uris": [place.portal("/_ecluse/callback/alpha")],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    with OpenIdProvider([client], ACCOUNTS, claims={"rights": ["groups"]}) as provider:
        place.write_provider("alpha", provider.issuer, scopes="[openid, profile, email, rights]", userinfo="true")
        for app in apps:
            upstream = f"{{url: http://127.0.0.1:{app.port}}}"
            place.write_app(app.name, app.host, access=app.rules or RULES, **{"upstream": upstream, **app.lines})
        here = Installation(place, Gateway(place), provider.issuer)
        try:
            await here.gateway.start()
            yield here
            here.gateway.is_clean()
        finally:
            await here.leave()
            await here.gateway.end()
