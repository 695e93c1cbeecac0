"""`ecluse key`: makes the keyrings that gateway.yaml and providers' files name, and changes the keys in them."""

import contextlib
import fcntl
import os
import re
import secrets
import stat
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.cli.exits import Exit
from gateway.cli.saying import said_to_be_wrong, say_json
from gateway.config.check.keyrings import check_keyring
from gateway.config.keyring import (
    Keyring,
    NoKeyring,
    RingKey,
    RingKind,
    in_use,
    keyring_text,
    read_keyring,
    retired,
    rotated,
    said,
)
from gateway.config.schema.scalars import Wrong

_AGE = re.compile(r"(\d{1,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# A gateway reads its keyrings once a minute, or later if it is busy.
_KNOWN_EVERYWHERE: Final = 300
# From when a new key is used, and how long the one before it is accepted beside it. Providers read our SAML metadata
# once a day or, some of them, by hand; the keys of a client within hours; a session may last for weeks.
_BEFORE: Final[dict[RingKind, int]] = {"store": 3600, "saml": 14 * 86400, "client": 86400}
_AFTER: Final[dict[RingKind, int]] = {"store": 31 * 86400, "saml": 14 * 86400, "client": 86400}
_CERTIFIED_DAYS: Final = 3650


class _Wrong(Exception):
    """The reason, in words for the operator. `status`: the exit status of the command."""

    def __init__(self, why: str, status: Exit = Exit.FOUND) -> None:
        super().__init__(why)
        self.status = status


def run(told: Namespace) -> Exit:
    try:
        return _COMMANDS[told.what](told)
    except NoKeyring as why:
        said_to_be_wrong(f"{told.file}: {why}")
    except _Wrong as why:
        said_to_be_wrong(str(why))
        return why.status
    except OSError as error:
        said_to_be_wrong(f"{told.file}: {error.strerror}")
    return Exit.FOUND


# --- the commands


def _new(told: Namespace) -> Exit:
    """Makes a keyring. Its first key is used at once, because no gateway uses an older key."""
    if told.file.exists():
        raise _Wrong(f"{told.file} exists already: ecluse key rotate {told.file}")
    now = int(time.time())
    key = _made(told.kind, told, now, now) if told.of is None else _stood_alone(told, now)
    _write(told.file, Keyring(told.kind, (key,)), None)
    print(f"{key.id}: used from {said(key.since)}")
    return Exit.DONE


def _list(told: Namespace) -> Exit:
    ring, now = _read(told.file)[0], int(time.time())
    used = in_use(ring, now)
    keys = [
        {"id": key.id, "state": _state(key, used, now), "from": said(key.since), "until": key.until and said(key.until)}
        for key in ring.keys
    ]
    if told.as_json:
        say_json({"keyring": ring.kind, "keys": keys})
        return Exit.DONE
    for key in keys:
        print(f"{key['id']}  {key['state']}  from {key['from']}" + (f" until {key['until']}" if key["until"] else ""))
    return Exit.DONE


def _rotate(told: Namespace) -> Exit:
    with _alone(told.file):
        return _rotate_alone(told)


def _rotate_alone(told: Namespace) -> Exit:
    ring, status = _read(told.file)
    now = int(time.time())
    after, keep = _span(told.use_in, _BEFORE[ring.kind]), _span(told.keep, _AFTER[ring.kind])
    if after < _KNOWN_EVERYWHERE:
        raise _Wrong("--in: write 5m or more, so that every gateway has read a key before it is used")
    if any(key.since > now for key in ring.keys):
        raise _Wrong("a key is waiting already: wait until it is used, or retire it")
    key = _made(ring.kind, told, now + after, now)
    if key.id in {one.id for one in ring.keys}:
        raise _Wrong(f"the key {key.id} exists already: choose another --id")
    _write(told.file, rotated(ring, key, keep, now), status)
    print(f"{key.id}: used from {said(key.since)}; the others are accepted until {said(key.since + keep)}")
    return Exit.DONE


def _retire(told: Namespace) -> Exit:
    now = int(time.time())
    at = now + _span(told.use_in, 0)
    with _alone(told.file):
        ring, status = _read(told.file)
        _write(told.file, retired(ring, told.id, at, now), status)
    print(f"{told.id}: accepted until {said(at)}")
    return Exit.DONE


_COMMANDS = {"new": _new, "list": _list, "rotate": _rotate, "retire": _retire}


def _state(key: RingKey, used: RingKey | None, now: int) -> str:
    if key.until is not None and key.until <= now:
        return "over"
    return "in use" if key is used else "to come" if key.since > now else "accepted"


def _span(text: str | None, usual: int) -> int:
    if text is None:
        return usual
    found = _AGE.fullmatch(text)
    if found is None:
        raise _Wrong(f"{text}: write a time as a number with s, m, h or d: 8h")
    return int(found[1]) * _SECONDS[found[2]]


# --- keys


def _made(kind: RingKind, told: Namespace, since: int, now: int) -> RingKey:
    id = told.id or _usual_id(kind, now)
    return RingKey(id, since, None, _parts(kind, id, told.algorithm, now))


def _usual_id(kind: RingKind, now: int) -> str:
    return f"{kind}-{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}"


def _stood_alone(told: Namespace, now: int) -> RingKey:
    """The key of `keys` in gateway.yaml, as the first key of a keyring. It still opens the data that it has sealed."""
    if told.kind != "store":
        raise _Wrong("--from is for a store key from `keys` of gateway.yaml")
    if told.id is None:
        raise _Wrong("--from: repeat the id of the key in `keys` (--id k1), because stored sessions name it")
    try:
        secret = told.of.read_bytes().rstrip(b"\r\n").decode()
    except OSError as error:
        raise _Wrong(f"{told.of}: {error.strerror}", Exit.USAGE) from None
    except UnicodeDecodeError:
        raise _Wrong(f"{told.of}: a keyring holds only keys that are text") from None
    key = RingKey(told.id, now, None, {"secret": secret})
    try:
        check_keyring("store", keyring_text(Keyring("store", (key,))))
    except Wrong as wrong:
        raise _Wrong(f"{told.of}: {wrong.message}") from None
    return key


def _parts(kind: RingKind, id: str, algorithm: str, now: int) -> dict[str, str]:
    match kind:
        case "store":
            return {"secret": secrets.token_urlsafe(48)}
        case "saml":
            return _saml_pair(id, now)
        case "client":
            private = rsa_key(65537, 3072) if algorithm == "RS256" else ec_key(SECP256R1())
            pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            return {"key": pem.decode(), "algorithm": algorithm}


def first_keyring(kind: RingKind, algorithm: str, now: int) -> bytes:
    """The content of a keyring with one key, which is used at once."""
    id = _usual_id(kind, now)
    return keyring_text(Keyring(kind, (RingKey(id, now, None, _parts(kind, id, algorithm, now)),)))


def _saml_pair(id: str, now: int) -> dict[str, str]:
    """A private key with its certificate. Providers use only the key in the certificate. The dates are far apart,
    because some providers check dates."""
    private = rsa_key(65537, 3072)
    name, begins = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, id)]), datetime.fromtimestamp(now, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=_CERTIFIED_DAYS))
        .sign(private, SHA256())
    )
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"key": pem.decode(), "certificate": certificate.public_bytes(Encoding.PEM).decode()}


# --- the file


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Locks the folder of the keyring against parallel changes. A change replaces the file, so a lock on the file would
    not last."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _Wrong(f"{path.parent}: {error.strerror}", Exit.USAGE) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> tuple[Keyring, os.stat_result]:
    try:
        with path.open("rb") as file:
            content, status = file.read(), os.fstat(file.fileno())
    except OSError as error:
        raise _Wrong(f"{path}: {error.strerror}", Exit.USAGE) from None
    return read_keyring(content), status


def _write(path: Path, ring: Keyring, before: os.stat_result | None) -> None:
    """Writes the whole file or nothing. A replaced file keeps its owner and mode; a new file is readable by its owner
    alone."""
    read_keyring(content := keyring_text(ring))
    descriptor, made = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            if before is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(made, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(made)
        raise
