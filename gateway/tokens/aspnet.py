"""Tickets of ASP.NET Forms Authentication, as System.Web of the .NET Framework makes and reads them.

The layouts are those of Microsoft's reference source (System.Web): FormsAuthenticationTicketSerializer,
MachineKeySection.EncryptOrDecryptData (Framework20SP1 and Framework20SP2, alike since MS10-070), and
NetFXCryptoService with keys by SP800-108 (Framework45).
"""

import hmac
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.tokens.claims import account, single_value
from gateway.tokens.spec import AspNetTicketSpec, TicketValidation

BLOCK_BYTES: Final = 16
# A salt is as long as the key, and an initialisation vector as a block.
MOST_CHANCE: Final = 32
DECRYPTION_KEY_BYTES: Final = (16, 24, 32)
# machineKey takes 40 to 128 hexadecimal digits.
VALIDATION_KEY_BYTES: Final = range(20, 65)
# FormsAuthentication.MAX_TICKET_LENGTH, in characters: a longer one is not read.
LONGEST: Final = 4096

_DIGESTS: Final[dict[TicketValidation, str]] = {
    "SHA1": "sha1",
    "HMACSHA256": "sha256",
    "HMACSHA384": "sha384",
    "HMACSHA512": "sha512",
}
_FORMAT: Final = b"\x01"
# The number that an application writes, and that nobody reads.
_VERSION: Final = b"\x02"
_SPACER, _FOOTER = b"\xfe", b"\xff"
_PURPOSE: Final = b"FormsAuthentication.Ticket"
# From year 1 to 1970; a tick is 100 ns.
_EPOCH_SECONDS: Final = 62_135_596_800
_TICKS: Final = 10_000_000


def machine_key(content: bytes, lengths: range | tuple[int, ...]) -> bytes:
    """`content`: hexadecimal digits, as web.config has them. Raises ValueError, without the key."""
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        raise ValueError("not hexadecimal digits") from None
    if len(key) not in lengths:
        raise ValueError(f"{2 * len(key)} digits")
    return key


def aspnet_ticket(spec: AspNetTicketSpec, identity: Identity, *, issued: int, ends: int, chance: bytes) -> bytes:
    """The value of the cookie. `issued`, `ends`: Unix seconds; `chance`: 32 random bytes, others for each.

    Raises GatewayError: translation_codes.UNENCODABLE, or translation_codes.LENGTH where ASP.NET would not read it for
    its length.
    """
    name, user_data = told_in_ticket(spec, identity)
    found = protected(spec, serialized(spec, name=name, user_data=user_data, issued=issued, ends=ends), chance)
    if len(found) > LONGEST:
        raise GatewayError(translation_codes.LENGTH, f"a ticket of {len(found)} characters; ASP.NET reads {LONGEST}")
    return found


def told_in_ticket(spec: AspNetTicketSpec, identity: Identity) -> tuple[str, str]:
    """Name and UserData. Raises GatewayError(translation_codes.UNENCODABLE)."""
    name = account(spec.account, identity, spec.carrier.name)
    return name, "" if spec.user_data is None else single_value(spec.user_data, identity)


def protected(spec: AspNetTicketSpec, written: bytes, chance: bytes) -> bytes:
    """Encrypted and signed, in upper-case hexadecimal. `written`: as `serialized` gives it."""
    if spec.compatibility == "Framework45":
        encryption, validation = (_derived(key) for key in (spec.decryption_key, spec.validation_key))
        vector = chance[:BLOCK_BYTES]
        sealed = vector + _encrypted(encryption, vector, written)
    else:
        # The vector is zero; as many random bytes as the key has stand before what is encrypted.
        encryption, validation = spec.decryption_key, spec.validation_key
        salted = chance[: len(encryption)] + written + _mac(spec, validation, written)
        sealed = _encrypted(encryption, bytes(BLOCK_BYTES), salted)
    return (sealed + _mac(spec, validation, sealed)).hex().upper().encode("ascii")


def serialized(spec: AspNetTicketSpec, *, name: str, user_data: str, issued: int, ends: int) -> bytes:
    """FormsAuthenticationTicketSerializer. A ticket is not persistent: the browser never has it."""
    head = (_FORMAT, _VERSION, _ticks(issued), _SPACER, _ticks(ends), b"\0")
    return b"".join((*head, _string(name), _string(user_data), _string(spec.path), _FOOTER))


def _ticks(seconds: int) -> bytes:
    """DateTime.Ticks, in UTC."""
    return ((seconds + _EPOCH_SECONDS) * _TICKS).to_bytes(8, "little")


def _string(text: str) -> bytes:
    """UTF-16, after the number of its units in sevens of bits, the lowest first (BinaryWriter.Write7BitEncodedInt)."""
    units = text.encode("utf-16-le")
    number, length = len(units) // 2, bytearray()
    while number >= 0x80:
        length.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*length, number)) + units


def _encrypted(key: bytes, vector: bytes, content: bytes) -> bytes:
    padder, encryptor = PKCS7(8 * BLOCK_BYTES).padder(), Cipher(AES(key), CBC(vector)).encryptor()
    return encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()


def _mac(spec: AspNetTicketSpec, key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, _DIGESTS[spec.validation])


@lru_cache(64)
def _derived(key: bytes) -> bytes:
    """NIST SP800-108, 5.1: in counter mode, with HMAC-SHA-512. The purpose is the label; its context is empty."""
    blocks, number = b"", 0
    while len(blocks) < len(key):
        number += 1
        fixed = number.to_bytes(4) + _PURPOSE + b"\0" + (8 * len(key)).to_bytes(4)
        blocks += hmac.digest(key, fixed, "sha512")
    return blocks[: len(key)]
