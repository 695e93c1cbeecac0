"""What a sign-in by SAML costs the gateway: the provider and the browser are in this process, not counted."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from secrets import token_hex
from statistics import median
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from lxml import etree

from gateway.saml.bindings import inflated
from tests.bench.login import WARMING, Ports, at_once, each, spent
from tests.bench.processes import loop_seconds
from tests.bench.site import HOST, Site
from tests.portal.browser import Browser, Reply
from tests.saml.idp import Scene, assertion, build, encrypt, sign
from tests.saml.parties import certificate_text, pair

IDP = "https://idp.metropole.example"
KEY, OURS = pair("idp"), pair("sp-1")
_PROVIDER = f"""
version: 1
provider: op
saml:
  entity_id: {IDP}/metadata
  metadata: {{file: ../idp.xml}}
  encrypted: true
  common: [mail]
attributes: {{uid: NameID, groups: groups, family_name: sn}}
tenant: mail
asserts: {{email_domains: [metropole.example]}}
"""
_METADATA = (
    f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}/metadata">'
    '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">'
    '<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
    f"<X509Certificate>{certificate_text(KEY)}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
    '<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
    f'Location="{IDP}/sso"/></IDPSSODescriptor></EntityDescriptor>'
)
_SAML = "saml: {keys: [{id: k1, key: {file: ../saml.key}, certificate: {file: ../saml.crt}}]}\n"


def row(folder: Path, ports: Ports, upstream: int, slow: int, runs: int, people: int) -> dict[str, object]:
    """`cpu_us`: from the provider's form to the session and on to the application, the assertion signed (RSA-2048) and
    encrypted (AES-GCM under RSA-OAEP); `off_loop_cpu_us`: what of it is done by other threads than that of the loop;
    `whole_cpu_us`: with the request that we sign. CPU of the gateway, median of the runs."""
    return asyncio.run(_row(folder, ports, upstream, slow, runs, people))


def served(folder: Path, ports: Ports, upstream: int, slow: int, cores: int) -> Site:
    """The bench's site with a SAML provider in place of its OpenID Provider."""
    for name, content in (("idp.xml", _METADATA.encode()), ("saml.key", OURS.key), ("saml.crt", OURS.certificate)):
        (folder / name).write_bytes(content)
    return Site(folder, ports, upstream, slow, access_log=False, cores=cores, provider=_PROVIDER, gateway=_SAML)


async def _row(folder: Path, ports: Ports, upstream: int, slow: int, runs: int, people: int) -> dict[str, object]:
    site = await asyncio.to_thread(partial(served, folder, ports, upstream, slow, cores=1))
    try:
        await _sample(site, WARMING)
        samples = [await _sample(site, people) for _ in range(runs)]
        stop = await asyncio.to_thread(site.metric, "ecluse_event_loop_stop_max_seconds")
    finally:
        await asyncio.to_thread(site.stop)
    answered, off_loop, whole = ([sample[at] for sample in samples] for at in range(3))
    return {
        "bench": "saml_login_signed_encrypted",
        "cpu_us": round(median(answered)),
        "cpu_us_min_max": [round(min(answered)), round(max(answered))],
        "off_loop_cpu_us": round(median(off_loop)),
        "whole_cpu_us": round(median(whole)),
        "loop_stop_max_ms": round(stop * 1000, 1),
        "logins": people,
        "runs": runs,
    }


async def _sample(site: Site, people: int) -> tuple[float, float, float]:
    """Microseconds a login: of the answer, of that by other threads than the loop's, and with the request."""
    browsers = [Browser(keeps_alive=True) for _ in range(people)]
    asked: list[str] = []
    urls = [f"http://{HOST}:{site.port}/private/page"] * people
    first = await spent(site, each(browsers, urls, asked, until=IDP))
    forms = [form_of(site, url) for url in asked]
    arrived: list[str] = []
    loops = loop_seconds(site.pid)
    second = await spent(site, _answered(site, browsers, forms, arrived))
    off_loop = second - (loop_seconds(site.pid) - loops)
    for browser in browsers:
        await browser.close()
    if any("/_ecluse/enter" not in url for url in arrived):
        raise RuntimeError(f"not signed in: {arrived[0]}")
    return second / people * 1e6, off_loop / people * 1e6, (first + second) / people * 1e6


def form_of(site: Site, asked: str) -> bytes:
    """What the provider's page sends for this request."""
    query = dict(parse_qsl(urlsplit(asked).query))
    portal = f"http://portal.localhost:{site.port}/_ecluse/saml/"
    request = etree.fromstring(inflated(base64.b64decode(query["SAMLRequest"])))
    values = {"assertion_id": f"_{token_hex(16)}", "name_id": token_hex(8)}
    scene = Scene(
        now=int(time.time()), issuer=f"{IDP}/metadata", acs=f"{portal}acs", audience=f"{portal}metadata",
        request_id=request.get("ID"), key=KEY, stranger=KEY, recipient_key=OURS, values=values,
    )  # fmt: skip
    root = build(scene)
    signed = assertion(root)
    sign(signed, KEY)
    encrypt(signed, OURS)
    response = base64.b64encode(etree.tostring(root)).decode()
    return urlencode({"SAMLResponse": response, "RelayState": query["RelayState"]}).encode()


def _answered(
    site: Site, browsers: Sequence[Browser], forms: Sequence[bytes], arrived: list[str]
) -> Callable[[], Awaitable[None]]:
    async def walk() -> None:
        answers = (answer(site, *each) for each in zip(browsers, forms, strict=True))
        arrived.extend(await at_once(answers))

    return walk


async def answer(site: Site, browser: Browser, form: bytes) -> str:
    """The browser sends the provider's form, and follows to where the application's host takes over."""
    acs = f"http://portal.localhost:{site.port}/_ecluse/saml/acs"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": IDP, "Sec-Fetch-Site": "cross-site"}
    reply: Reply = await browser.send("POST", acs, headers=headers, data=form)
    while reply.status == 303 and "/_ecluse/enter" not in reply.location:
        reply = await browser.get(urljoin(acs, reply.location), follow=False)
    return reply.headers.get("Location", f"{reply.status} {reply.text[:300]}")
