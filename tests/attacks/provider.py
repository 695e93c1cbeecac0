"""OpenID Providers on one port, an issuer for each first step of the path, that misbehave where a case says so."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

Document = dict[str, Any]
Told = Document | web.StreamResponse

CLIENT = "ecluse"
# A code at which any of these hangs up.
HANGS_UP = "hang-up"
PEOPLE: Mapping[str, Document] = {
    "alice": {"groups": ["users"], "family_name": "Lebœuf", "email": "alice@corp.example"},
    "bob": {"groups": ["users"], "email": "bob@corp.example"},
    # Whose sessions the provider ends, all of them.
    "tilda": {"groups": ["users"], "family_name": "Lebœuf", "email": "tilda@corp.example"},
    "root": {"groups": ["users", "admins"], "dept": "it", "email": "root@root.corp.example"},
    # No groups at all: what asks for one is unknown.
    "mallory": {"email": "mallory@corp.example"},
}


@cache
def key(name: str) -> RSAKey:
    """Made once for each name: it takes a while."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


def sign(claims: Document, by: str, **header: object) -> str:
    """RS256 by the key of this name. A member of `header` that is None is left out."""
    told = {name: value for name, value in ({"alg": "RS256", "kid": by} | header).items() if value is not None}
    return sign_text(told, json.dumps(claims), by)


def sign_text(header: Mapping[str, Any], payload: str, by: str) -> str:
    """By hand, for the library refuses to write what a careless provider might."""
    signed = f"{_base64url(json.dumps(header).encode())}.{_base64url(payload.encode())}"
    return f"{signed}.{_base64url(JWSRegistry.algorithms[header['alg']].sign(signed.encode(), key(by)))}"


def sign_mac(claims: Document, secret: bytes) -> str:
    header = b'{"alg":"HS256"}'
    signed = f"{_base64url(header)}.{_base64url(json.dumps(claims).encode())}"
    return f"{signed}.{_base64url(hmac.digest(secret, signed.encode(), 'sha256'))}"


