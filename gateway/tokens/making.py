"""All tokens of one application for one person, and until when they may be sent (invariant 16)."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.model.codes import GATEWAY_FAULT
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.names import fold
from gateway.tokens.aspnet import MOST_CHANCE, aspnet_ticket, told_in_ticket
from gateway.tokens.claims import told
from gateway.tokens.jwt import sign
from gateway.tokens.ltpa import account_in_token, ltpa2_token
from gateway.tokens.sealed import NONCE_BYTES, sealed
from gateway.tokens.spec import AspNetTicketSpec, JwtSpec, Ltpa2Spec, SharedKeySpec, SigningKey, TokenSpec


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
        if isinstance(spec, AspNetTicketSpec):
            told_in_ticket(spec, identity)
        elif isinstance(spec, Ltpa2Spec):
            account_in_token(spec, identity)
        else:
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

    Raises GatewayError: TRANSLATION_UNENCODABLE, TRANSLATION_LENGTH, or GATEWAY_FAULT where there is no key for an
    algorithm.
    """
    headers, cookies = [], []
    renew_at = ends = not_after
    used = set()
    for spec in specs:
        end = int(min(now + spec.life, not_after + spec.spare))
        if isinstance(spec, AspNetTicketSpec):
            token = aspnet_ticket(spec, identity, issued=int(now), ends=end, chance=chance(MOST_CHANCE))
        elif isinstance(spec, Ltpa2Spec):
            token = ltpa2_token(spec, identity, ends=end)
        else:
            jti = urlsafe_b64encode(chance(16)).rstrip(b"=").decode("ascii")
            claims = {
                **told(spec.claims, identity),
                "iss": spec.issuer,
                "aud": spec.audience,
                "iat": int(now),
                "exp": end,
                "jti": jti,
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
        ends = min(ends, end - spec.spare)
        renew_at = min(renew_at, now + spec.life / 2, ends)
    return MadeTokens(b"".join(headers), b"; ".join(cookies), renew_at, ends, frozenset(used))


def described(specs: Iterable[TokenSpec], identity: Identity) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and cookies by name, for who asks what an application would be sent: what is told in clear, but for that
    which changes each time, and nothing that anybody could use. Raises GatewayError(TRANSLATION_UNENCODABLE)."""
    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    for spec in specs:
        place = headers if spec.carrier.kind == "header" else cookies
        place[spec.carrier.name] = f"{spec.carrier.scheme} {_description(spec, identity)}".lstrip()
    return headers, cookies


def _description(spec: TokenSpec, identity: Identity) -> str:
    if isinstance(spec, AspNetTicketSpec):
        name, user_data = told_in_ticket(spec, identity)
        told_too = {"UserData": user_data} if user_data else {}
        claims: Mapping[str, object] = {"Name": name, **told_too, "CookiePath": spec.path}
        kind = f"ASP.NET ticket, {spec.compatibility}, AES and {spec.validation}"
    elif isinstance(spec, Ltpa2Spec):
        claims, kind = {"u": f"user:{spec.realm}/{account_in_token(spec, identity)}"}, "LTPA2"
    else:
        claims = {**told(spec.claims, identity), "iss": spec.issuer, "aud": spec.audience}
        kind = f"{'JWE' if spec.algorithm == 'A256GCM' else 'JWT'}, {spec.algorithm}"
    return f"({kind}, {spec.life} s) {json.dumps(claims, ensure_ascii=False)}"


def folded_names(specs: Iterable[TokenSpec], kind: str) -> frozenset[bytes]:
    """Of their headers or cookies, folded (model.names): no client's ever passes."""
    return frozenset(fold(spec.carrier.name.encode()) for spec in specs if spec.carrier.kind == kind)


def _key(spec: JwtSpec, keys: Iterable[SigningKey]) -> SigningKey:
    for key in keys:
        if key.algorithm == spec.algorithm:
            return key
    raise GatewayError(GATEWAY_FAULT, f"there is no key that signs {spec.algorithm} tokens")
