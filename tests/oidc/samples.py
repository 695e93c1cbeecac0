"""A provider, a login and keys to forge with."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

from joserfc import jwt
from joserfc.jwe import JWERegistry, encrypt_compact
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from gateway.model.errors import GatewayError
from gateway.model.provider import ClientKey, EncryptionAlgorithm, OidcProvider, Perimeter, SigningAlgorithm
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization import AuthorizationCode, process_authorization_response
from gateway.oidc.client_authentication import Fresh
from gateway.oidc.client_keys import jwk_set
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import ProviderResponse
from gateway.oidc.jws import JsonWebKeySet, process_jwks_response
from gateway.oidc.token import TokenResponse

NOW = 1_800_000_000.0
ISSUER = "https://op.metropole.example"
ACCESS_TOKEN = "an.access-token"

PROVIDER = OidcProvider(
    name="metropole",
    label="Métropole",
    issuer=ISSUER,
    client_id="ecluse",
    client_secret="a secret of the client",
    client_authentication="client_secret_basic",
    scopes=("openid", "profile"),
    algorithms=frozenset({"RS256", "ES256", "EdDSA", "PS256"}),
    userinfo=True,
    attributes={},
    tenant_attribute=None,
    perimeter=Perimeter(),
    skew=60,
    session_idle=1800,
    session_absolute=43200,
)
LOGIN = OidcLogin(
    provider="metropole",
    nonce="n" * 43,
    code_verifier="v" * 43,
    redirect_uri="https://portail.example/_ecluse/callback/metropole",
    binding="b" * 64,
    serves=None,
    created_at=int(NOW),
)
METADATA = ProviderMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/jwks",
    userinfo_endpoint=f"{ISSUER}/userinfo",
    authorization_response_iss_parameter_supported=True,
)


def outcome(read: Callable[[], object]) -> str:
    """The id of the code on which reading ends, empty where it succeeds; any other exception is a fault."""
    try:
        read()
    except GatewayError as error:
        return error.code.id
    return ""


def provider(**changes: Any) -> OidcProvider:
    return replace(PROVIDER, **changes)


def authorization_code(of: OidcProvider = PROVIDER) -> AuthorizationCode:
    parameters = [("code", "the code"), ("iss", ISSUER)]
    return process_authorization_response(of, METADATA, replace(LOGIN, provider=of.name), parameters)


FRESH = Fresh("j" * 43, NOW)


def own_key(algorithm: SigningAlgorithm | EncryptionAlgorithm = "ES256", id: str | None = "k1") -> ClientKey:
    """A private key of ours; the same for the same words."""
    return ClientKey(id, algorithm, _pem(algorithm, id))


@cache
def _pem(algorithm: str, id: str | None) -> bytes:
    key: Key = ECKey.generate_key("P-256") if algorithm in ("ES256", "ECDH-ES") else RSAKey.generate_key(2048)
    return bytes(key.as_pem(private=True))


def verified(token: str, published: Mapping[str, object], algorithm: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of what we signed, as a provider verifies it."""
    decoded = jwt.decode(token, KeySet.import_key_set(cast(Any, published)), algorithms=[algorithm])
    return decoded.header, decoded.claims


def encrypted(
    token: str, key: ClientKey | None = None, enc: str = "A256GCM", alg: str = "", **header_changes: object
) -> str:
    """For us, as a provider does that knows the public half of `key`."""
    key = key or own_key("RSA-OAEP-256")
    (public,) = cast(list[Any], jwk_set([key])["keys"])
    header = {"alg": alg or key.algorithm, "enc": enc, "cty": "JWT", "kid": public["kid"], **header_changes}
    header = {name: value for name, value in header.items() if value is not None}
    plain = {name: value for name, value in public.items() if name != "alg"}
    registry = JWERegistry(algorithms=[header["alg"], enc, "DEF"], strict_check_header=False)
    kind: Any = RSAKey if public["kty"] == "RSA" else ECKey
    return encrypt_compact(header, token, kind.import_key(plain), registry=registry)


# --- keys -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signer:
    kid: str
    alg: str
    key: Key
    model: str

    def public(self, **changes: object) -> dict[str, object]:
        return {**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": self.alg, **changes}

    def sign(self, signing_input: bytes) -> bytes:
        return JWSRegistry.algorithms[self.model].sign(signing_input, self.key)


@cache
def signer(alg: str, kid: str = "") -> Signer:
    """The one of that algorithm and kid in this run."""
    match alg[:2]:
        case "RS" | "PS":
            key: Key = RSAKey.generate_key(2048)
        case "ES":
            key = ECKey.generate_key({"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg])
        case _:
            key = OKPKey.generate_key("Ed25519")
    return Signer(kid or alg.lower(), alg, key, "Ed25519" if alg == "EdDSA" else alg)


@dataclass(frozen=True)
class Mac:
    """Signs with any bytes at all as the secret, which joserfc would refuse to do with a public key."""

    kid: str
    alg: str
    secret: bytes

    def sign(self, signing_input: bytes) -> bytes:
        return hmac.digest(self.secret, signing_input, f"sha{self.alg[2:]}")


def key_set(*keys: Signer | Mapping[str, object]) -> JsonWebKeySet:
    published = [key.public() if isinstance(key, Signer) else key for key in keys]
    return process_jwks_response(json_answer({"keys": published}))


# --- answers and tokens -----------------------------------------------------------------------------------------------


def json_answer(document: object, status: int = 200, content_type: str = "application/json") -> ProviderResponse:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ProviderResponse(status, content_type, body)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def at_hash(access_token: str, algorithm: str = "sha256") -> str:
    digest = hashlib.new(algorithm, access_token.encode()).digest()
    return base64url(digest[: len(digest) // 2])


def claims(**changes: object) -> dict[str, object]:
    """Those of a good ID token; a change to None takes a claim away."""
    good = {
        "iss": ISSUER,
        "sub": "f7d3c4a0",
        "aud": "ecluse",
        "exp": NOW + 300,
        "iat": NOW - 1,
        "nonce": LOGIN.nonce,
        "auth_time": NOW - 20,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def forge(
    payload: Mapping[str, object] | bytes,
    by: Signer | Mac | None,
    header: Mapping[str, object] | bytes | None = None,
    **header_changes: Any,
) -> str:
    """A compact token with any header and payload at all; by None: with an empty signature."""
    if header is None:
        good = {"alg": by.alg, "kid": by.kid} if by else {"alg": "none"}
        header = {name: value for name, value in {**good, **header_changes}.items() if value is not None}
    segments = [base64url(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, payload)]
    signing_input = ".".join(segments)
    return f"{signing_input}.{base64url(by.sign(signing_input.encode())) if by else ''}"


def tokens(id_token: str) -> TokenResponse:
    return TokenResponse(ACCESS_TOKEN, id_token)
