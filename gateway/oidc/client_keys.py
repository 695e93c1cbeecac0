"""Our private keys towards providers: signing, and publishing the public halves."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from gateway.model.provider import ClientKey

OPENING = ("RSA-OAEP-256", "ECDH-ES")
# Loading a key takes as long as signing with it. After a change of keys, the old ones are soon pushed out.
_KEPT = 1024


def sign(key: ClientKey, claims: Mapping[str, object], typ: str = "JWT") -> str:
    """A JWT of that `typ` with the claims, signed with the key (RFC 7515 3.1)."""
    private, kid = _read(key)
    header = {"alg": key.algorithm, "typ": typ, "kid": kid}
    if key.x5t is not None:
        header["x5t"] = key.x5t
    return jwt.encode(header, dict(claims), private, algorithms=[key.algorithm])


def jwk_set(keys: Iterable[ClientKey]) -> dict[str, object]:
    """The public halves as a JWK Set (RFC 7517 5), each once."""
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
