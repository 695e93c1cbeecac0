"""People who sign in at the peers, through the redirects of each. Provider and browser are in this process."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from types import TracebackType
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

from aiohttp import ClientSession, DummyCookieJar, web
from lxml import etree
from yarl import URL

from gateway.saml.bindings import inflated
from tests.bench.saml_login import IDP, KEY, OURS
from tests.bench.site import HOST
from tests.conformance.op import Op
from tests.oidc.samples import at_hash, forge
from tests.portal.browser import NAVIGATION
from tests.saml.idp import Scene, assertion, build, sign

LOGIN = "X-Login"
_LONGEST_CHAIN = 10
_ACS = f"http://{HOST}/mellon/postResponse"


class PeersOp(Op):
    """Signs in whom the browser names in `X-Login`. Its access token is signed too: Envoy verifies no other."""

    def __init__(self) -> None:
        super().__init__()
        self.metadata = {
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def keys(self) -> dict[str, object]:
        return self._jwks()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        match request.path:
            case "/authorize":
                # A code that says who was there, and which nonce it was given for, where there was one.
                code = f"{request.headers[LOGIN]}.{request.query.get('nonce', '')}"
                back = urlencode({"state": request.query["state"], "code": code})
                return web.Response(status=303, headers={"Location": f"{request.query['redirect_uri']}?{back}"})
            case "/token":
                form = dict(parse_qsl(await request.text()))
                return web.json_response(self._tokens_for(*form["code"].split(".")))
            case "/userinfo":
                login = self._login_of(request.headers["Authorization"])
                return web.json_response({"sub": login, "preferred_username": login})
        return await super().__call__(request)

    def _tokens_for(self, login: str, nonce: str) -> dict[str, object]:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": login, "aud": "ecluse", "exp": now + 36_000, "iat": now}
        access_token = forge({**claims, "preferred_username": login}, self.signer)
        asked = {"nonce": nonce} if nonce else {}
        id_token = forge({**claims, **asked, "at_hash": at_hash(access_token)}, self.signer)
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": 36_000, "id_token": id_token}

    def _login_of(self, bearer: str) -> str:
        payload = bearer.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"])


@dataclass
class Visitor:
    """A browser at the peer on `port`, which it knows as the application's host. `cookies`: of that host."""

    port: int
    login: str
    cookies: dict[str, str] = field(default_factory=dict)
    _session: ClientSession | None = None

    async def __aenter__(self) -> "Visitor":
        self._session = ClientSession(cookie_jar=DummyCookieJar(), trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def ask(self, url: str, form: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """Status, where to go on (empty: nowhere), and the page."""
        if self._session is None:
            raise RuntimeError("not begun")
        at_peer = urlsplit(url).hostname == HOST
        sent = {**NAVIGATION, **({"Host": HOST, "Cookie": self.cookie} if at_peer else {LOGIN: self.login})}
        target = URL(url, encoded=True)
        target = target.with_host("127.0.0.1").with_port(self.port) if at_peer else target
        method = "GET" if form is None else "POST"
        async with self._session.request(method, target, headers=sent, data=form, allow_redirects=False) as answer:
            for line in answer.headers.getall("Set-Cookie", []) if at_peer else ():
                self._keep(line)
            location = answer.headers.get("Location", "")
            return answer.status, urljoin(url, location) if location else "", await answer.text()

    async def follow(self, url: str, until: str = "") -> str:
        """To the page, or the first URL that begins with `until`."""
        for _ in range(_LONGEST_CHAIN):
            status, location, page = await self.ask(url)
            if until and location.startswith(until):
                return location
            if not location:
                if status != 200:
                    raise RuntimeError(f"{url}: {status} {page[:300]}")
                return page
            url = location
        raise RuntimeError(f"{url}: it leads nowhere")

    def _keep(self, line: str) -> None:
        name, _, value = line.partition(";")[0].partition("=")
        self.cookies[name] = value
        if not value or value == "deleted" or "Max-Age=0" in line or "01 Jan 1970" in line:
            del self.cookies[name]


async def signed_in_by_openid(port: int, login: str) -> str:
    """The cookies of one who is. Raises RuntimeError where the application hears another name."""
    async with Visitor(port, login) as visitor:
        page = await visitor.follow(f"http://{HOST}/private/whoami")
        return _heard(visitor, page)


async def signed_in_by_saml(port: int, login: str) -> str:
    """As signed_in_by_openid."""
    async with Visitor(port, login) as visitor:
        asked = await visitor.follow(f"http://{HOST}/private/whoami", until=IDP)
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}
        form = {"SAMLResponse": _response(query["SAMLRequest"], login), "RelayState": query["RelayState"]}
        _, location, page = await visitor.ask(_ACS, form)
        if not location:
            raise RuntimeError(page[:300])
        return _heard(visitor, await visitor.follow(location))


def _heard(visitor: Visitor, page: str) -> str:
    if page != visitor.login:
        raise RuntimeError(f"the application heard {page!r}, not {visitor.login!r}")
    return visitor.cookie


def _response(asked: str, login: str) -> str:
    request = etree.fromstring(inflated(base64.b64decode(asked)))
    values = {"assertion_id": f"_{token_hex(16)}", "name_id": login}
    scene = Scene(
        now=int(time.time()), issuer=f"{IDP}/metadata", acs=_ACS, audience=f"http://{HOST}/metadata",
        request_id=request.get("ID"), key=KEY, stranger=KEY, recipient_key=OURS, values=values,
    )  # fmt: skip
    root = build(scene)
    sign(assertion(root), KEY)
    return base64.b64encode(etree.tostring(root)).decode()
