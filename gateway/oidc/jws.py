"""A provider's published keys (RFC 7517), and the tokens signed (RFC 7515) with pinned algorithms."""

import base64
import binascii
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from string import ascii_letters, digits
from typing import cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.oidc.algorithms import ALGORITHMS, OF_PUBLIC_KEYS, Algorithm, KeyKind
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call, JsonObject, ProviderResponse, parse_object, response_object

# --- keys. One that cannot be used is left out; it does not spoil the others

WHAT = "key set"
MOST_KEYS = 64
_CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519",)}
_LONGEST_KID = 512


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """`algorithm`: the algorithm that the provider published with the key. None: not published."""

    kid: str | None
    kind: KeyKind
    algorithm: str | None
    key: Key

    def fits(self, algorithm: Algorithm) -> bool:
        if self.kind != algorithm.kind:
            return False
        # K164: a key published for one algorithm serves no other. EdDSA and Ed25519 are names of the same algorithm.
        return self.algorithm is None or ALGORITHMS[self.algorithm].model == algorithm.model


@dataclass(frozen=True, slots=True)
class JsonWebKeySet:
    """`left_out`: for the operator, the reasons why published keys are not among `keys`."""

    keys: tuple[VerificationKey, ...]
    left_out: tuple[str, ...] = ()

    def suitable(self, algorithm: Algorithm, kid: str | None) -> tuple[VerificationKey, ...]:
        """The keys that may have made a signature (OIDC Core 10.1): without a kid, every key of the right type."""
        return tuple(key for key in self.keys if key.fits(algorithm) and (kid is None or key.kid == kid))


def jwks_request(metadata: ProviderMetadata) -> Call:
    return Call(WHAT, "GET", metadata.jwks_uri, (("Accept", "application/jwk-set+json, application/json"),))


def process_jwks_response(response: ProviderResponse) -> JsonWebKeySet:
    document = response_object(response, oidc_codes.JWKS, WHAT, ("application/json", "application/jwk-set+json"))
    published = document.get("keys")
    # RFC 7517 5.1
    if not isinstance(published, list):
        raise GatewayError(oidc_codes.JWKS, f"{WHAT}: `keys` is not an array")
    if len(published) > MOST_KEYS:
        raise GatewayError(oidc_codes.JWKS, f"{WHAT}: {len(published)} keys, at most {MOST_KEYS} are read")
    keys: list[VerificationKey] = []
    left_out: list[str] = []
    for place, jwk in enumerate(published):
        try:
            keys.append(_verification_key(jwk))
        except (ValueError, TypeError, JoseError) as error:
            left_out.append(f"key {place}: {quoted(str(error))}")
    if not keys:
        raise GatewayError(oidc_codes.JWKS, f"{WHAT}: no key that can verify a signature ({'; '.join(left_out)[:500]})")
    return JsonWebKeySet(tuple(keys), tuple(left_out))


def _verification_key(jwk: object) -> VerificationKey:
    if not isinstance(jwk, dict):
        raise ValueError("not an object")
    # RFC 7517 4.2 and 4.3
    if jwk.get("use", "sig") != "sig":
        raise ValueError("not for signatures")
    operations = jwk.get("key_ops")
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        raise ValueError("not for verification")
    algorithm = jwk.get("alg")
    if algorithm is not None and (not isinstance(algorithm, str) or algorithm not in OF_PUBLIC_KEYS):
        raise ValueError("published for an algorithm that is not accepted")
    kid = jwk.get("kid")
    if kid is not None and (not isinstance(kid, str) or len(kid) > _LONGEST_KID):
        raise ValueError("its kid is not a short string")
    kind, key = _public_key(jwk)
    return VerificationKey(kid, kind, algorithm, key)


def _public_key(jwk: Mapping[str, object]) -> tuple[KeyKind, Key]:
    """Only the public members are handed on. Others (x5c, x5u, d) are never read."""
    kty, curve = jwk.get("kty"), jwk.get("crv")
    if kty == "RSA":
        return "RSA", _rsa_key(_member(jwk, "n"), _member(jwk, "e"))
    if kty not in ("EC", "OKP") or curve not in _CURVES[kty]:
        raise ValueError("its type or curve is not accepted")
    if kty == "EC":
        key = ECKey.import_key({"kty": "EC", "crv": curve, "x": _member(jwk, "x"), "y": _member(jwk, "y")})
        return cast(KeyKind, curve), key
    return "Ed25519", OKPKey.import_key({"kty": "OKP", "crv": curve, "x": _member(jwk, "x")})


def _rsa_key(modulus: str, exponent: str) -> RSAKey:
    # RFC 7518 3.3: 2048 bits at least. Far longer keys only cost time.
    size = _integer(modulus).bit_length()
    if not 2048 <= size <= 8192:
        raise ValueError(f"an RSA key of {size} bits, not of 2048 to 8192")
    if _integer(exponent).bit_length() > 32:
        raise ValueError("its RSA exponent is too large")
    return RSAKey.import_key({"kty": "RSA", "n": modulus, "e": exponent})


def _integer(text: str) -> int:
    try:
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
    except binascii.Error as error:
        raise ValueError("a number is not base64url") from error


def _member(jwk: Mapping[str, object], name: str) -> str:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise TypeError(f"`{name}` is not a string")
    return value


