"""All tokens of one application for one person, and until when they may be sent (invariant 16)."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gateway.model.codes import GATEWAY_FAULT
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.names import fold
from gateway.tokens.claims import told
from gateway.tokens.jwt import sign
from gateway.tokens.sealed import NONCE_BYTES, sealed
from gateway.tokens.spec import JwtSpec, SharedKeySpec, SigningKey, TokenSpec


@dataclass(frozen=True, slots=True)
class MadeTokens:
    """`headers` and `cookies` as access.outcome.Prepared has them. `renew_at`, `ends`: Unix seconds; past `ends`
    nothing of this is sent. `keys`: the ids of those that signed."""

    headers: bytes = field(repr=False)
    cookies: bytes = field(repr=False)
    renew_at: float
    ends: float
    keys: frozenset[str]


def check(specs: Iterable[TokenSpec], identity: Identity) -> None:
    """Whether they can tell this person. Raises GatewayError(TRANSLATION_UNENCODABLE)."""
    for spec in specs:
        told(spec.claims, identity)


def make(
    specs: Sequence[TokenSpec],
    identity: Identity,
    keys: Sequence[SigningKey],
    *,
    now: float,
    not_after: float,
    chance: Callable[[int], bytes],
) -> MadeTokens:
    """`keys`: of each algorithm the first signs. `now`, `not_after`: Unix seconds; no token lives longer than it may be
    on its way after `not_after`. `chance`: so many random bytes.

    Raises GatewayError: TRANSLATION_UNENCODABLE, or GATEWAY_FAULT where there is no key for an algorithm.
    """
    headers, cookies = [], []
    renew_at = ends = not_after
    used = set()
    for spec in specs:
        end = min(now + spec.life, not_after + spec.spare)
        claims = {
            **told(spec.claims, identity),
            "iss": spec.issuer,
            "aud": spec.audience,
            "iat": int(now),
            "exp": int(end),
            "jti": urlsafe_b64encode(chance(16)).rstrip(b"=").decode("ascii"),
        }
        if isinstance(spec, SharedKeySpec):
            token = sealed(spec, claims, chance(NONCE_BYTES))
        else:
            key = _key(spec, keys)
            used.add(key.id)
            token = sign(key, claims)
        name = spec.carrier.name.encode("ascii")
        if spec.carrier.kind == "cookie":
            cookies.append(b"%b=%b" % (name, token))
        else:
            scheme = spec.carrier.scheme.encode("ascii")
            headers.append(b"\r\n%b: %b%b%b" % (name, scheme, b" " if scheme else b"", token))
        ends = min(ends, int(end) - spec.spare)
        renew_at = min(renew_at, now + spec.life / 2, ends)
    return MadeTokens(b"".join(headers), b"; ".join(cookies), renew_at, ends, frozenset(used))


def described(specs: Iterable[TokenSpec], identity: Identity) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and cookies by name, for who asks what an application would be sent: the claims in clear, but for those
    that change each time, and nothing that anybody could use. Raises GatewayError(TRANSLATION_UNENCODABLE)."""
    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    for spec in specs:
        claims = {**told(spec.claims, identity), "iss": spec.issuer, "aud": spec.audience}
        kind = "JWE" if spec.algorithm == "A256GCM" else "JWT"
        text = f"({kind}, {spec.algorithm}, {spec.life} s) {json.dumps(claims, ensure_ascii=False)}"
        place = headers if spec.carrier.kind == "header" else cookies
        place[spec.carrier.name] = f"{spec.carrier.scheme} {text}".lstrip()
    return headers, cookies


def folded_names(specs: Iterable[TokenSpec], kind: str) -> frozenset[bytes]:
    """Of their headers or cookies, folded (model.names): no client's ever passes."""
    return frozenset(fold(spec.carrier.name.encode()) for spec in specs if spec.carrier.kind == kind)


def _key(spec: JwtSpec, keys: Iterable[SigningKey]) -> SigningKey:
    for key in keys:
        if key.algorithm == spec.algorithm:
            return key
    raise GatewayError(GATEWAY_FAULT, f"there is no key that signs {spec.algorithm} tokens")
