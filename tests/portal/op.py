"""A small OpenID Provider that signs in whoever its cookie names, at once, and misbehaves where a test says so."""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

Claims = dict[str, Any]


@cache
def _key() -> RSAKey:
    """One for all tests: making one takes longer than most of them."""
    return RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})


@dataclass
class Grant:
    redirect_uri: str
    challenge: str
    nonce: str
    subject: str
    auth_time: int


@dataclass
class Op:
    """`takes`: seconds for a token. `error`: what it says in the place of a code (OIDC Core 3.1.2.6). `tamper`: changes
    the claims of an ID token before it is signed. `authenticated`: subject to Unix seconds."""

    now: Callable[[], float] = time.time
    port: int = 0
    tamper: Callable[[Claims], Claims] = lambda claims: claims
    honours_max_age: bool = True
    error: str = ""
    down: bool = False
    takes: float = 0.0
    end_session: bool = False
    revokes: bool = False
    revocation: Callable[[], Awaitable[web.Response]] | None = None
    revoked: list[dict[str, str]] = field(default_factory=list)
    refreshes: list[str] = field(default_factory=list)
    refresh_answer: Callable[[Claims], web.Response | None] = lambda claims: None
    life: int = 300
    forms: list[dict[str, str]] = field(default_factory=list)
    userinfo: Claims | None = None
    ended: list[dict[str, str]] = field(default_factory=list)
    authenticated: dict[str, int] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    selects_account: bool = False
    redeemed: int = 0
    key: RSAKey = field(default_factory=_key)
    keys: list[RSAKey] | None = None
    grants: dict[str, Grant] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.discovery)
        app.router.add_get("/authorize", self.authorize)
        app.router.add_get("/jwks", self.jwks)
        app.router.add_post("/token", self.token)
        app.router.add_route("*", "/end", self.end)
        app.router.add_post("/revoke", self.revoke)
        app.router.add_get("/userinfo", self.tell)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner

    async def discovery(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        more = {"end_session_endpoint": f"{self.issuer}/end"} if self.end_session else {}
        more |= {"revocation_endpoint": f"{self.issuer}/revoke"} if self.revokes else {}
        more |= {"prompt_values_supported": ["login", "select_account"]} if self.selects_account else {}
        return web.json_response(
            {
                **more,
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def authorize(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.asked.append(query)
        if self.error:
            location = f"{query['redirect_uri']}?error={self.error}&state={query['state']}&iss={self.issuer}"
            return web.Response(status=303, headers={"Location": location})
        subject = request.cookies.get("op", "alice")
        if query.get("max_age") == "0" and self.honours_max_age:
            self.authenticated[subject] = int(self.now())
        code = secrets.token_urlsafe(32)
        self.grants[code] = Grant(
            redirect_uri=query["redirect_uri"],
            challenge=query["code_challenge"],
            nonce=query["nonce"],
            subject=subject,
            auth_time=self.authenticated.setdefault(subject, int(self.now())),
        )
        location = f"{query['redirect_uri']}?code={code}&state={query['state']}&iss={self.issuer}"
        return web.Response(status=303, headers={"Location": location})

    async def end(self, request: web.Request) -> web.Response:
        """Signs the person out, and sends them back at once."""
        told = {name: str(value) for name, value in (await request.post() or request.query).items()}
        self.ended.append({"method": request.method, **told})
        location = f"{told['post_logout_redirect_uri']}?state={told['state']}"
        return web.Response(status=303, headers={"Location": location})

    async def revoke(self, request: web.Request) -> web.Response:
        self.revoked.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response() if self.revocation is None else await self.revocation()

    async def tell(self, request: web.Request) -> web.Response:
        return web.Response(status=503) if self.userinfo is None else web.json_response(self.userinfo)

    async def jwks(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        keys = [self.key] if self.keys is None else self.keys
        return web.json_response({"keys": [key.as_dict(private=False) for key in keys]})

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        await asyncio.sleep(self.takes)
        self.forms.append({name: str(value) for name, value in form.items()})
        if form["grant_type"] == "refresh_token":
            return await self.refresh(str(form["refresh_token"]))
        grant = self.grants.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        if grant is None or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != grant.challenge:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.redeemed += 1
        claims = self.tamper(
            {
                "iss": self.issuer,
                "aud": "ecluse",
                "sub": grant.subject,
                "nonce": grant.nonce,
                "iat": int(self.now()),
                "exp": int(self.now()) + 300,
                "auth_time": grant.auth_time,
                "preferred_username": grant.subject,
                "sid": f"sid-{grant.subject}",
            }
        )
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)
        more = {"refresh_token": f"refresh-0-{grant.subject}", "expires_in": self.life}
        told = {"token_type": "Bearer", "access_token": "a-secret-access-token", "id_token": token}
        return web.json_response(told | more)

    async def refresh(self, token: str) -> web.Response:
        """Rotates: a token works once."""
        if token in self.refreshes:
            return web.json_response({"error": "invalid_grant"}, status=400)
        _, number, subject = token.split("-")
        now = int(self.now())
        claims = {"iss": self.issuer, "aud": "ecluse", "sub": subject, "iat": now, "exp": now + 300}
        answer = self.refresh_answer(claims)
        if answer is not None:
            return answer
        self.refreshes.append(token)
        signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)
        told = {"token_type": "Bearer", "access_token": "another", "expires_in": self.life, "id_token": signed}
        return web.json_response(told | {"refresh_token": f"refresh-{int(number) + 1}-{subject}"})
