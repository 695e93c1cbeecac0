"""Whether an address in a page or an answer of an application leads to the application.

Browsers and servers disagree on odd addresses, so they count as leading nowhere: addresses with a backslash, a blank, a
control character or a user name, and a scheme without `//`.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

_SIMPLE: Final = re.compile(r"[!-\[\]-~]*")
_LONGEST: Final = 4000
_ENDS: Final = " \t\r\n\f"


@dataclass(frozen=True, slots=True)
class ApplicationOrigins:
    """`public`: the origin in browsers. `internal`: further origins by which the application may write its
    addresses."""

    public: str
    internal: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[bytes, ...]:
        """The host names, in lower case."""
        names = (urlsplit(origin).hostname or "" for origin in (self.public, *self.internal))
        return tuple(name.encode("ascii") for name in dict.fromkeys(names))

    @property
    def is_secure(self) -> bool:
        return self.public.startswith("https:")

    def resolve(self, address: str, base: str) -> str | None:
        """`address` resolved against `base`, an absolute address. None for an address that cannot be parsed."""
        address = address.strip(_ENDS)
        if len(address) > _LONGEST or _SIMPLE.fullmatch(address) is None:
            return None
        try:
            return urljoin(base, address)
        except ValueError:
            return None

    def target(self, address: str, base: str) -> str | None:
        """The target at the application, without the fragment. None: the address leads elsewhere."""
        whole = self.resolve(address, base)
        if whole is None:
            return None
        try:
            parts = urlsplit(whole)
        except ValueError:
            return None
        if f"{parts.scheme}://{parts.netloc}".lower() not in (self.public, *self.internal):
            return None
        path = parts.path or "/"
        return f"{path}?{parts.query}" if parts.query else path


def path_of(target: str) -> str:
    return target.partition("?")[0]
