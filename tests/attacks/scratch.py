"""Issuers for one kind of misbehaviour each, from their first answer on: metadata and keys are kept by the gateway."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.attacks.provider import Document, Endless, Issuer, key, sign

# Each a provider of the application `scratch`.
SCRATCH = (
    "mismatch", "no-issuer", "endless-metadata", "endless-keys", "large-metadata", "redirected-keys", "file-keys",
    "borrowed-endpoints", "borrowed-token", "no-kid", "no-kid-two-keys", "rotating", "unknown-kids", "bad-neighbour",
    "slow", "unreachable", "refreshing", "by-form",
)  # fmt: skip
# Seconds; under four, it is not asked for ahead of time.
REFRESHED_AFTER = 3


def prepare(issuers: Mapping[str, Issuer], honest: str) -> None:
    """`honest`: the URL of an issuer that does nothing wrong."""
    elsewhere = f"{honest}/"
    no_kid = {"token": lambda told: sign(told, "scratch", kid=None)}
    bad_keys: list[Any] = [{"kty": "RSA", "kid": "x", "n": "AA", "e": "AQAB"}, {"kty": "oct", "k": "AAAA"}, "x", {}]
    behaviours: dict[str, dict[str, Any]] = {
        "mismatch": {"metadata": lambda told: told | {"issuer": honest}},
        "no-issuer": {"metadata": lambda told: {name: told[name] for name in told if name != "issuer"}},
        "endless-metadata": {"metadata": lambda told: Endless()},
        "endless-keys": {"keys": lambda told: Endless()},
        "large-metadata": {"metadata": lambda told: told | {"x": "a" * (2 << 20)}},
        "redirected-keys": {"keys": lambda told: web.Response(status=302, headers={"Location": elsewhere + "jwks"})},
        "file-keys": {"metadata": lambda told: told | {"jwks_uri": "file:///etc/passwd"}},
        "borrowed-endpoints": {"metadata": lambda told: told | {"token_endpoint": elsewhere + "token"}},
        "borrowed-token": {"metadata": lambda told: told | {"authorization_endpoint": elsewhere + "authorize"}},
        "no-kid": no_kid,
        "no-kid-two-keys": no_kid | {"keys": lambda told: {"keys": [public("beta"), *told["keys"]]}},
        "refreshing": {"metadata": lambda told: told | {"revocation_endpoint": f"{issuers['refreshing'].url}/revoke"}},
        "bad-neighbour": {"keys": lambda told: {"keys": [*bad_keys, *told["keys"]]}},
    }
    for name, behaviour in behaviours.items():
        issuers[name].misbehave(**behaviour)
    issuers["refreshing"].lifetime = REFRESHED_AFTER


def file_of(name: str, template: str, port: int) -> str:
    """The provider file, from that of alpha, whose issuer is at `port`."""
    text = template.replace("provider: alpha", f"provider: {name}").replace("/alpha", f"/{name}")
    if name == "unreachable":
        return text.replace(f"127.0.0.1:{port}", "127.0.0.1:1")
    more = {"refreshing": "refresh: true", "by-form": "request: {response_mode: form_post}"}
    return text.replace("  client_id", f"  {more[name]}\n  client_id") if name in more else text


def public(name: str) -> Document:
    return dict(key(name).as_dict(private=False))
