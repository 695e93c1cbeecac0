"""LemonLDAP::NG from Debian as OpenID Provider, with a client for each way to sign in with it."""

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import urljoin

from aiohttp import ClientSession
from yarl import URL

from tests.idp.keys import Pair
from tests.idp.lemonldap import LemonLdap

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
# Who is signed in and has to sign in once more is asked whether they would.
_RENEWAL = re.compile(r'<form[^>]* action="(/renewsession)"')
MOST_STEPS = 8

Options = Mapping[str, object]


class LemonLdapOp(LemonLdap):
    """`clients`: client id to its options, each without its prefix, as the manager calls them; `settings`: others of
    its configuration."""

    def __init__(self, port: int, pair: Pair, *, clients: Mapping[str, Options], **settings: object) -> None:
        super().__init__(port, pair)
        self._clients = clients
        self._settings = settings

    def forget_refresh_tokens(self) -> None:
        """As an administrator does who deletes them."""
        kept = [path for path in (self._folder / "sessions").iterdir() if path.is_file()]
        granted = [path for path in kept if '"_type":"refresh_token"' in path.read_text()]
        assert granted, "no refresh token"
        for path in granted:
            path.unlink()

    def _configuration(self, service_provider: str) -> Mapping[str, object]:
        exported = {"email": "mail", "preferred_username": "uid", "name": "cn"}
        return {
            **super()._configuration(service_provider),
            "issuerDBSAMLActivation": 0,
            "samlSPMetaDataXML": {},
            "samlSPMetaDataOptions": {},
            "samlSPMetaDataExportedAttributes": {},
            "issuerDBOpenIDConnectActivation": 1,
            "oidcServiceMetaDataIssuer": self.url,
            "oidcServicePrivateKeySig": self._pair.key,
            "oidcServicePublicKeySig": self._pair.certificate,
            "oidcServiceKeyIdSig": "llng",
            "oidcServiceAllowAuthorizationCodeFlow": 1,
            "oidcRPMetaDataOptions": {
                id: {f"oidcRPMetaDataOptions{name}": value for name, value in {"ClientID": id, **options}.items()}
                for id, options in self._clients.items()
            },
            "oidcRPMetaDataExportedVars": dict.fromkeys(self._clients, exported),
            **self._settings,
        }


async def through_lemonldap(session: ClientSession, url: str, base: str, login: str) -> str:
    """From an authorization request to the URL, not yet opened, that the provider sends the browser to."""
    form: dict[str, str] | None = None
    for _ in range(MOST_STEPS):
        method = "GET" if form is None else "POST"
        async with session.request(method, URL(url, encoded=True), data=form, allow_redirects=False) as response:
            page, location = await response.text(), response.headers.get("Location")
        if location is not None:
            url, form = urljoin(url, location), None
            if not url.startswith(base):
                return url
            continue
        form = {unescape(name): unescape(value) for name, value in _HIDDEN.findall(page)}
        if renewal := _RENEWAL.search(page):
            url = urljoin(url, renewal[1])
            continue
        assert 'name="password"' in page, f"{response.status}: a page that asks for no password: {page[:3000]}"
        form |= {"user": login, "password": login}
    raise AssertionError(f"no way out of the provider's pages after {MOST_STEPS} steps")
