"""The keys that sign tokens for applications if gateway.yaml gives no keys: made once, kept in the state folder, and
renewed automatically.

A new key is published before it signs, and an old key until its last token has ended."""

import json
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Final, cast, get_args

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.config.compile.plan import revision_of, signed_with, with_token_keys
from gateway.ops.log import Log
from gateway.server.compiling import Live, Refused
from gateway.server.state import write_private
from gateway.tokens.jwt import signing_key
from gateway.tokens.spec import LONGEST_LIFE, SigningKey, TokenAlgorithm

FILE: Final = "token-keys.json"
# Seconds. An application keeps fetched keys for five minutes (portal.jwks).
PUBLISHED_BEFORE: Final = 900
PUBLISHED_AFTER: Final = LONGEST_LIFE + 300
_AGAIN: Final = 600
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that the gateway has made.

    `made`: Unix seconds.
    `pem`: the private key."""

    algorithm: TokenAlgorithm
    made: int
    pem: bytes = field(repr=False)


def renewed(keys: Iterable[MadeKey], algorithms: Iterable[TokenAlgorithm], rotate: int, now: int) -> list[MadeKey]:
    """The keys that have to exist at `now`, oldest first within an algorithm. Keys of unused algorithms stay."""
    found = []
    for algorithm in get_args(TokenAlgorithm):
        own = sorted((key for key in keys if key.algorithm == algorithm), key=lambda key: key.made)
        if algorithm in algorithms and (not own or now >= own[-1].made + rotate):
            own.append(MadeKey(algorithm, now, _new(algorithm)))
        while len(own) > 1 and now >= _over(own[1]):
            own.pop(0)
        found += own
    return found


def published(keys: Sequence[MadeKey], now: int) -> tuple[SigningKey, ...]:
    """The keys to publish: first the signing key of each algorithm, then the remaining keys. The newest key that has
    been published for long enough signs."""
    ready = [key for key in keys if now >= key.made + PUBLISHED_BEFORE]
    firsts = []
    for algorithm in get_args(TokenAlgorithm):
        own = [key for key in keys if key.algorithm == algorithm]
        if own:
            firsts.append(next((key for key in reversed(own) if key in ready), own[0]))
    ordered = (*firsts, *(key for key in keys if key not in firsts))
    return tuple(signing_key(key.algorithm, key.pem) for key in ordered)


def next_change(keys: Sequence[MadeKey], rotate: int, now: int) -> float:
    """The Unix seconds at which the next key is to be made, to sign, or to go."""
    newest = {key.algorithm: key.made + rotate for key in keys}
    second = [key for before, key in pairwise(keys) if before.algorithm == key.algorithm]
    times = [*newest.values(), *(key.made + PUBLISHED_BEFORE for key in second), *map(_over, second)]
    return min((time for time in times if time > now), default=_NEVER)


def _over(successor: MadeKey) -> int:
    """The Unix seconds at which the predecessor of `successor` is of no more use."""
    return successor.made + PUBLISHED_BEFORE + PUBLISHED_AFTER


def _new(algorithm: TokenAlgorithm) -> bytes:
    match algorithm:
        case "ES256":
            return _pem(ec_key(SECP256R1()))
        case "EdDSA":
            return _pem(Ed25519PrivateKey.generate())
        case "RS256":
            return _pem(rsa_key(65537, 3072))


def _pem(key: EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class TokenKeys:
    """The token keys of a gateway, held by the supervisor. Keys in memory end with the supervisor, as sessions do."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._keys: list[MadeKey] = []
        self._change = _NEVER

    def due(self, now: float) -> bool:
        """Whether a reload would change the keys. After a failed reload, asks again some minutes later."""
        if now < self._change:
            return False
        self._change = now + _AGAIN
        return True

    def added(self, live: Live, now: int) -> Live:
        """The plan with the necessary token keys. Reads and writes the state folder. Raises Refused."""
        gateway = live.gateway
        algorithms = signed_with(live.plan) if gateway.token_rotation else frozenset()
        if not algorithms:
            self._change = _NEVER
            return live
        path = None if gateway.store == "memory" else Path(gateway.state_folder) / FILE
        before = self._keys or ([] if path is None else _read(path))
        keys = renewed(before, algorithms, gateway.token_rotation, now)
        self._change = next_change(keys, gateway.token_rotation, now)
        if keys != before:
            self._tell([key for key in keys if key not in before])
        if path is not None and (keys != before or not path.exists()):
            self._keep(path, keys, now)
        self._keys = keys
        plan = with_token_keys(live.plan, ours := published(keys, now))
        return replace(live, plan=plan, revision=revision_of(plan), gateway=replace(gateway, token_keys=ours))

    def _keep(self, path: Path, keys: Iterable[MadeKey], now: int) -> None:
        try:
            write_private(path, _text(keys))
        except OSError as error:
            self._log.event("tokens.key_not_kept", detail=f"{path}: {error.strerror}")
            self._change = min(self._change, now + _AGAIN)

    def _tell(self, made: Iterable[MadeKey]) -> None:
        for key in made:
            kid = signing_key(key.algorithm, key.pem).id
            self._log.event("tokens.key_made", kid=kid, algorithm=key.algorithm)


def _text(keys: Iterable[MadeKey]) -> bytes:
    lines = [{"algorithm": key.algorithm, "made": key.made, "pem": key.pem.decode("ascii")} for key in keys]
    return json.dumps(lines, indent=1).encode()


def _read(path: Path) -> list[MadeKey]:
    """The keys of the file; empty if the file does not exist. Raises Refused, whose message quotes no content of the
    file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    with open(descriptor, "rb") as file:
        if (mode := stat.S_IMODE(os.fstat(descriptor).st_mode)) & 0o077:
            raise Refused(f"{path} is open to other accounts: mode {mode:o}; make new keys: rm {path}")
        content = file.read()
    try:
        keys = [
            MadeKey(cast(TokenAlgorithm, one["algorithm"]), int(one["made"]), one["pem"].encode("ascii"))
            for one in json.loads(content)
        ]
        for key in keys:
            signing_key(key.algorithm, key.pem)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{path} does not contain the keys that the gateway wrote; make new keys: rm {path}") from None
    return keys