def unsigned(header: str, payload: str, signature: str = "") -> str:
    """A compact token from texts as they are."""
    return ".".join([_base64url(header.encode()), _base64url(payload.encode()), signature])


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How each document is changed before it is sent; an answer in place of a document is sent as it is."""

    metadata: Callable[[Document], Told] = lambda document: document
    keys: Callable[[Document], Told] = lambda document: document
    callback: Callable[[dict[str, str]], dict[str, str]] = lambda parameters: parameters
    claims: Callable[[Document], Document] = lambda claims: claims
    token: Callable[[Document], str] | None = None
    answer: Callable[[Document], Told] = lambda document: document
    userinfo: Callable[[Document], Told] = lambda document: document
    introspection: Callable[[str], Told] = lambda token: {"active": False}
    refreshed: Callable[[Document], Told] = lambda claims: claims
    revoked: Callable[[str], Told] = lambda token: {}
    # Seconds before a refresh is answered.
    thinks: float = 0.0


@dataclass
class Grant:
    login: str
    query: dict[str, str]
    auth_time: int


@dataclass
class Issuer:
    """`people`: login to claims. `asked`: queries at the authorization endpoint; `redeemed`: forms at the token one;
    `introspected`: tokens that it was asked about.

    `lifetime` (s): of what it grants. A refresh token is good once; the second use ends all of that person's.
    """

    url: str
    name: str
    signing_key: str
    people: dict[str, Document] = field(default_factory=lambda: {name: dict(told) for name, told in PEOPLE.items()})
    behaviour: Behaviour = field(default_factory=Behaviour)
    asked: list[dict[str, str]] = field(default_factory=list)
    redeemed: list[dict[str, str]] = field(default_factory=list)
    introspected: list[str] = field(default_factory=list)
    key_fetches: int = 0
    lifetime: int = 300
    refresh_tokens: dict[str, Grant] = field(default_factory=dict)
    _used: dict[str, Grant] = field(default_factory=dict)
    _codes: dict[str, Grant] = field(default_factory=dict)
    _tokens: dict[str, Grant] = field(default_factory=dict)

    @contextmanager
    def misbehaving(self, **changes: Any) -> Iterator["Issuer"]:
        before, self.behaviour = self.behaviour, replace(self.behaviour, **changes)
        try:
            yield self
        finally:
            self.behaviour = before

    def misbehave(self, **changes: Any) -> None:
        """From here on."""
        self.behaviour = replace(self.behaviour, **changes)

    # --- the endpoints ---

    async def metadata(self, request: web.Request) -> web.StreamResponse:
        return await _told(request, self.behaviour.metadata({
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "introspection_endpoint": f"{self.url}/introspect",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        }))  # fmt: skip

    async def keys(self, request: web.Request) -> web.StreamResponse:
        self.key_fetches += 1
        return await _told(request, self.behaviour.keys({"keys": [key(self.signing_key).as_dict(private=False)]}))

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Whoever the parameter `as` names is signed in, at once; in a real browser, a cookie of this name does."""
        query = dict(request.query)
        login = query.pop("as", request.cookies.get("as", "alice"))
        self.asked.append(query)
        code = secrets.token_urlsafe(32)
        self._codes[code] = Grant(login, query, int(time.time()))
        parameters = self.behaviour.callback({"code": code, "state": query.get("state", ""), "iss": self.url})
        location = f"{query['redirect_uri']}?{urlencode(parameters)}"
        return web.Response(status=303, headers={"Location": location})

    async def token(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.redeemed.append({**form, "authorization": request.headers.get("Authorization", "")})
        if form.get("grant_type") == "refresh_token":
            return await self._refresh(request, form.get("refresh_token", ""))
        if form.get("code") == HANGS_UP and request.transport is not None:
            request.transport.abort()
        grant = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if grant is None or _base64url(digest) != grant.query.get("code_challenge"):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = self.behaviour.claims(self._claims(grant))
        id_token = sign(claims, self.signing_key) if self.behaviour.token is None else self.behaviour.token(claims)
        return await _told(request, self.behaviour.answer(self._granted(grant) | {"id_token": id_token}))

    def _granted(self, grant: Grant) -> Document:
        access_token, refresh_token = (f"{kind}-token-{secrets.token_urlsafe(16)}" for kind in ("access", "refresh"))
        self._tokens[access_token] = self.refresh_tokens[refresh_token] = grant
        return {
            "token_type": "Bearer", "access_token": access_token, "refresh_token": refresh_token,
            "expires_in": self.lifetime,
        }  # fmt: skip

    async def _refresh(self, request: web.Request, token: str) -> web.StreamResponse:
        grant = self.refresh_tokens.get(token)
        if grant is None:
            login = self._used[token].login if token in self._used else ""
            self.refresh_tokens = {each: of for each, of in self.refresh_tokens.items() if of.login != login}
            return web.json_response({"error": "invalid_grant"}, status=400)
        await asyncio.sleep(self.behaviour.thinks)
        told = self.behaviour.refreshed(self._claims(grant))
        if isinstance(told, web.StreamResponse):
            return await _told(request, told)
        # Brought twice at once, it is used twice, as by a provider that looks and then writes.
        self._used[token] = self.refresh_tokens.pop(token, grant)
        return web.json_response(self._granted(grant) | {"id_token": sign(told, self.signing_key)})

    async def userinfo(self, request: web.Request) -> web.StreamResponse:
        grant = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if grant is None:
            return web.Response(status=401)
        return await _told(request, self.behaviour.userinfo({"sub": grant.login, **self.people.get(grant.login, {})}))

    async def introspect(self, request: web.Request) -> web.StreamResponse:
        token = str((await request.post()).get("token", ""))
        self.introspected.append(token)
        return await _told(request, self.behaviour.introspection(token))

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        """For who announces it in its metadata."""
        return await _told(request, self.behaviour.revoked(str((await request.post()).get("token", ""))))

    def _claims(self, grant: Grant) -> Document:
        now = int(time.time())
        return {
            "iss": self.url, "aud": CLIENT, "sub": grant.login, "nonce": grant.query.get("nonce"),
            "iat": now, "exp": now + 300, "auth_time": grant.auth_time, "preferred_username": grant.login,
            **self.people.get(grant.login, {}),
        }  # fmt: skip


async def _told(request: web.Request, told: Told) -> web.StreamResponse:
    if isinstance(told, Endless | HangsUp):
        return await told.send(request)
    return told if isinstance(told, web.StreamResponse) else web.json_response(told)


class Endless(web.StreamResponse):
    """JSON that begins well and never ends."""

    async def send(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        await answer.write(b'{"keys": [')
        try:
            while True:
                await answer.write(b'"' + b"a" * 65533 + b'",')
        except (ConnectionError, OSError):
            pass
        return answer


class HangsUp(web.Response):
    """In the place of an answer, once `waits` has come back."""

    def __init__(self, waits: Callable[[], Awaitable[object]] | None = None) -> None:
        super().__init__()
        self._waits = waits

    async def send(self, request: web.Request) -> web.StreamResponse:
        if self._waits is not None:
            await self._waits()
        if request.transport is not None:
            request.transport.abort()
        return self


@dataclass
class Providers:
    """`issuers`: by name."""

    port: int
    issuers: dict[str, Issuer] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    def add(self, name: str, signing_key: str = "", **behaviour: Any) -> Issuer:
        url = f"http://127.0.0.1:{self.port}/{name}"
        issuer = Issuer(url, name, signing_key or name, behaviour=Behaviour(**behaviour))
        self.issuers[name] = issuer
        return issuer

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{issuer}/{endpoint:.*}", self._dispatch)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        issuer = self.issuers.get(request.match_info["issuer"])
        if issuer is None:
            return web.Response(status=404)
        endpoints = {
            ".well-known/openid-configuration": issuer.metadata,
            "jwks": issuer.keys,
            "authorize": issuer.authorize,
            "token": issuer.token,
            "userinfo": issuer.userinfo,
            "introspect": issuer.introspect,
            "revoke": issuer.revoke,
        }
        endpoint = endpoints.get(request.match_info["endpoint"])
        return web.Response(status=404) if endpoint is None else await endpoint(request)
