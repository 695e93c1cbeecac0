"""RFC 7516: decrypt a token in compact form, with the pinned algorithms and our keys."""

import re

from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry, decrypt_compact

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import ClientKey, Encryption
from gateway.model.quoting import quoted
from gateway.oidc.client_keys import key_id, private_key
from gateway.oidc.documents import JsonObject, parse_object
from gateway.oidc.jws import LONGEST_TOKEN, decode_segment

_CONTENT = re.compile(r"[\x21-\x7e]+")
# RFC 7518 5.3 and 5.2: bytes of initialisation vector and tag. A shorter tag would be easier to guess.
_SIZES = {"A128GCM": (12, 16), "A256GCM": (12, 16), "A128CBC-HS256": (16, 16), "A256CBC-HS512": (16, 32)}


def decrypt(token: str, encryption: Encryption) -> str:
    """The signed token inside, not verified yet. Raises GatewayError, with its own code for each check."""
    if len(token) > LONGEST_TOKEN:
        raise GatewayError(oidc_codes.ENCRYPTION, f"{len(token)} characters, at most {LONGEST_TOKEN} are read")
    segments = token.split(".")
    # RFC 7516 7.1: five segments. Where encryption was agreed, a token that is only signed is refused.
    if len(segments) != 5:
        raise GatewayError(oidc_codes.ENCRYPTION, f"{len(segments)} segments, not the 5 of an encrypted token")
    header = parse_object(decode_segment(segments[0], "header"), oidc_codes.ENCRYPTION, "header")
    keys = _check_header(header, encryption)
    vector, tag = decode_segment(segments[2], "initialisation vector"), decode_segment(segments[4], "tag")
    if (len(vector), len(tag)) != _SIZES[str(header["enc"])]:
        raise GatewayError(oidc_codes.ENCRYPTION, "an initialisation vector or a tag of another length than it has")
    for key in keys:
        plain = _opened(token, key, str(header["enc"]))
        if plain is not None:
            return _nested(plain)
    raise GatewayError(oidc_codes.ENCRYPTION, f"opened by none of the {len(keys)} keys that fit")


def _check_header(header: JsonObject, encryption: Encryption) -> list[ClientKey]:
    """The keys that may open the token. Members that carry or point to keys are ignored, except `epk`."""
    # RFC 8725 3.1: algorithms are pinned per provider; the token chooses among these only.
    alg, enc = header.get("alg"), header.get("enc")
    fitting = [key for key in encryption.keys if key.algorithm == alg]
    if not fitting or not isinstance(enc, str) or enc not in encryption.content:
        accepted = ", ".join(sorted({key.algorithm for key in encryption.keys} | encryption.content))
        detail = f"encrypted with {quoted(alg)} and {quoted(enc)}; the provider file accepts {accepted}"
        raise GatewayError(oidc_codes.ENCRYPTION_ALGORITHM, detail)
    # RFC 7516 4.1.3: compressed content may be far larger than it looks. 4.1.13: we understand no extension.
    for member in ("zip", "crit"):
        if member in header:
            raise GatewayError(oidc_codes.ENCRYPTION, f"header with {member}")
    kid = header.get("kid")
    named = [key for key in fitting if key_id(key) == kid]
    if kid is not None and not named:
        raise GatewayError(
            oidc_codes.ENCRYPTION, f"encrypted for a key of kid {quoted(kid, 80)}, which is not a key of ours"
        )
    return named or fitting


def _opened(token: str, key: ClientKey, enc: str) -> bytes | None:
    registry = JWERegistry(algorithms=[key.algorithm, enc], strict_check_header=False)
    try:
        return decrypt_compact(token, private_key(key), registry=registry).plaintext
    except (JoseError, ValueError, TypeError):
        return None


def _nested(plain: bytes) -> str:
    text = plain.decode("ascii", "replace")
    if _CONTENT.fullmatch(text) is None:
        raise GatewayError(oidc_codes.ENCRYPTION, "no token inside")
    return text
