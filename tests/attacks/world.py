"""Everything that an attack needs: the gateway, what stands behind it, who signs in, and the gateway's own words."""

import asyncio
import re
import shutil
import ssl
import sys
from base64 import b64encode
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self

import trustme

from deploy.demo.ports import free
from deploy.demo.processes import Child
from tests.attacks import office_table, saml_providers, scratch
from tests.attacks.cases import Failed, expect
from tests.attacks.exchange import Door, Exchange, exchange
from tests.attacks.provider import Issuer, Providers
from tests.attacks.recorder import Recorder, Script
from tests.attacks.relay import Relay
from tests.attacks.scratch import SCRATCH
from tests.browser_like import Person, Response
from tests.cookie_jar import Jar
from tests.patience import PATIENCE
from tests.walks.gateway import Gateway, Where

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PORTAL = "portail.localhost"
SEAT = "__Host-ecluse"
BINDING = "__Host-ecluse-b"
MARK = b"forged-by-a-client"
SHARED_KEY = bytes(range(32))
ACCOUNT_SECRET = "the-one-secret-of-accounts"
SCIM_TOKEN, OTHER_SCIM_TOKEN = "of-alphas-directory-" * 2, "of-betas-directory-" * 2
FRONT_SECRET = "0123456789abcdef" * 4

# The ports of the policy files, and what listens there.
USUAL = {
    "public": 8080, "tls": 8443, "admin": 8081, "recorder": 9001, "php": 9003, "wsgi": 9004, "untrusted": 9005,
    "alpha": 9400, "beta": 9401,
}  # fmt: skip
# The names in the listener's certificate.
TLS_APPS = ("prefix-public", "prefix-deny", "rewritten", PORTAL)
_PORT = re.compile(r"(?<=localhost:|127\.0\.0\.1:)\d+\b")


class Closes(Protocol):
    async def close(self) -> None: ...


