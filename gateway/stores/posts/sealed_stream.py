"""A sealed body, chunk by chunk: AES-256-GCM in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO
2015, section 7).

The nonce of a chunk is its number and a flag for the last chunk. If a chunk is left out, moved, doubled or cut off, the
next chunk does not open. A key seals one body only, so that no nonce comes twice.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.model.codes import kept_post_codes
from gateway.model.errors import GatewayError

CHUNK: Final = 64 << 10
TAG: Final = 16
SEALED_CHUNK: Final = CHUNK + TAG
_NUMBER_BYTES: Final = 11


class SealedStream:
    """Seals or opens one body, from its first chunk on.

    `key`: 32 bytes, used for this body alone.
    `bound_to`: authenticated with each chunk; the body opens only with the same value.
    """

    __slots__ = ("_bound_to", "_cipher", "_number")

    def __init__(self, key: bytes, bound_to: bytes) -> None:
        self._cipher = AESGCM(key)
        self._bound_to = bound_to
        self._number = 0

    def seal(self, plain: bytes, *, last: bool) -> bytes:
        """`plain`: CHUNK bytes, or fewer for the last chunk."""
        return self._cipher.encrypt(self._nonce(last=last), plain, self._bound_to)

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        """Raises GatewayError(kept_post_codes.GONE): cut, altered, or sealed under another key."""
        try:
            return self._cipher.decrypt(self._nonce(last=last), sealed, self._bound_to)
        except InvalidTag:
            raise GatewayError(kept_post_codes.GONE, f"chunk {self._number} of a kept post does not open") from None

    def _nonce(self, *, last: bool) -> bytes:
        self._number += 1
        return self._number.to_bytes(_NUMBER_BYTES, "big") + bytes((last,))


def plain_size(sealed: int) -> int:
    """Bytes of the body in a file of `sealed` bytes. Raises GatewayError(kept_post_codes.GONE) for a size that no whole
    file has."""
    whole, rest = divmod(sealed, SEALED_CHUNK)
    if sealed == 0 or 0 < rest < TAG:
        raise GatewayError(kept_post_codes.GONE, "the file of a kept post was cut")
    return whole * CHUNK + (rest - TAG if rest else 0)
