"""Reads a ticket of ASP.NET Forms Authentication as System.Web does, sharing no code with what makes it."""

import hashlib
import hmac
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

HASHES = {"SHA1": "sha1", "HMACSHA256": "sha256", "HMACSHA384": "sha384", "HMACSHA512": "sha512"}


class Keys(NamedTuple):
    """As web.config has them."""

    compatibility: str
    validation: str
    validation_key: str
    decryption_key: str


class Opened(NamedTuple):
    """`chance`: the salt, or the vector, that it was made with. `written`: the serialised ticket."""

    written: bytes
    chance: bytes


class Ticket(NamedTuple):
    """Times in ticks of 100 ns since year 1."""

    version: int
    issued: int
    ends: int
    persistent: bool
    name: str
    user_data: str
    path: str


def opened(cookie: str, keys: Keys) -> Opened:
    """Raises ValueError where System.Web would."""
    data, name = bytes.fromhex(cookie), HASHES[keys.validation]
    decryption, validation = bytes.fromhex(keys.decryption_key), bytes.fromhex(keys.validation_key)
    if keys.compatibility == "Framework45":
        decryption, validation = _derived(decryption), _derived(validation)
        sealed = _verified(data, validation, name)
        return Opened(_decrypted(decryption, sealed[:16], sealed[16:]), sealed[:16])
    plain = _decrypted(decryption, bytes(16), _verified(data, validation, name))
    return Opened(_verified(plain[len(decryption) :], validation, name), plain[: len(decryption)])


def read(cookie: str, keys: Keys) -> Ticket:
    written = opened(cookie, keys).written
    form, version, spacer = written[0], written[1], written[10]
    if (form, spacer, written[-1]) != (1, 0xFE, 0xFF):
        raise ValueError("not a ticket")
    texts, rest = [], written[20:-1]
    for _ in range(3):
        length, shift = 0, 0
        while True:
            byte, rest = rest[0], rest[1:]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        texts.append(rest[: 2 * length].decode("utf-16-le"))
        rest = rest[2 * length :]
    if rest:
        raise ValueError("more than a ticket")
    issued, ends = (int.from_bytes(written[start : start + 8], "little") for start in (2, 11))
    return Ticket(version, issued, ends, bool(written[19]), *texts)


def _verified(data: bytes, key: bytes, name: str) -> bytes:
    size = hashlib.new(name).digest_size
    if not hmac.compare_digest(hmac.new(key, data[:-size], name).digest(), data[-size:]):
        raise ValueError("another key signed it, or nobody")
    return data[:-size]


def _decrypted(key: bytes, vector: bytes, data: bytes) -> bytes:
    decryptor = Cipher(AES(key), CBC(vector)).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    return plain[: -plain[-1]]


def _derived(key: bytes) -> bytes:
    """SP800_108.DeriveKey with Purpose.FormsAuthentication_Ticket."""
    out, bits = b"", (8 * len(key)).to_bytes(4, "big")
    for counter in range(1, 3):
        block = counter.to_bytes(4, "big") + b"FormsAuthentication.Ticket" + b"\0" + bits
        out += hmac.new(key, block, "sha512").digest()
    return out[: len(key)]