# --- signed tokens, in compact form

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
        raise GatewayError(oidc_codes.ID_TOKEN_FORM, f"{len(token)} characters, at most {LONGEST_TOKEN} are read")
    segments = token.split(".")
    # RFC 7515 7.1: three segments. Five are an encrypted token, which was not agreed on. RFC 7515 10.7: the JSON
    # serialisation, with several signatures, is not read.
    if len(segments) != 3:
        raise GatewayError(oidc_codes.ID_TOKEN_FORM, f"{len(segments)} segments, not the 3 of a signed token")
    header_bytes, payload_bytes = decode_segment(segments[0], "header"), decode_segment(segments[1], "payload")
    header = parse_object(header_bytes, oidc_codes.ID_TOKEN_HEADER, "header")
    kid = _check_header(header, kinds)
    # A token with an empty signature is refused for its algorithm, which tells the operator more.
    signature = decode_segment(segments[2], "signature") if segments[2] else b""
    return SignedToken(
        algorithm=header.get("alg"),
        kid=kid,
        payload=parse_object(payload_bytes, oidc_codes.ID_TOKEN_FORM, "payload"),
        signing_input=f"{segments[0]}.{segments[1]}".encode("ascii"),
        signature=signature,
    )


def verify_signature(
    token: SignedToken, keys: JsonWebKeySet, allowed: Collection[str], client_secret: str | None = None
) -> Algorithm:
    """The algorithm with which one of the keys made the signature. Raises GatewayError if no key made the signature.

    `allowed`: the pinned algorithms; `client_secret`: the key of a MAC.
    """
    # OIDC Core 3.1.3.7 (7), RFC 8725 3.1: algorithms are pinned per provider; the token chooses among these only.
    algorithm = ALGORITHMS.get(token.algorithm) if isinstance(token.algorithm, str) else None
    if algorithm is None or algorithm.name not in allowed:
        detail = f"signed with {quoted(token.algorithm)}; the provider file accepts {', '.join(sorted(allowed))}"
        raise GatewayError(oidc_codes.ID_TOKEN_ALGORITHM, detail)
    # OIDC Core 3.1.3.7 (8): a MAC is made with the client secret, never with a published key.
    if algorithm.kind == "secret":
        _verify_mac(token, client_secret)
    else:
        _verify_with_published(token, keys, algorithm)
    return algorithm


def _verify_mac(token: SignedToken, client_secret: str | None) -> None:
    if not client_secret:
        raise GatewayError(oidc_codes.ID_TOKEN_SIGNATURE, "a MAC, and there is no client secret to check it with")
    expected = hmac.digest(client_secret.encode("utf-8"), token.signing_input, "sha256")
    if not hmac.compare_digest(token.signature, expected):
        raise GatewayError(oidc_codes.ID_TOKEN_SIGNATURE, "HS256 signature not made with the client secret")


def _verify_with_published(token: SignedToken, keys: JsonWebKeySet, algorithm: Algorithm) -> None:
    # OIDC Core 10.1
    suitable = keys.suitable(algorithm, token.kid)
    if not suitable:
        name = "without a kid" if token.kid is None else f"with kid {quoted(token.kid, 80)}"
        unread = f"; left out: {'; '.join(keys.left_out)[:500]}" if keys.left_out else ""
        raise GatewayError(
            oidc_codes.ID_TOKEN_KEY, f"no published {algorithm.kind} key {name} for {algorithm.name}{unread}"
        )
    if len(suitable) > _MOST_TRIED:
        found = f"{len(suitable)} published {algorithm.kind} keys fit, at most {_MOST_TRIED} are tried"
        raise GatewayError(oidc_codes.ID_TOKEN_KEY, f"{found}: the provider has to name the key by a kid of its own")
    # OIDC Core 3.1.3.7 (6), RFC 7515 5.2
    if not any(_signed_by(token, key, algorithm) for key in suitable):
        detail = f"{algorithm.name} signature of none of the {len(suitable)} keys that fit"
        raise GatewayError(oidc_codes.ID_TOKEN_SIGNATURE, detail)


def _check_header(header: JsonObject, kinds: Collection[str]) -> str | None:
    """The kid, if any. Members that point to keys (jku, jwk, x5u, x5c: RFC 7515 4.1.2 to 4.1.6) are ignored."""
    # RFC 7515 4.1.11, RFC 7797, RFC 7516 4.1.3: we understand no extension.
    for member in ("crit", "b64", "zip"):
        if member in header:
            raise GatewayError(oidc_codes.ID_TOKEN_HEADER, f"header with {member}")
    # RFC 8725 3.11: another type of token (at+jwt, logout+jwt) is not accepted as an ID token. RFC 7515 4.1.9: the
    # prefix may be missing.
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in kinds:
        raise GatewayError(oidc_codes.ID_TOKEN_HEADER, f"header with typ {quoted(typ)}, not {' or '.join(kinds)}")
    # RFC 7515 4.1.4
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise GatewayError(oidc_codes.ID_TOKEN_HEADER, "header with a kid that is not a string")
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
        raise GatewayError(oidc_codes.ID_TOKEN_FORM, f"{what} is not base64url") from error
    if segment[-1] not in _LAST[len(segment) % 4]:
        raise GatewayError(oidc_codes.ID_TOKEN_FORM, f"{what} is not base64url in its one spelling")
    return decoded