@dataclass
class World:
    """`door`: where attacks knock, the gateway's public port.
    `stand_in`: the same world with a permissive stand-in in the gateway's place.
    `looked_until`: where the log ended when it was last searched for faults."""

    folder: Path
    ports: dict[str, int]
    recorder: Recorder
    alpha: Issuer
    beta: Issuer
    scratch: dict[str, Issuer]
    gateway: Gateway
    door: Door
    patience: float = PATIENCE
    authority: ssl.SSLContext | None = None
    is_gateway: bool = True
    stand_in: "World | None" = None
    looked_until: int = 0
    _cookies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _people: dict[str, Person] = field(default_factory=dict)
    _open: list[Closes] = field(default_factory=list)

    # --- addresses ---

    def url(self, app: str, target: str = "/") -> str:
        return f"http://{host(app)}:{self.ports['public']}{target}"

    def portal(self, target: str) -> str:
        return f"http://{PORTAL}:{self.ports['public']}{target}"

    def behind_proxy(self) -> "World":
        """The same world, seen from the listed proxy's address."""
        return replace(self, door=replace(self.door, source="127.0.0.2"))

    # --- attacks ---

    async def send(
        self,
        data: bytes | list[bytes],
        *,
        expected: int = 1,
        within: float = PATIENCE,
        pause: float = 0.0,
        heads: frozenset[int] = frozenset(),
        to_the_end: bool = False,
    ) -> Exchange:
        """As `exchange`; the recorder has what reached it meanwhile, and nothing from before."""
        self.recorder.forget()
        limit = min(within, self.patience)
        seen = await exchange(
            self.door, data, expected=expected, within=limit, pause=pause, heads=heads, to_the_end=to_the_end
        )
        await self.recorder.settled()
        return seen

    # --- people ---

    async def sign_in(
        self, login: str, url: str, *, person: Person | None = None, provider: str = "alpha"
    ) -> tuple[Person, Response]:
        """To the page that the sign-in ends on, whatever that is."""
        person = person or self.guest()
        return person, await self.follow(person, await person.step("GET", url), login, provider)

    async def follow(self, person: Person, page: Response, login: str, provider: str = "alpha") -> Response:
        """Goes on from a page, by redirects: `login` is picked at the provider, the provider at the portal."""
        for _ in range(20):
            link = page.location or self._choice(page, provider)
            if not link:
                return page
            if "/authorize?" in link:
                link += f"&as={login}"
            page = await person.step("GET", link, initiator=page.url)
        raise Failed(f"the sign-in of {login} goes round in circles: {page.url}")

    async def until(self, person: Person, page: Response, word: str, login: str, provider: str = "alpha") -> Response:
        """As `follow`, but stops before the step whose URL holds `word`: the redirect that leads there."""
        for _ in range(20):
            link = page.location or self._choice(page, provider)
            expect(link != "", f"never led to {word}: {page.status} {page.url}")
            if word in link:
                return page
            if "/authorize?" in link:
                link += f"&as={login}"
            page = await person.step("GET", link, initiator=page.url)
        raise Failed(f"never led to {word}: {page.url}")

    def _choice(self, page: Response, provider: str) -> str:
        if page.status != 200 or "/_ecluse/start?" not in page.url:
            return ""
        return next((link for link in page.links() if link.endswith(f"provider={provider}")), "")

    async def cookie(self, app: str, login: str = "alice", provider: str = "alpha") -> bytes:
        """The Cookie value of a person who is signed in at this app; made at the first call."""
        key = (app, f"{provider}/{login}")
        if key not in self._cookies:
            person = self.person(key[1])
            await self.sign_in(login, self.url(app, "/_ecluse/login?to=/"), person=person, provider=provider)
            value = person.jar.get(host(app), SEAT)
            expect(value is not None, f"{login} could not sign in to {app}")
            self._cookies[key] = f"{SEAT}={value}".encode()
        return self._cookies[key]

    def person(self, name: str) -> Person:
        """A browser that is kept until the end, made at the first call."""
        return self._people.setdefault(name, Person("en"))

    def guest(self, jar: Jar | None = None) -> Person:
        """A new browser, closed after this case."""
        guest = Person("en", jar=jar or Jar())
        self.close_afterwards(guest)
        return guest

    def close_afterwards(self, one: Closes) -> None:
        self._open.append(one)

    async def close_all(self) -> None:
        """After a case."""
        for one in self._open:
            await one.close()
        self._open.clear()

    async def leave(self) -> None:
        for person in self._people.values():
            await person.close()

    # --- the gateway's own words ---

    async def logged(self, mark: int, **fields: object) -> dict[str, object]:
        """The first line since `mark` with these fields; on a machine with much to do, a reload takes many seconds."""
        try:
            return await self.gateway.logged(mark, within=self.patience, **fields)
        except AssertionError as error:
            raise Failed(str(error)) from None

    def faults(self, mark: int) -> list[str]:
        """Every `gateway.fault`, every death of a worker, and whatever stands on standard error: a traceback."""
        bad = ("gateway.fault", "worker.died", "log.unknown_event")
        told = [str(line) for line in self.gateway.lines(mark) if line["event"] in bad]
        return [*told, *self.gateway.errors().splitlines()]

    def memory(self) -> int:
        """Bytes resident in all workers together."""
        statm = [Path(f"/proc/{pid}/statm").read_text() for pid in self.gateway.workers()]
        return sum(int(told.split()[1]) for told in statm) * 4096


def host(app: str) -> str:
    return app if "." in app else f"{app}.localhost"


def free_ports(names: list[str]) -> dict[str, int]:
    return dict(zip(names, free(len(names)), strict=True))


