"""An OpenID Provider each of whose answers a module can change."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from urllib.parse import parse_qs, urlencode

from aiohttp import web

from tests.federation import servers
from tests.oidc.samples import at_hash, forge, signer

SUBJECT = "f7d3c4a0"
LOGIN = "helene"
ACCESS_TOKEN = "an.access-token"


class Op(servers.Op):
    """`sign`: claims to ID token. `error`: sent in the place of a code. `shown`: how access tokens came to userinfo."""

    def __init__(self) -> None:
        super().__init__()
        self.sign: Callable[[Mapping[str, object]], str] = lambda claims: forge(claims, self.signer)
        self.sign_userinfo: Callable[[Mapping[str, object]], str] | None = None
        self.without: set[str] = set()
        self.error: dict[str, str] = {}
        self.asked_for: list[dict[str, str]] = []
        self.authorizations: list[str] = []
        self.shown: list[str] = []
        self.userinfo = {"sub": SUBJECT, "preferred_username": LOGIN, "email": "helene@metropole.example"}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/authorize":
            return self._authorize({name: values[0] for name, values in parse_qs(request.query_string).items()})
        if request.path == "/token":
            self.authorizations.append(request.headers.get("Authorization", ""))
        if request.path == "/userinfo":
            await self._show(request)
            if self.sign_userinfo is not None:
                return web.Response(text=self.sign_userinfo(self.userinfo), content_type="application/jwt")
        return await super().__call__(request)

    def rotate(self) -> None:
        self.signer = signer("RS256", "next")
        self.published = [self.signer]

    def _authorize(self, asked: dict[str, str]) -> web.Response:
        self.asked_for.append(asked)
        answer = {"state": asked["state"], "iss": self.issuer, **(self.error or {"code": asked["nonce"]})}
        if asked.get("response_mode") == "form_post":
            fields = "".join(f'<input name="{escape(name)}" value="{escape(value)}">' for name, value in answer.items())
            return web.Response(
                text=f'<form action="{asked["redirect_uri"]}">{fields}</form>', content_type="text/html"
            )
        return web.Response(status=303, headers={"Location": f"{asked['redirect_uri']}?{urlencode(answer)}"})

    async def _show(self, request: web.BaseRequest) -> None:
        in_header = request.headers.get("Authorization") == f"Bearer {ACCESS_TOKEN}"
        in_body = parse_qs(await request.text()).get("access_token") == [ACCESS_TOKEN]
        self.shown.append("header" if in_header else "body" if in_body else "nowhere")

    def _token(self) -> dict[str, object]:
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": "ecluse",
            "exp": now + 300,
            "iat": now,
            # A code that says which nonce it was given for.
            "nonce": self.forms[-1]["code"],
            "at_hash": at_hash(ACCESS_TOKEN),
        }
        claims = {name: value for name, value in (good | self.claims).items() if name not in self.without}
        return {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": self.sign(claims)}


def stranger(op: Op) -> None:
    """Signs with a key that has a published one's name."""
    other = replace(signer("RS256", "stranger"), kid=op.signer.kid)
    op.sign = lambda claims: forge(claims, other)
