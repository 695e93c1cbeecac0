"""A small OpenID Provider for the demo: authorization code with PKCE only, people picked from a list, no password.

All of it is in memory and ends with the process, the signing key too.
"""

import base64
import hashlib
import json
import secrets
import time
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from urllib.parse import unquote_plus, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from deploy.demo.accounts import Account
from deploy.demo.pages import choice, page

CODE_LIVES = 60
TOKEN_LIVES = 300
OPEN_REQUESTS = 1000

_SCOPE_CLAIMS: Mapping[str, frozenset[str]] = {
    "profile": frozenset({"preferred_username", "given_name", "family_name", "name"}),
    "email": frozenset({"email", "email_verified"}),
    # ProConnect has a scope for each claim.
    **{name: frozenset({name}) for name in ("given_name", "usual_name", "uid", "siret")},
}
_SCOPED = frozenset().union(*_SCOPE_CLAIMS.values()) - {"siret"}


@dataclass(frozen=True, slots=True)
class Client:
    id: str
    secret: str
    redirect_uris: frozenset[str]


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """`levels`: of which one is demanded (OIDC Core 5.5.1.1), none where a password will do."""

    redirect_uri: str
    state: str
    nonce: str
    scopes: tuple[str, ...]
    challenge: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for. `authenticated_at`, `expires_at`: Unix seconds."""

    request: AuthorizationRequest
    account: Account
    authenticated_at: int
    expires_at: int


class Provider:
    """`claims_in_id_token`: all claims stand in the ID token as well, not in userinfo alone. `like_proconnect`:
    userinfo is signed, and a second factor is asked for where a level is demanded."""

    def __init__(
        self,
        issuer: str,
        title: str,
        accounts: Sequence[Account],
        client: Client,
        *,
        claims_in_id_token: bool,
        like_proconnect: bool = False,
    ) -> None:
        self._issuer = issuer
        self._title = title
        self._accounts = {account.login: account for account in accounts}
        self._client = client
        self._claims_in_id_token = claims_in_id_token
        self._like_proconnect = like_proconnect
        self._key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
        self._requests: dict[str, AuthorizationRequest] = {}
        self._codes: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}

    def application(self) -> web.Application:
        application = web.Application(client_max_size=64 * 1024)
        application.router.add_get("/.well-known/openid-configuration", self._discovery)
        application.router.add_get("/jwks", self._jwks)
        application.router.add_get("/authorize", self._authorize)
        application.router.add_post("/authorize", self._chosen)
        application.router.add_post("/token", self._token)
        application.router.add_get("/userinfo", self._userinfo)
        return application

    async def _discovery(self, request: web.Request) -> web.Response:
        issuer = self._issuer
        return web.json_response({
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
            "scopes_supported": ["openid", *_SCOPE_CLAIMS],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **({"userinfo_signing_alg_values_supported": ["RS256"]} if self._like_proconnect else {}),
        })  # fmt: skip

    async def _jwks(self, request: web.Request) -> web.Response:
        return web.json_response(KeySet([self._key]).as_dict(private=False))

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        # RFC 6749 4.1.2.1: no redirect to an address that is not the client's own.
        if query.get("client_id") != self._client.id or query.get("redirect_uri") not in self._client.redirect_uris:
            return self._page("<p>Application inconnue, ou adresse de retour non déclarée.</p>", 400)
        asked = AuthorizationRequest(
            redirect_uri=query["redirect_uri"],
            state=query.get("state", ""),
            nonce=query.get("nonce", ""),
            scopes=tuple(query.get("scope", "").split()),
            challenge=query.get("code_challenge", ""),
            levels=_demanded(query.get("claims", "")) if self._like_proconnect else (),
        )
        if query.get("response_type") != "code":
            return self._back(asked, error="unsupported_response_type")
        if "openid" not in asked.scopes:
            return self._back(asked, error="invalid_scope")
        # RFC 7636 4.3, and nothing but S256; a challenge is 32 bytes in base64url.
        if query.get("code_challenge_method") != "S256" or len(asked.challenge) != 43:
            return self._back(asked, error="invalid_request")
        # OIDC Core 3.1.2.6: there is no sign-in here that could be taken over in silence.
        if query.get("prompt") == "none":
            return self._back(asked, error="login_required")
        return self._page(self._choice(self._remember(asked), asked.levels))

    def _remember(self, asked: AuthorizationRequest) -> str:
        while len(self._requests) >= OPEN_REQUESTS:
            self._requests.pop(next(iter(self._requests)))
        id = secrets.token_urlsafe(16)
        self._requests[id] = asked
        return id

    def _choice(self, id: str, levels: Sequence[str]) -> str:
        factor = "<p><strong>Un second facteur est demandé.</strong> Cette démonstration le tient pour présenté.</p>"
        return (
            f'{factor if levels else ""}<form method="post" action="/authorize">'
            f'<input type="hidden" name="request" value="{id}">{choice(self._accounts.values())}'
            '<p><button class="quiet" name="account" value="">Refuser</button></p></form>'
        )

    async def _chosen(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self._requests.pop(str(form.get("request", "")), None)
        if asked is None:
            return self._page("<p>Cette page est trop ancienne : repartez de l'application.</p>", 400)
        account = self._accounts.get(str(form.get("account", "")))
        if account is None:
            return self._back(asked, error="access_denied")
        code, now = secrets.token_urlsafe(32), int(time.time())
        self._codes[code] = Grant(asked, account, now, now + CODE_LIVES)
        return self._back(asked, code=code)

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if not self._is_client(request.headers.get("Authorization", ""), form):
            return _refused("invalid_client", 401)
        if form.get("grant_type") != "authorization_code":
            return _refused("unsupported_grant_type")
        # RFC 6749 4.1.2: a code is used once, whatever is found wrong with it afterwards.
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or not _redeems(grant, form, int(time.time())):
            return _refused("invalid_grant")
        self._forget_old()
        token = secrets.token_urlsafe(32)
        self._tokens[token] = grant
        body = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIVES,
            "scope": " ".join(grant.request.scopes),
            "id_token": self._id_token(grant),
        }
        return web.json_response(body, headers={"Cache-Control": "no-store"})

    def _is_client(self, authorization: str, form: Mapping[str, str]) -> bool:
        """client_secret_basic (RFC 6749 2.3.1: both halves are form-encoded first) or client_secret_post."""
        id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(value, validate=True).decode()
            except (Base64Error, UnicodeDecodeError):
                return False
            id, _, secret = map(unquote_plus, pair.partition(":"))
        return id == self._client.id and compare_digest(secret.encode(), self._client.secret.encode())

    def _forget_old(self) -> None:
        now = int(time.time())
        for store in (self._codes, self._tokens):
            for name in [name for name, grant in store.items() if grant.expires_at + TOKEN_LIVES < now]:
                del store[name]

    def _id_token(self, grant: Grant) -> str:
        now = int(time.time())
        claims = _claims(grant) if self._claims_in_id_token else {"sub": grant.account.login}
        levels = grant.request.levels
        claims |= {
            "iss": self._issuer,
            "aud": self._client.id,
            "iat": now,
            "exp": now + TOKEN_LIVES,
            "auth_time": grant.authenticated_at,
            "acr": (levels[0] if levels else "eidas1") if self._like_proconnect else "demo",
            "amr": (["pwd", "otp", "mfa"] if levels else ["pwd"]) if self._like_proconnect else ["user"],
        }
        if grant.request.nonce:
            claims["nonce"] = grant.request.nonce
        return self._signed(claims)

    def _signed(self, claims: dict[str, object]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self._key.kid, "typ": "JWT"}, claims, self._key)

    async def _userinfo(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        grant = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if grant is None or grant.authenticated_at + TOKEN_LIVES < time.time():
            return web.json_response({"error": "invalid_token"}, status=401, headers={"WWW-Authenticate": "Bearer"})
        if self._like_proconnect:
            # OIDC Core 5.3.2: signed, it says who it is from and for whom.
            told = _claims(grant) | {"iss": self._issuer, "aud": self._client.id}
            return web.Response(text=self._signed(told), content_type="application/jwt")
        return web.json_response(_claims(grant))

    def _back(self, asked: AuthorizationRequest, **answer: str) -> web.Response:
        # RFC 9207: the answer says which provider it comes from.
        query = urlencode({**answer, "state": asked.state, "iss": self._issuer})
        separator = "&" if "?" in asked.redirect_uri else "?"
        return web.Response(status=303, headers={"Location": f"{asked.redirect_uri}{separator}{query}"})

    def _page(self, body: str, status: int = 200) -> web.Response:
        text = page(self._title, body)
        return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


def _redeems(grant: Grant, form: Mapping[str, str], now: int) -> bool:
    # RFC 7636 4.6
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    same = form.get("redirect_uri") == grant.request.redirect_uri
    return same and now < grant.expires_at and compare_digest(challenge, grant.request.challenge)


def _claims(grant: Grant) -> dict[str, object]:
    """OIDC Core 5.4: the standard claims by scope; the organisation's own ones always."""
    asked = frozenset().union(*(_SCOPE_CLAIMS.get(scope, frozenset()) for scope in grant.request.scopes))
    own = {name: value for name, value in grant.account.claims.items() if name in asked or name not in _SCOPED}
    return {"sub": grant.account.login, **own}


def _demanded(claims: str) -> tuple[str, ...]:
    """The values of an essential acr in the parameter `claims`; of one that cannot be read, none."""
    try:
        acr = json.loads(claims)["id_token"]["acr"]
        return tuple(map(str, acr.get("values", ()))) if acr.get("essential") else ()
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def _refused(error: str, status: int = 400) -> web.Response:
    return web.json_response({"error": error}, status=status, headers={"Cache-Control": "no-store"})
