"""RFC 7515: parse a signed token in compact form, and verify it with pinned algorithms and published keys."""

import base64
import binascii
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from string import ascii_letters, digits

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from gateway.model.codes import (
    OIDC_ID_TOKEN_ALGORITHM,
    OIDC_ID_TOKEN_FORM,
    OIDC_ID_TOKEN_HEADER,
    OIDC_ID_TOKEN_KEY,
    OIDC_ID_TOKEN_SIGNATURE,
)
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.oidc.algorithms import ALGORITHMS, Algorithm
from gateway.oidc.documents import JsonObject, parse_object
from gateway.oidc.jwks import JsonWebKeySet, VerificationKey

LONGEST_TOKEN = 65536
# Each costs a verification, and a stranger's token may name no key.
_MOST_TRIED = 8
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
# RFC 4648 3.5: by length modulo 4, the last characters whose bits beyond the last byte are zero
_LAST = {0: frozenset(ascii_letters + digits + "_-"), 2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A well-formed token. Its signature is not verified before `verify_signature`."""

    algorithm: object
    kid: str | None
    payload: JsonObject = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse_compact(token: str, kinds: Collection[str] = ("jwt",)) -> SignedToken:
    """Parse a token. `kinds`: allowed values of `typ`, in lower case, without `application/`; a missing one is `jwt`.

    Raises GatewayError, with the codes of the ID token.
    """
    if len(token) > LONGEST_TOKEN:
        raise GatewayError(OIDC_ID_TOKEN_FORM, f"{len(token)} characters, at most {LONGEST_TOKEN} are read")
    segments = token.split(".")
    # RFC 7515 7.1: three segments. Five are an encrypted token, which was not agreed on. RFC 7515 10.7: the JSON
    # serialisation, with several signatures, is not read.
    if len(segments) != 3:
        raise GatewayError(OIDC_ID_TOKEN_FORM, f"{len(segments)} segments, not the 3 of a signed token")
    header_bytes, payload_bytes = decode_segment(segments[0], "header"), decode_segment(segments[1], "payload")
    header = parse_object(header_bytes, OIDC_ID_TOKEN_HEADER, "header")
    kid = _check_header(header, kinds)
    # A token with an empty signature is refused for its algorithm, which tells the operator more.
    signature = decode_segment(segments[2], "signature") if segments[2] else b""
    return SignedToken(
        algorithm=header.get("alg"),
        kid=kid,
        payload=parse_object(payload_bytes, OIDC_ID_TOKEN_FORM, "payload"),
        signing_input=f"{segments[0]}.{segments[1]}".encode("ascii"),
        signature=signature,
    )


def verify_signature(
    token: SignedToken, keys: JsonWebKeySet, allowed: Collection[str], client_secret: str | None = None
) -> Algorithm:
    """The algorithm with which one of the keys made the signature. Raises GatewayError if none did.

    `allowed`: the pinned algorithms; `client_secret`: the key of a MAC.
    """
    # OIDC Core 3.1.3.7 (7), RFC 8725 3.1: algorithms are pinned per provider; the token chooses among these only.
    algorithm = ALGORITHMS.get(token.algorithm) if isinstance(token.algorithm, str) else None
    if algorithm is None or algorithm.name not in allowed:
        detail = f"signed with {quoted(token.algorithm)}; the provider file accepts {', '.join(sorted(allowed))}"
        raise GatewayError(OIDC_ID_TOKEN_ALGORITHM, detail)
    # OIDC Core 3.1.3.7 (8): a MAC is made with the client secret, never with a published key.
    if algorithm.kind == "secret":
        _verify_mac(token, client_secret)
    else:
        _verify_with_published(token, keys, algorithm)
    return algorithm


def _verify_mac(token: SignedToken, client_secret: str | None) -> None:
    if not client_secret:
        raise GatewayError(OIDC_ID_TOKEN_SIGNATURE, "a MAC, and there is no client secret to check it with")
    expected = hmac.digest(client_secret.encode("utf-8"), token.signing_input, "sha256")
    if not hmac.compare_digest(token.signature, expected):
        raise GatewayError(OIDC_ID_TOKEN_SIGNATURE, "HS256 signature not made with the client secret")


def _verify_with_published(token: SignedToken, keys: JsonWebKeySet, algorithm: Algorithm) -> None:
    # OIDC Core 10.1
    suitable = keys.suitable(algorithm, token.kid)
    if not suitable:
        name = "without a kid" if token.kid is None else f"with kid {quoted(token.kid, 80)}"
        unread = f"; left out: {'; '.join(keys.left_out)[:500]}" if keys.left_out else ""
        raise GatewayError(OIDC_ID_TOKEN_KEY, f"no published {algorithm.kind} key {name} for {algorithm.name}{unread}")
    if len(suitable) > _MOST_TRIED:
        found = f"{len(suitable)} published {algorithm.kind} keys fit, at most {_MOST_TRIED} are tried"
        raise GatewayError(OIDC_ID_TOKEN_KEY, f"{found}: the provider has to name the key by a kid of its own")
    # OIDC Core 3.1.3.7 (6), RFC 7515 5.2
    if not any(_signed_by(token, key, algorithm) for key in suitable):
        detail = f"{algorithm.name} signature of none of the {len(suitable)} keys that fit"
        raise GatewayError(OIDC_ID_TOKEN_SIGNATURE, detail)


def _check_header(header: JsonObject, kinds: Collection[str]) -> str | None:
    """The kid, if any. Members that point to keys (jku, jwk, x5u, x5c: RFC 7515 4.1.2 to 4.1.6) are ignored."""
    # RFC 7515 4.1.11, RFC 7797, RFC 7516 4.1.3: we understand no extension.
    for member in ("crit", "b64", "zip"):
        if member in header:
            raise GatewayError(OIDC_ID_TOKEN_HEADER, f"header with {member}")
    # RFC 8725 3.11: another type of token (at+jwt, logout+jwt) is not accepted as an ID token. RFC 7515 4.1.9: the
    # prefix may be missing.
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in kinds:
        raise GatewayError(OIDC_ID_TOKEN_HEADER, f"header with typ {quoted(typ)}, not {' or '.join(kinds)}")
    # RFC 7515 4.1.4
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise GatewayError(OIDC_ID_TOKEN_HEADER, "header with a kid that is not a string")
    return kid


def _signed_by(token: SignedToken, key: VerificationKey, algorithm: Algorithm) -> bool:
    try:
        return JWSRegistry.algorithms[algorithm.model].verify(token.signing_input, token.signature, key.key)
    except (JoseError, ValueError):
        return False


def decode_segment(segment: str, what: str) -> bytes:
    """Base64url without padding (RFC 7515 2), in one spelling only: trailing bits have to be zero (RFC 4648 3.5)."""
    try:
        if not _SEGMENT.fullmatch(segment):
            raise binascii.Error
        decoded = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise GatewayError(OIDC_ID_TOKEN_FORM, f"{what} is not base64url") from error
    if segment[-1] not in _LAST[len(segment) % 4]:
        raise GatewayError(OIDC_ID_TOKEN_FORM, f"{what} is not base64url in its one spelling")
    return decoded
