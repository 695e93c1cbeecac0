"""RFC 7517: a provider's signing keys. A key that cannot be used is left out; it does not spoil the others."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from gateway.model.codes import OIDC_JWKS
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.oidc.algorithms import ALGORITHMS, OF_PUBLIC_KEYS, Algorithm, KeyKind
from gateway.oidc.call import Call, ProviderResponse
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import response_object

WHAT = "key set"
MOST_KEYS = 64
_CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519",)}
_LONGEST_KID = 512


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """`algorithm`: the only one for which the provider published the key, None if it did not say."""

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
    document = response_object(response, OIDC_JWKS, WHAT, ("application/json", "application/jwk-set+json"))
    published = document.get("keys")
    # RFC 7517 5.1
    if not isinstance(published, list):
        raise GatewayError(OIDC_JWKS, f"{WHAT}: `keys` is not an array")
    if len(published) > MOST_KEYS:
        raise GatewayError(OIDC_JWKS, f"{WHAT}: {len(published)} keys, at most {MOST_KEYS} are read")
    keys: list[VerificationKey] = []
    left_out: list[str] = []
    for place, jwk in enumerate(published):
        try:
            keys.append(_verification_key(jwk))
        except (ValueError, TypeError, JoseError) as error:
            left_out.append(f"key {place}: {quoted(str(error))}")
    if not keys:
        raise GatewayError(OIDC_JWKS, f"{WHAT}: no key that can verify a signature ({'; '.join(left_out)[:500]})")
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
