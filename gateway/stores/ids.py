"""The ids that we make: random, and each with its shard part, which says where a store on several nodes keeps it.

The shard part is the first character. What one step writes has one shard part: a sign-in under way has that of its
browser's binding on the application's host; a session, its seats, hand-over codes and notes have that of the browser's
binding on the portal, so that all sessions of a browser are in one place. Ids that others made (of an assertion, a
logout token) have none: each is kept by itself, under a keyed hash.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

TokenBytes = Callable[[int], bytes]

ID_BYTES = 32
SHARDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def new_id(token_bytes: TokenBytes = os.urandom, size: int = ID_BYTES, shard: str = "") -> str:
    """Random, base64url: 32 bytes give 43 characters, 16 give 22. `shard`: of the ids that it is written with; without
    one it is as random as the rest."""
    id = urlsafe_b64encode(token_bytes(size)).rstrip(b"=").decode()
    return shard + id[len(shard) :]


def shard_of(id: str) -> str:
    """One of SHARDS. An id that somebody made up has one too, and is found nowhere."""
    shard = id[:1]
    return shard if shard and shard in SHARDS else SHARDS[0]


def shard_of_browser(binding: str) -> str:
    """`binding`: SHA-256 (hex) of the browser's binding cookie on one host."""
    return SHARDS[sha256(binding.encode("utf-8", "surrogatepass")).digest()[0] % len(SHARDS)]
