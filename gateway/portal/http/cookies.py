"""Our two cookies: the only form that is believed, and how they are set."""

import hashlib
import re

from gateway.wire.cookies import BINDING_COOKIE, SESSION_COOKIE

# No Max-Age: cookies end with the browser; how long a seat lives is told by the server alone.
_FLAGS = "; Path=/; Secure; HttpOnly; SameSite=Lax"
# Seconds: as long as the stores keep a transaction.
_TWIN_LIVES = 600
_SEAT_FORM = re.compile(rb"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")
_BINDING_FORM = re.compile(rb"[A-Za-z0-9_-]{43}")


def is_seat(value: bytes) -> bool:
    return _SEAT_FORM.fullmatch(value) is not None


def is_binding(value: bytes) -> bool:
    return _BINDING_FORM.fullmatch(value) is not None


def set_seat(value: bytes) -> str:
    return f"{SESSION_COOKIE.decode()}={value.decode()}{_FLAGS}"


def clear_seat() -> str:
    return f"{SESSION_COOKIE.decode()}={_FLAGS}; Max-Age=0"


def clear(name: str, path: str) -> str:
    """A cookie of the application's own, that it set itself without a Domain."""
    return f"{name}=; Path={path}; Max-Age=0"


def set_binding(value: bytes) -> tuple[str, str]:
    """The binding cookie and its twin.

    Tabs that open at the same instant each get a binding, and the last one set overwrites the others: the twin,
    under a name of its own, keeps each of their transactions finishable.
    """
    twin = twin_of(binding_hash(value)).decode()
    return (
        f"{BINDING_COOKIE.decode()}={value.decode()}{_FLAGS}",
        f"{twin}={value.decode()}{_FLAGS}; Max-Age={_TWIN_LIVES}",
    )


def twin_of(binding: str) -> bytes:
    """The name of the second cookie that holds the value with this hash."""
    return BINDING_COOKIE + b"-" + binding[:8].encode()


def twins(header: bytes, binding: str) -> list[bytes]:
    """The values, of a binding's form, under the name that the twin of this hash has. Usually one, or none."""
    start = twin_of(binding) + b"="
    pairs = (pair.strip(b" \t") for pair in header.split(b";"))
    values = [pair.removeprefix(start) for pair in pairs if pair.startswith(start)]
    return [value for value in values if is_binding(value)]


def binding_hash(value: bytes) -> str:
    """What records keep of a binding cookie: SHA-256, hex."""
    return hashlib.sha256(value).hexdigest()
