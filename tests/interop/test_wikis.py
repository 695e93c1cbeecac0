"""PHP-FPM behind nginx, and two applications in PHP that others wrote: their people are signed in, and their links lead
to the public address."""

import gzip
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urljoin

import pytest

from deploy.demo.ports import free
from tests.interop.fpm import DOKUWIKI_HOST, MEDIAWIKI_HOST, NAME, SECRET, dokuwiki, mediawiki, php_fpm, told
from tests.interop.name_bytes import HEADERS, SENT
from tests.proxy.gateways import Answer, Gateway, ask, gateway

pytestmark = pytest.mark.service

PUBLIC = "http://permis.localhost:8080"
APP = """version: 1
app: permis
hosts: [permis.localhost]
upstream: {{url: http://127.0.0.1:{port}{host}}}
providers: [metropole]
translate: {translate}
{more}
access:
  - {{path: /**, allow: signed_in}}
"""
HELENE = {"uid": "helene", "given_name": "Hélène", "family_name": "Lebœuf-Müller"}


@dataclass(frozen=True, slots=True)
class Ports:
    told: int
    dokuwiki: int
    mediawiki: int


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    folder, ports = tmp_path_factory.mktemp("fpm"), Ports(*free(3))
    wikis = dokuwiki(folder / "dokuwiki", ports.dokuwiki), mediawiki(folder / "mediawiki", ports.mediawiki)
    with php_fpm(folder, [told(ports.told), *wikis]):
        yield ports


