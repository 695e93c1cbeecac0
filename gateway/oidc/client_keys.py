"""Our own private keys towards providers: what they sign and open, and what of them is published."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from gateway.model.provider import ClientKey

OPENING = ("RSA-OAEP-256", "ECDH-ES")
# Reading a key takes as long as signing with it; a roll-over leaves nothing behind for long.
_KEPT = 1024


def sign(key: ClientKey, claims: Mapping[str, object], typ: str = "JWT") -> str:
    """RFC 7515 3.1: the claims in a signed token of that `typ`."""
    private, kid = _read(key)
    header = {"alg": key.algorithm, "typ": typ, "kid": kid}
    if key.x5t is not None:
        header["x5t"] = key.x5t
    return jwt.encode(header, dict(claims), private, algorithms=[key.algorithm])


def jwk_set(keys: Iterable[ClientKey]) -> dict[str, object]:
    """RFC 7517 5: the public halves, each once."""
    published = {kid: _public(key, private, kid) for key in keys for private, kid in (_read(key),)}
    return {"keys": list(published.values())}


def private_key(key: ClientKey) -> RSAKey | ECKey:
    return _read(key)[0]


def key_id(key: ClientKey) -> str:
    return _read(key)[1]


def _public(key: ClientKey, private: RSAKey | ECKey, kid: str) -> dict[str, object]:
    members = private.as_dict(private=False)
    return {**members, "kid": kid, "use": "enc" if key.algorithm in OPENING else "sig", "alg": key.algorithm}


@lru_cache(_KEPT)
def _read(key: ClientKey) -> tuple[RSAKey | ECKey, str]:
    """The key and its kid."""
    kind = ECKey if key.algorithm in ("ES256", "ECDH-ES") else RSAKey
    private = kind.import_key(key.pem)
    # RFC 7638
    return private, key.id or private.thumbprint()
