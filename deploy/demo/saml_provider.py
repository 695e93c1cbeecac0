"""A small SAML identity provider for the demo: people picked from a list, no password, sign-out too."""

import base64
import secrets
from collections.abc import Sequence
from html import escape

from aiohttp import web

from deploy.demo.accounts import Account
from deploy.demo.pages import choice, page
from deploy.demo.saml_messages import Asked, Identity, logout_response, metadata, read_redirect, response

OPEN_REQUESTS = 1000


class SamlProvider:
    """`origin`: its own. `service`: the entityID of the gateway, whose other addresses begin with `endpoints`."""

    def __init__(
        self, origin: str, title: str, accounts: Sequence[Account], identity: Identity, service: str, endpoints: str
    ) -> None:
        self._origin = origin
        self._title = title
        self._accounts = {account.login: account for account in accounts}
        self._identity = identity
        self._service = service
        self._endpoints = endpoints
        self._requests: dict[str, Asked] = {}

    def application(self) -> web.Application:
        application = web.Application(client_max_size=64 * 1024)
        application.router.add_get("/metadata", self._metadata)
        application.router.add_get("/sso", self._sign_on)
        application.router.add_post("/sso", self._chosen)
        application.router.add_get("/slo", self._logout)
        return application

    async def _metadata(self, request: web.Request) -> web.Response:
        document = metadata(self._identity, f"{self._origin}/sso", f"{self._origin}/slo")
        return web.Response(body=document, content_type="application/samlmetadata+xml")

    async def _sign_on(self, request: web.Request) -> web.Response:
        asked = read_redirect(request.query_string)
        if asked is None or asked.issuer != self._service:
            return self._page("<p>Demande illisible, ou d'une application inconnue.</p>", 400)
        while len(self._requests) >= OPEN_REQUESTS:
            self._requests.pop(next(iter(self._requests)))
        id = secrets.token_urlsafe(16)
        self._requests[id] = asked
        return self._page(self._choice(id))

    def _choice(self, id: str) -> str:
        return (
            f'<form method="post" action="/sso"><input type="hidden" name="request" value="{id}">'
            f"{choice(self._accounts.values())}</form>"
        )

    async def _chosen(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self._requests.pop(str(form.get("request", "")), None)
        account = self._accounts.get(str(form.get("account", "")))
        if asked is None or account is None:
            return self._page("<p>Cette page est trop ancienne : repartez de l'application.</p>", 400)
        # Profiles 4.1.4.1: never to an address of the request's own choice.
        acs = f"{self._endpoints}acs"
        answer = response(self._identity, asked, acs, self._service, account)
        return self._page(
            f'<form method="post" action="{escape(acs)}">'
            f'<input type="hidden" name="SAMLResponse" value="{base64.b64encode(answer).decode()}">'
            f'<input type="hidden" name="RelayState" value="{escape(asked.relay_state)}">'
            "<button>Continuer</button></form><script>document.forms[0].submit()</script>"
        )

    async def _logout(self, request: web.Request) -> web.Response:
        asked = read_redirect(request.query_string)
        if asked is None or asked.issuer != self._service:
            return self._page("<p>Demande illisible, ou d'une application inconnue.</p>", 400)
        # There is no session here that could be ended.
        location = logout_response(self._identity, asked, f"{self._endpoints}logout")
        return web.Response(status=303, headers={"Location": location})

    def _page(self, body: str, status: int = 200) -> web.Response:
        text = page(self._title, body)
        return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})