@dataclass
class Browser:
    """Hélène's, with what the application sets."""

    gate: Gateway
    seat: bytes
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, url: str, *lines: bytes) -> Answer:
        return await self._ask("GET", url, lines)

    async def post(self, url: str, form: dict[str, str]) -> Answer:
        body = urlencode(form).encode()
        lines = (b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: %d" % len(body))
        return await self._ask("POST", url, lines, body)

    async def _ask(self, method: str, url: str, lines: tuple[bytes, ...], body: bytes = b"") -> Answer:
        target = urljoin(PUBLIC, url)
        assert target.startswith(PUBLIC), f"it leads elsewhere: {target}"
        own = "".join(f"; {name}={value}" for name, value in self.cookies.items())
        line = f"{method} {target.removeprefix(PUBLIC) or '/'}".encode()
        answer = await self.gate.once(ask(line, self.seat + own.encode(), b"Accept-Encoding: gzip", *lines, body=body))
        for cookie in answer.values(b"Set-Cookie"):
            pair, *attributes = cookie.decode().split(";")
            assert not [one for one in attributes if one.strip().lower().startswith("domain")], cookie
            name, _, value = pair.partition("=")
            self.cookies[name] = value
        return answer


@asynccontextmanager
async def before(
    port: int, translate: str, more: str = "", host: str = "", secrets: dict[str, bytes] | None = None
) -> AsyncIterator[Browser]:
    """`host`: the name by which the application is told to know itself."""
    text = APP.format(port=port, host=f", host: {host}" if host else "", translate=translate, more=more)
    async with gateway(0, changes={"apps/permis.yaml": text}, secrets=secrets) as gate:
        yield Browser(gate, gate.sign_in(**HELENE))


def located(answer: Answer) -> str:
    assert answer.status in (301, 302, 303), answer.head
    (found,) = answer.values(b"Location")
    return found.decode()


def text_of(answer: Answer, inside: str) -> str:
    assert answer.status == 200, answer.head
    text = answer.body.decode()
    assert inside not in text.replace("\\/", "/"), "an address that no browser can reach"
    return text


# --- PHP-FPM ---


async def test_a_name_arrives_in_each_encoding_byte_by_byte_and_remote_user_as_the_server_makes_it(
    ports: Ports,
) -> None:
    async with before(ports.told, f"{{headers: {{X-Remote-User: {{from: uid}}, {HEADERS}}}}}") as browser:
        for forged in (b"X_Remote_User: forged", b"Remote-User: forged", b"X-Remote-User: forged", b"X-Note: a"):
            found = json.loads((await browser.get("/any", forged)).body)
            assert bytes.fromhex(found["remote_user"]) == b"helene"
            names = {name: bytes.fromhex(value) for name, value in found["headers"].items() if "_NOM_" in name}
            assert names == {f"HTTP_NOM_{one.upper().replace('-', '_')}": sent for one, sent in SENT.items()}


# --- DokuWiki, which takes HTTP Basic, and writes whole addresses (`canonical`) ---

BASIC = f"{{basic: {{account: {{from: uid}}, password: {{file: {DOKUWIKI_HOST}.secret}}}}}}"
REWRITE = "rewrite: {headers: true, bodies: true}"


async def test_dokuwiki_knows_who_it_is_and_a_page_is_written_by_its_public_address(ports: Ports) -> None:
    secrets = {f"file:{DOKUWIKI_HOST}.secret": SECRET.encode()}
    async with before(ports.dokuwiki, BASIC, REWRITE, DOKUWIKI_HOST, secrets) as browser:
        page = text_of(await browser.get("/"), DOKUWIKI_HOST)
        assert NAME in page
        (guide,) = {unescape(one) for one in re.findall(r'href="([^"]*id=permis:guide)"', page)}
        assert guide == f"{PUBLIC}/doku.php?id=permis:guide"

        form = text_of(await browser.get(f"{guide}&do=edit"), DOKUWIKI_HOST)
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        written = {**hidden, "wikitext": "====== Guide ======\nŒuvre de Hélène.", "do[save]": "1"}
        saved = await browser.post("/doku.php", written)
        shown = text_of(await browser.get(located(saved)), DOKUWIKI_HOST)
        assert "Œuvre de Hélène." in shown

        (sheet,) = {unescape(one) for one in re.findall(r'href="([^"]*css\.php[^"]*)"', page)}
        style = await browser.get(sheet)
        assert style.values(b"Content-Type")[0].startswith(b"text/css")
        assert DOKUWIKI_HOST.encode() not in style.body


async def test_dokuwikis_own_link_for_signing_out_signs_out_here(ports: Ports) -> None:
    secrets = {f"file:{DOKUWIKI_HOST}.secret": SECRET.encode()}
    links = "logout: {links: ['/doku.php?do=logout']}"
    async with before(ports.dokuwiki, BASIC, f"{REWRITE}\n{links}", DOKUWIKI_HOST, secrets) as browser:
        page = text_of(await browser.get("/doku.php?id=start"), DOKUWIKI_HOST)
        (link,) = {unescape(one) for one in re.findall(r'href="([^"]*do=logout[^"]*)"', page)}
        assert not browser.gate.portal.asked
        await browser.get(link)
        (asked,) = browser.gate.portal.asked
        assert asked.call.purpose == "logout"


async def test_by_another_secret_nobody_is_known_and_without_the_switch_links_lead_inside(ports: Ports) -> None:
    """Or the test above would prove nothing."""
    secrets = {f"file:{DOKUWIKI_HOST}.secret": b"another-secret-altogether"}
    async with before(ports.dokuwiki, BASIC, REWRITE, DOKUWIKI_HOST, secrets) as browser:
        assert NAME.encode() not in (await browser.get("/")).body
    for port, host, page in (
        (ports.dokuwiki, DOKUWIKI_HOST, "/doku.php"),
        (ports.mediawiki, MEDIAWIKI_HOST, "/index.php?title=Accueil"),
    ):
        async with before(port, "{headers: {}}", "rewrite: {headers: true}", host) as browser:
            shown = await browser.get(page)
            body = gzip.decompress(shown.body) if shown.values(b"Content-Encoding") == [b"gzip"] else shown.body
            assert host.encode() in body


# --- MediaWiki, which redirects to whole addresses, and has them in its pages and scripts ---


async def test_mediawiki_knows_who_it_is_and_all_its_links_lead_to_the_public_address(ports: Ports) -> None:
    person = '{headers: {X-Remote-User: {template: "{given_name} {family_name}"}}}'
    async with before(ports.mediawiki, person, REWRITE, MEDIAWIKI_HOST) as browser:
        first = located(await browser.get("/"))
        assert first.startswith(f"{PUBLIC}/index.php")
        page = text_of(await browser.get(first), MEDIAWIKI_HOST)
        assert unescape(page).count(NAME) > 1, "who is signed in"
        assert f'href="{PUBLIC}/' in page
        site = json.loads((await browser.get("/api.php?action=query&meta=siteinfo|userinfo&format=json")).body)["query"]
        assert site["userinfo"]["name"] == NAME
        assert (site["general"]["base"].partition("/index.php")[0], site["general"]["server"]) == (PUBLIC, PUBLIC)


async def test_a_page_of_mediawiki_whose_name_has_a_semicolon(ports: Ports) -> None:
    page = "/wiki/Budget;2027%3BAnnexe"
    for paths, shown in (("", ""), ("paths: {semicolon: literal}", "Budget;2027;Annexe")):
        async with before(ports.mediawiki, "{headers: {}}", f"{REWRITE}\n{paths}", MEDIAWIKI_HOST) as browser:
            answer = await browser.get(page)
            # It is not written yet: MediaWiki offers to.
            assert answer.status == (404 if shown else 400), answer.head
            title = re.search(r'"wgTitle":"([^"]*)"', answer.body.decode())
            assert (title[1] if title else "") == shown


async def test_a_picture_of_mediawiki_can_be_resumed(ports: Ports) -> None:
    async with before(ports.mediawiki, "{headers: {}}", REWRITE, MEDIAWIKI_HOST) as browser:
        picture = "/resources/assets/licenses/cc-0.png"
        whole = await browser.get(picture)
        part = await browser.get(picture, b"Range: bytes=100-199", b"If-Range: " + whole.values(b"ETag")[0])
        assert (whole.status, part.status, part.body) == (200, 206, whole.body[100:200])
        # Of a script, all comes.
        script = await browser.get("/resources/src/startup/startup.js", b"Range: bytes=0-9")
        assert (script.status, len(script.body) > 1000) == (200, True)
