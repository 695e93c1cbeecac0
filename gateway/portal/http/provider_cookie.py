"""A cookie with the name of the provider last chosen in this browser, and nothing about the person."""

import re
from typing import Final

# The prefix of our cookies keeps it from applications.
PROVIDER_COOKIE: Final = b"__Host-ecluse-provider"

_LASTS: Final = 180 * 86400
_VALUES: Final = re.compile(rb"(?:^|;)[ \t]*+%b=([^;]*+)" % PROVIDER_COOKIE)
_NAME: Final = re.compile(rb"[a-z0-9-]{1,63}")


def provider_remembered(cookies: bytes) -> str:
    """Empty: no cookie, or two that differ. The provider may no longer exist."""
    values = {value.rstrip(b" \t") for value in _VALUES.findall(cookies)} if PROVIDER_COOKIE in cookies else set()
    return values.pop().decode("ascii") if len(values) == 1 and all(map(_NAME.fullmatch, values)) else ""


def remember_provider(name: str) -> str:
    """Set-Cookie. `name`: of an existing provider."""
    return f"{PROVIDER_COOKIE.decode()}={name}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={_LASTS}"


def forget_provider() -> str:
    return f"{PROVIDER_COOKIE.decode()}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
