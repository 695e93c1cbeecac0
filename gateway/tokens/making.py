"""Makes the tokens of one application for one person, with the time until which they may be sent (invariant 16)."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.model.codes import gateway_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.names import fold
from gateway.tokens.aspnet import MOST_CHANCE, aspnet_ticket, told_in_ticket
from gateway.tokens.claims import told
from gateway.tokens.jwt import least_length, sign
from gateway.tokens.ltpa import account_in_token, ltpa2_token
from gateway.tokens.sealed import NONCE_BYTES, sealed
from gateway.tokens.spec import AspNetTicketSpec, Carrier, JwtSpec, Ltpa2Spec, SharedKeySpec, SigningKey, TokenSpec

_ID_BYTES: Final = 16
# With as many digits as Unix seconds have from 2001 to 2286.
_SOME_TIME: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class MadeTokens:
    """`headers`, `cookies`: as in access.outcome.Prepared.
    `renew_at`, `ends`: Unix seconds; after `ends` the tokens are not sent.
    `keys`: the ids of the signing keys.
    """

    headers: bytes = field(repr=False)
    cookies: bytes = field(repr=False)
    renew_at: float
    ends: float
    keys: frozenset[str]


def check(specs: Iterable[TokenSpec], identity: Identity) -> None:
    """Checks that the tokens can describe this person. Raises GatewayError(translation_codes.UNENCODABLE)."""
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

    Raises GatewayError: translation_codes.UNENCODABLE, translation_codes.LENGTH, or gateway_codes.FAULT where there is
    no key for an algorithm.
    """
    headers: list[bytes] = []
    cookies: list[bytes] = []
    renew_at = ends = not_after
    used = set()
    for spec in specs:
        end = int(min(now + spec.life, not_after + spec.spare))
        if isinstance(spec, AspNetTicketSpec):
            token = aspnet_ticket(spec, identity, issued=int(now), ends=end, chance=chance(MOST_CHANCE))
        elif isinstance(spec, Ltpa2Spec):
            token = ltpa2_token(spec, identity, ends=end)
        else:
            claims = _claims(spec, identity, int(now), end, chance(_ID_BYTES))
            if isinstance(spec, SharedKeySpec):
                token = sealed(spec, claims, chance(NONCE_BYTES))
            else:
                key = _key(spec, keys)
                used.add(key.id)
                token = sign(key, claims)
        (cookies if spec.carrier.kind == "cookie" else headers).append(_carried(spec.carrier, token))
        ends = min(ends, end - spec.spare)
        renew_at = min(renew_at, now + spec.life / 2, ends)
    return MadeTokens(b"".join(headers), b"; ".join(cookies), renew_at, ends, frozenset(used))


def least_size(spec: TokenSpec, identity: Identity) -> int:
    """Bytes of the header line or the cookie that tells this person, at least: an RSA key may be longer than it has to
    be. Raises GatewayError, as `make` does."""
    if isinstance(spec, AspNetTicketSpec):
        token = aspnet_ticket(spec, identity, issued=_SOME_TIME, ends=_SOME_TIME, chance=bytes(MOST_CHANCE))
    elif isinstance(spec, Ltpa2Spec):
        token = ltpa2_token(spec, identity, ends=_SOME_TIME)
    else:
        claims = _claims(spec, identity, _SOME_TIME, _SOME_TIME, bytes(_ID_BYTES))
        if isinstance(spec, SharedKeySpec):
            token = sealed(spec, claims, bytes(NONCE_BYTES))
        else:
            token = bytes(least_length(spec.algorithm, claims))
    return len(_carried(spec.carrier, token))


def _claims(spec: JwtSpec | SharedKeySpec, identity: Identity, issued: int, end: int, id: bytes) -> dict[str, object]:
    return {
        **told(spec.claims, identity),
        "iss": spec.issuer,
        "aud": spec.audience,
        "iat": issued,
        "exp": end,
        "jti": urlsafe_b64encode(id).rstrip(b"=").decode("ascii"),
    }


def _carried(carrier: Carrier, token: bytes) -> bytes:
    """A cookie, or a header line beginning with CRLF."""
    name, scheme = carrier.name.encode("ascii"), carrier.scheme.encode("ascii")
    if carrier.kind == "cookie":
        return b"%b=%b" % (name, token)
    return b"\r\n%b: %b%b%b" % (name, scheme, b" " if scheme else b"", token)


def described(specs: Iterable[TokenSpec], identity: Identity) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and cookies by name, for tools that show what an application would receive: the readable content, without
    parts that change each time, and unusable as a token. Raises GatewayError(translation_codes.UNENCODABLE).
    """
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
    raise GatewayError(gateway_codes.FAULT, f"there is no key that signs {spec.algorithm} tokens")
