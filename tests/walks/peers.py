"""Three OpenID Providers that none of us wrote, each with a client for every way to prove itself that it knows."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import trustme
from aiohttp import ClientSession

from deploy.demo.ports import free
from gateway.oidc.client_keys import jwk_set
from tests.idp.keys import new_pair
from tests.oidc.samples import own_key
from tests.op.canaille import Canaille, through_canaille
from tests.op.lemonldap import LemonLdapOp, through_lemonldap
from tests.op.process import OpenIdProvider
from tests.op.walk import confirm_sign_out, through_provider
from tests.walks.place import Place

# Letters and digits: LemonLDAP::NG does not decode the halves of Basic, as RFC 6749 2.3.1 has it.
SECRET = "ofTheTests0123456789ofTheTests0123456789"
WRONG = "-wrong"
_SCOPES = ("openid", "profile", "email")
# By client: how it proves itself.
METHODS = {
    "basic": "client_secret_basic",
    "post": "client_secret_post",
    "secret-jwt": "client_secret_jwt",
    "key-rs256": "private_key_jwt",
    "key-es256": "private_key_jwt",
    "certificate": "tls_client_auth",
    "public": "none",
}
_ALGORITHMS = {"key-rs256": "RS256", "key-es256": "ES256"}


def redirect_uris(place: Place, client: str) -> list[str]:
    """Of the provider file that has its secret right, and of the one that has not."""
    return [place.portal(f"/_ecluse/callback/{client}{kind}") for kind in ("", WRONG)]


def back(place: Place) -> str:
    return place.portal("/_ecluse/logged-out")


class Peer(ABC):
    """`person`: a login that it knows. `clients`: of METHODS, those that it supports."""

    person: ClassVar[str] = "alice"
    mail: ClassVar[str] = "alice@corp.example"
    clients: ClassVar[tuple[str, ...]]
    assertion_audience: ClassVar[str] = "issuer"
    logout: ClassVar[str] = "{method: get}"
    issuer: str

    @abstractmethod
    @contextmanager
    def running(self, place: Place) -> Iterator[None]:
        """Sets `issuer`."""

    @abstractmethod
    async def through(self, at: ClientSession, url: str) -> str:
        """A sign-in, from the request to the URL that the browser is sent to then, not yet opened."""

    @abstractmethod
    async def out(self, at: ClientSession, url: str) -> str:
        """A sign-out, the same way."""

    def files(self, place: Place) -> None:
        """A provider file for each client, and one with a wrong proof for each that has any."""
        for client in self.clients:
            self._file(place, client, client, SECRET, "")
            if client != "public":
                self._file(place, client + WRONG, client, SECRET[::-1], "other-")

    def _file(self, place: Place, name: str, client: str, secret: str, key: str) -> None:
        method = METHODS[client]
        lines = {"client_id": client, "client_authentication": method, "client_secret": secret}
        if not method.startswith("client_secret"):
            del lines["client_secret"]
        if method == "private_key_jwt":
            algorithm = _ALGORITHMS[client]
            lines["client_keys"] = f"[{{key: {{file: ../certs/{key}{algorithm}.pem}}, algorithm: {algorithm}}}]"
        if method == "tls_client_auth":
            lines["ca"] = "{file: ../certs/authority.pem}"
            parts = ("certificate: {{file: ../certs/{key}client.pem}}", "key: {{file: ../certs/{key}client.key}}")
            lines["client_certificate"] = f"{{{', '.join(part.format(key=key) for part in parts)}}}"
        if method.endswith("_jwt"):
            lines["assertion_audience"] = self.assertion_audience
        place.write_only_provider(name, self.issuer, self.mail.partition("@")[2], lines, f"logout: {self.logout}\n")


def write_keys(place: Place) -> None:
    for algorithm in ("RS256", "ES256"):
        for prefix, id in (("", None), ("other-", "other")):
            (place.folder / f"certs/{prefix}{algorithm}.pem").write_bytes(own_key(algorithm, id).pem)


class Npm(Peer):
    clients = ("basic", "post", "secret-jwt", "key-rs256", "key-es256", "certificate", "public")

    @contextmanager
    def running(self, place: Place) -> Iterator[None]:
        features = {"rpInitiatedLogout": {"enabled": True}}
        options = {"clientAuthMethods": sorted({*METHODS.values()})}
        accounts = {self.person: {"preferred_username": self.person, "email": self.mail}}
        clients = [self._client(place, client) for client in self.clients]
        with OpenIdProvider(
            clients, accounts, features=features, options=options, tls=_certificates(place)
        ) as provider:
            self.issuer = provider.issuer
            yield

    def _client(self, place: Place, client: str) -> dict[str, object]:
        metadata: dict[str, object] = {
            "client_id": client,
            "token_endpoint_auth_method": METHODS[client],
            "redirect_uris": redirect_uris(place, client),
            "post_logout_redirect_uris": [back(place)],
        }
        if METHODS[client].startswith("client_secret"):
            metadata["client_secret"] = SECRET
        if client in _ALGORITHMS:
            metadata["jwks"] = _public(client)
        if client == "certificate":
            metadata["tls_client_auth_san_dns"] = "ecluse.example"
        return metadata

    async def through(self, at: ClientSession, url: str) -> str:
        return await through_provider(at, url, self.issuer, self.person)

    async def out(self, at: ClientSession, url: str) -> str:
        return await confirm_sign_out(at, url)


class LemonLdapNg(Peer):
    person, mail = "dwho", "dwho@badwolf.org"
    clients = ("basic", "post", "secret-jwt", "key-rs256", "key-es256", "public")
    assertion_audience = "token_endpoint"

    @contextmanager
    def running(self, place: Place) -> Iterator[None]:
        clients = {client: self._client(place, client) for client in self.clients}
        (port,) = free(1)
        with LemonLdapOp(port, new_pair("op"), clients=clients) as provider:
            self.issuer = provider.start("").url
            yield

    def _client(self, place: Place, client: str) -> Mapping[str, object]:
        options: dict[str, object] = {
            "IDTokenSignAlg": "RS256",
            "BypassConsent": 1,
            "LogoutBypassConfirm": 1,
            "RedirectUris": " ".join(redirect_uris(place, client)),
            "PostLogoutRedirectUris": back(place),
        }
        if client == "public":
            return {**options, "Public": 1, "RequirePKCE": 1}
        options |= {"AuthMethod": METHODS[client], "ClientSecret": SECRET}
        return options | ({"Jwks": json.dumps(_public(client))} if client in _ALGORITHMS else {})

    async def through(self, at: ClientSession, url: str) -> str:
        return await through_lemonldap(at, url, self.issuer, self.person)

    async def out(self, at: ClientSession, url: str) -> str:
        return await through_lemonldap(at, url, self.issuer, self.person)


class CanailleOp(Peer):
    clients = ("basic", "post", "key-rs256", "key-es256", "public")
    assertion_audience = "token_endpoint"
    # It does not find the client in an ID token whose `aud` is a list, as its own are.
    logout = "{method: get, client_id: true}"

    @contextmanager
    def running(self, place: Place) -> Iterator[None]:
        clients = [self._client(place, client) for client in self.clients]
        (port,) = free(1)
        with Canaille(port, clients, {self.person: self.mail}) as provider:
            self.issuer = provider.issuer
            yield

    def _client(self, place: Place, client: str) -> Mapping[str, object]:
        metadata: dict[str, object] = {
            "client_id": client,
            "client_name": client,
            "client_uri": "https://ecluse.example",
            "client_secret": SECRET,
            "token_endpoint_auth_method": METHODS[client],
            "redirect_uris": redirect_uris(place, client),
            "post_logout_redirect_uris": [back(place)],
            "scope": list(_SCOPES),
        }
        return metadata | ({"jwks": json.dumps(_public(client))} if client in _ALGORITHMS else {})

    async def through(self, at: ClientSession, url: str) -> str:
        return await through_canaille(at, url, self.issuer, self.person)

    async def out(self, at: ClientSession, url: str) -> str:
        return await through_canaille(at, url, self.issuer, self.person)


def _public(client: str) -> Mapping[str, object]:
    return jwk_set([own_key(_ALGORITHMS[client], None)])


def _certificates(place: Place) -> Mapping[str, str]:
    """Those of the provider's own door; ours are written into the folder, and others of another authority."""
    authority = trustme.CA()
    for prefix, of in (("", authority), ("other-", trustme.CA())):
        ours = of.issue_cert("ecluse.example")
        (place.folder / f"certs/{prefix}client.pem").write_bytes(ours.cert_chain_pems[0].bytes())
        (place.folder / f"certs/{prefix}client.key").write_bytes(ours.private_key_pem.bytes())
    (place.folder / "certs/authority.pem").write_bytes(authority.cert_pem.bytes())
    theirs = authority.issue_cert("127.0.0.1")
    return {
        "cert": theirs.cert_chain_pems[0].bytes().decode(),
        "key": theirs.private_key_pem.bytes().decode(),
        "ca": authority.cert_pem.bytes().decode(),
    }