class Stage:
    """Starts it all in `folder`, and stops it. `optimised`: the gateway runs without asserts, as under `python -O`."""

    def __init__(self, folder: Path, *, optimised: bool = False) -> None:
        self._folder = folder
        self._optimised = optimised
        self._started = AsyncExitStack()
        self.ports = free_ports(list(USUAL))
        self.world: World

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._started.aclose()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._started.aclose()

    async def _start(self) -> None:
        authority = self._make_keys()
        recorder = Recorder()
        await recorder.start(self.ports["recorder"])
        self._started.push_async_callback(recorder.stop)
        alpha, beta = Providers(self.ports["alpha"]), Providers(self.ports["beta"])
        for providers in (alpha, beta):
            await providers.start()
            self._started.push_async_callback(providers.stop)
        issuers = {name: alpha.add(name, "scratch") for name in SCRATCH}
        self._write_policies()
        await self._start_servers()
        where = Where(self._folder, self.ports["admin"])
        gateway = Gateway(where, environment={"PYTHONOPTIMIZE": "1"} if self._optimised else {})
        self._started.push_async_callback(gateway.end)
        await gateway.start()
        self.world = World(
            folder=self._folder, ports=self.ports, recorder=recorder, alpha=alpha.add("alpha"), beta=beta.add("beta"),
            scratch=issuers, gateway=gateway, door=Door(self.ports["public"]), authority=authority,
        )  # fmt: skip
        self._started.push_async_callback(self.world.leave)
        relay = Relay(self.ports["recorder"])
        await relay.start()
        self._started.push_async_callback(relay.stop)
        self.world.stand_in = replace(self.world, door=Door(relay.port), patience=0.15, is_gateway=False)
        for claims in self.world.beta.people.values():
            claims["email"] = str(claims["email"]).partition("@")[0] + "@beta.example"
        scratch.prepare(issuers, self.world.alpha.url)

    def _make_keys(self) -> ssl.SSLContext:
        """The listener's certificate; another one, of another authority, for the upstream that nobody trusts."""
        certs = self._folder / "certs"
        certs.mkdir()
        (certs / "store.key").write_text("0123456789abcdef" * 4)
        (certs / "shared.base64").write_bytes(b64encode(SHARED_KEY))
        (certs / "account.secret").write_text(ACCOUNT_SECRET)
        (certs / "links.key").write_text("of-the-links-0123456789" * 3)
        (certs / "scim.key").write_text("of-what-is-told-0123456789" * 2)
        (certs / "alpha.scim").write_text(SCIM_TOKEN)
        (certs / "beta.scim").write_text(OTHER_SCIM_TOKEN)
        (certs / "front.secret").write_text(FRONT_SECRET)
        context = ssl.create_default_context()
        authority = trustme.CA()
        authority.configure_trust(context)
        for name, issuing in (("tls", authority), ("untrusted", trustme.CA())):
            issued = issuing.issue_cert("127.0.0.1", *map(host, TLS_APPS))
            (certs / f"{name}.pem").write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
            (certs / f"{name}.key").write_bytes(issued.private_key_pem.bytes())
        return context

    def _write_policies(self) -> None:
        policies = self._folder / "policies"
        shutil.copytree(HERE / "policies", policies)
        for path in policies.rglob("*.yaml"):
            path.write_text(self.with_ports(path.read_text()))
        office_table.make(self._folder / "offices.db")
        template = (policies / "providers/alpha.yaml").read_text()
        for name in SCRATCH:
            text = scratch.file_of(name, template, self.ports["alpha"])
            (policies / f"providers/{name}.yaml").write_text(text)
        saml_providers.write(self._folder, (policies / "apps/both.yaml").read_text())
        app = (policies / "apps/beta-only.yaml").read_text().replace("beta-only", "scratch")
        (policies / "apps/scratch.yaml").write_text(app.replace("[beta]", f"[alpha, {', '.join(SCRATCH)}]"))

    def with_ports(self, text: str) -> str:
        moved = {str(USUAL[name]): str(port) for name, port in self.ports.items()}
        return _PORT.sub(lambda found: moved.get(found[0], found[0]), text)

    async def _start_servers(self) -> None:
        """PHP and WSGI, in processes of their own: they answer with what they think that they were told."""
        if shutil.which("php") is None:
            raise Failed("php is missing: tools/install_test_parts.sh php installs it")
        commands = {
            "php": ["php", "-S", f"127.0.0.1:{self.ports['php']}", str(HERE / "servers/echo.php")],
            "wsgi": [sys.executable, str(HERE / "servers/echo_wsgi.py"), str(self.ports["wsgi"])],
        }
        for name, command in commands.items():
            child = await Child.start(name, command, folder=HERE / "servers", log=self._folder / f"{name}.log")
            self._started.push_async_callback(child.stop, 1.0)
        certs = self._folder / "certs"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certs / "untrusted.pem", certs / "untrusted.key")
        server = await asyncio.start_server(_answer, "127.0.0.1", self.ports["untrusted"], ssl=context)
        self._started.callback(server.close)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        if await reader.read(65536):
            writer.write(Script().answer)
    except OSError:
        pass
    finally:
        writer.close()
