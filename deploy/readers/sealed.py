"""Reads in Python what Écluse sends under a shared key (`translate.sealed`): sealed (JWE: dir, A256GCM) or signed (JWS:
HS256). It needs the package cryptography for what is sealed, and nothing for what is signed alone.

    claims = read(request.COOKIES["APPSESSION"], keys=[KEY], audience="permis", issuer="https://portail.example.org")

`keys`: as the files have them, in base64; two while one takes the place of the other.
"""

import base64
import hashlib
import hmac
import json
import time


class Refused(Exception):
    """The token is not believed. What is wrong is for the log, not for the browser."""


def read(token, keys, audience, issuer, now=None):
    """The claims of a token that is for this audience and has not ended. Raises Refused."""
    parts = token.encode("ascii", "replace").split(b".")
    header = _object(parts[0])
    key = next((key for key in map(base64.b64decode, keys) if _key_id(key) == header.get("kid")), None)
    if key is None:
        raise Refused("a key that is not known")
    if len(parts) == 3 and header.get("alg") == "HS256":
        made = hmac.new(key, parts[0] + b"." + parts[1], hashlib.sha256).digest()
        if not hmac.compare_digest(made, _bytes(parts[2])):
            raise Refused("a signature that is not of this key")
        claims = _object(parts[1])
    elif len(parts) == 5 and parts[1] == b"" and (header.get("alg"), header.get("enc")) == ("dir", "A256GCM"):
        claims = _opened(key, parts)
    else:
        raise Refused("neither sealed nor signed in a form that is known")
    if claims.get("aud") != audience or claims.get("iss") != issuer:
        raise Refused("for another application")
    if type(claims.get("exp")) is not int or claims["exp"] <= (time.time() if now is None else now):
        raise Refused("at its end")
    return claims


def _opened(key, parts):
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, tag = _bytes(parts[2]), _bytes(parts[4])
    if len(nonce) != 12 or len(tag) != 16:
        raise Refused("a seal that is not of this key")
    try:
        return json.loads(AESGCM(key).decrypt(nonce, _bytes(parts[3]) + tag, parts[0]))
    except InvalidTag:
        raise Refused("a seal that is not of this key") from None


def _key_id(key):
    return hashlib.sha256(b"ecluse key id\0" + key).hexdigest()[:16]


def _object(part):
    try:
        found = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        raise Refused("not a token") from None
    if not isinstance(found, dict):
        raise Refused("not a token")
    return found


def _bytes(part):
    try:
        return base64.b64decode(part.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(part) % 4), validate=True)
    except ValueError:
        raise Refused("not a token") from None
