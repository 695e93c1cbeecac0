"""The modules by name: what the provider does, and what a relying party has to make of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.model.provider import AuthorizationParameters
from tests.conformance.op import Op, stranger
from tests.oidc.samples import Mac, at_hash, forge, signer

PREFIX = "oidcc-client-test"
SECRET = "of-the-tests-of-conformance-0123456789"


def nothing(op: Op) -> None:
    pass


@dataclass(frozen=True)
class Module:
    """`refused`: the code that ends the sign-in; empty: the person is signed in, and `seen` holds of what was asked.

    `again`: what happens before the person signs in a second time, which has to end in the same way. `file`: what the
    provider file says beside the usual.
    """

    name: str
    arrange: Callable[[Op], None] = nothing
    refused: str = ""
    seen: Callable[[Op], bool] = lambda _: True
    again: Callable[[Op], None] | None = None
    file: Mapping[str, Any] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{PREFIX}-{self.name}" if self.name else PREFIX


def says(**changes: object) -> Callable[[Op], None]:
    return lambda op: op.claims.update(changes)


def leaves_out(claim: str) -> Callable[[Op], None]:
    return lambda op: op.without.add(claim)


def signs(how: Callable[[Op], Callable[[Mapping[str, object]], str]]) -> Callable[[Op], None]:
    def arrange(op: Op) -> None:
        op.sign = how(op)

    return arrange


def publishes(count: int) -> Callable[[Op], None]:
    def arrange(op: Op) -> None:
        op.published = [op.signer, signer("RS256", "other")][:count]
        op.sign = lambda claims: forge(claims, op.signer, kid=None)

    return arrange


def other_person(op: Op) -> None:
    op.userinfo["sub"] = "somebody-else"


def keys_elsewhere(op: Op) -> None:
    op.metadata["jwks_uri"] = f"{op.issuer}/elsewhere/keys"
    op.aliases = {"/elsewhere/keys": "/jwks"}


def another_issuer(op: Op) -> None:
    op.metadata["issuer"] = "https://evil.example"


def rotates_late(op: Op) -> None:
    op.before = lambda path: op.rotate() if path == "/token" else None


def signed_userinfo(op: Op) -> None:
    op.sign_userinfo = lambda claims: forge({**claims, "iss": op.issuer, "aud": "ecluse"}, op.signer)


def refuses(op: Op) -> None:
    op.error = {"error": "access_denied", "error_description": "<script>alert(1)</script>"}


def asked_basic(op: Op) -> bool:
    return all(sent.startswith("Basic ") for sent in op.authorizations)


DISCOVERY = "/.well-known/openid-configuration"
FORM_POST = {"request": AuthorizationParameters(response_mode="form_post")}

BASIC = [
    Module(""),
    Module("client-secret-basic", seen=asked_basic),
    Module("idtoken-sig-rs256", seen=lambda op: op.signer.alg == "RS256"),
    Module("idtoken-sig-none", signs(lambda op: lambda claims: forge(claims, None)), "oidc.id_token.algorithm"),
    Module("invalid-iss", says(iss="https://evil.example"), "oidc.id_token.issuer"),
    Module("missing-sub", leaves_out("sub"), "oidc.id_token.subject"),
    Module("invalid-aud", says(aud="another-client"), "oidc.id_token.audience"),
    Module("missing-iat", leaves_out("iat"), "oidc.id_token.claim"),
    Module("kid-absent-single-jwks", publishes(1)),
    Module("kid-absent-multiple-jwks", publishes(2)),
    Module("invalid-sig-rs256", stranger, "oidc.id_token.signature"),
    Module("userinfo-bearer-header", seen=lambda op: op.shown == ["header"]),
    Module("userinfo-bearer-body", seen=lambda op: op.shown == ["body"], file={"userinfo_token": "body"}),
    Module("userinfo-invalid-sub", other_person, "oidc.userinfo.subject"),
    Module("nonce-invalid", says(nonce="n" * 43), "oidc.id_token.nonce"),
    Module("scope-userinfo-claims", seen=lambda op: op.asked_for[0]["scope"] == "openid profile email"),
]
CONFIG = [
    Module("discovery-openid-config", seen=lambda op: op.asked[0] == DISCOVERY),
    Module("discovery-jwks-uri-keys", keys_elsewhere, seen=lambda op: "/elsewhere/keys" in op.asked),
    Module("discovery-issuer-mismatch", another_issuer, "oidc.discovery.issuer"),
    Module("idtoken-sig-none", signs(lambda op: lambda claims: forge(claims, None)), "oidc.id_token.algorithm"),
    Module("signing-key-rotation", again=Op.rotate, seen=lambda op: op.count("/jwks") == 2),
    Module("signing-key-rotation-just-before-signing", again=rotates_late, seen=lambda op: op.count("/jwks") == 2),
]
BEYOND = [
    Module("missing-aud", leaves_out("aud"), "oidc.id_token.audience"),
    Module("invalid-athash", says(at_hash=at_hash("another")), "oidc.id_token.access_token_hash"),
    Module("invalid-chash", says(c_hash=at_hash("another")), "oidc.id_token.code_hash"),
    Module(
        "invalid-sig-es256",
        signs(lambda op: lambda claims: forge(claims, signer("ES256", op.signer.kid))),
        "oidc.id_token.key",
        file={"algorithms": frozenset({"ES256"})},
    ),
    Module(
        "invalid-sig-hs256",
        signs(lambda op: lambda claims: forge(claims, Mac("k", "HS256", b"another secret"))),
        "oidc.id_token.signature",
        file={"algorithms": frozenset({"HS256"})},
    ),
    Module("userinfo-signed", signed_userinfo, file={"userinfo_algorithms": frozenset({"RS256"})}),
    Module("form-post", file=FORM_POST),
    Module("form-post-error", refuses, "login.provider_refused", file=FORM_POST),
]
PLANS = {"basic": BASIC, "config": CONFIG, "beyond": BEYOND}
