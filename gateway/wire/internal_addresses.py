"""Makes internal addresses of an application public in the heads of its responses.

An address changes only if its whole origin is one of the application's: `http://internal@evil.example`,
`http://internal.evil.example` and `http://internal:1` are other origins than `http://internal`. The rest of the address
stays, and so does a path without an origin.
"""

import re
from collections.abc import Iterable
from typing import Final

DEFAULT_PORTS: Final = {b"http": b"80", b"https": b"443"}

# RFC 3986 3.2 without user information. Browsers read `\` as `/`, other readers as a part of the name, so `\` ends no
# origin.
_ORIGIN: Final = rb"(?:(https?):)?//(\[[0-9a-f:.]++\]|[a-z0-9._-]++)(?::([0-9]{0,5}))?"
_LOCATION: Final = re.compile(_ORIGIN + rb"(?=[/?#]|\Z)", re.IGNORECASE)
# HTML 4.15.1: `5; url=http://internal/`, the address in quotes or not, and the word left out.
_REFRESH: Final = re.compile(
    rb"([\t ]*+[0-9.]*+[\t ]*+[;,]?+[\t ]*+(?:url[\t ]*+=[\t ]*+)?+[\"']?+)" + _ORIGIN + rb"(?=[/?#]|[\"']?[\t ]*+\Z)",
    re.IGNORECASE,
)
# RFC 8288 3: `<http://internal/a.css>; rel=preload, <...>`
_LINK: Final = re.compile(rb"(<[\t ]*+)" + _ORIGIN + rb"(?=[/?#>])", re.IGNORECASE)


class InternalAddresses:
    """The internal addresses of an application, for one of its public hosts.

    `public`: the public origin as browsers write it.
    `internal`: the internal origins, without the public origin.
    """

    __slots__ = ("_hosts", "_public_authority", "_public_host", "origins", "public")

    def __init__(self, public: str, internal: Iterable[str]) -> None:
        self.public = public.encode("ascii")
        self.origins = frozenset(origin.encode("ascii") for origin in internal) - {self.public}
        self._public_authority = self.public.partition(b"://")[2]
        self._public_host = host_of(self.public)
        self._hosts = frozenset(map(host_of, self.origins))

    @property
    def secure(self) -> bool:
        """Whether browsers reach the application by https alone."""
        return self.public.startswith(b"https:")

    def of(self, scheme: bytes | None, host: bytes, port: bytes | None) -> bytes | None:
        """The replacement for an origin, with or without a scheme as written. None for an origin that is not internal.
        `port`: None or empty without a port.
        """
        schemes = tuple(DEFAULT_PORTS) if scheme is None else (scheme.lower(),)
        if not any(canonical_origin(each, host, port) in self.origins for each in schemes):
            return None
        return b"//" + self._public_authority if scheme is None else self.public

    # --- header values ---

    def location(self, value: bytes) -> bytes:
        """Of Location and Content-Location (RFC 9110 10.2.2, 8.7)."""
        found = _LOCATION.match(value)
        if found is None:
            return value
        public = self.of(*found.groups())
        return value if public is None else public + value[found.end() :]

    def refresh(self, value: bytes) -> bytes:
        found = _REFRESH.match(value)
        return value if found is None else self._behind(found) + value[found.end() :]

    def link(self, value: bytes) -> bytes:
        return _LINK.sub(self._behind, value)

    def _behind(self, found: re.Match[bytes]) -> bytes:
        before, *origin = found.groups()
        public = self.of(*origin)
        return found[0] if public is None else before + public

    def cookie(self, value: bytes, same_site: bytes = b"") -> bytes:
        """The Set-Cookie value for browsers. A Domain that covers the internal but not the public host is removed: the
        cookie then belongs to the public host alone. A Domain is never added. Secure is added behind https.

        `same_site`: added to a cookie without SameSite.
        """
        pair, *attributes = value.split(b";")
        kept, names = [pair], set()
        for attribute in attributes:
            name, _, told = attribute.partition(b"=")
            name = name.strip(b" \t").lower()
            if name == b"domain" and self._holds_inside_alone(told.strip(b" \t").lower()):
                continue
            names.add(name)
            kept.append(attribute)
        if self.secure and b"secure" not in names:
            names.add(b"secure")
            kept.append(b" Secure")
        # Browsers refuse `SameSite=None` without Secure.
        if same_site and b"samesite" not in names and (same_site != b"None" or b"secure" in names):
            kept.append(b" SameSite=" + same_site)
        return b";".join(kept)

    def _holds_inside_alone(self, domain: bytes) -> bool:
        """RFC 6265 5.1.3."""
        domain = domain.removeprefix(b".")
        if not domain or _matches(self._public_host, domain):
            return False
        return any(_matches(host, domain) for host in self._hosts)


def canonical_origin(scheme: bytes, host: bytes, port: bytes | None) -> bytes:
    """The only spelling of an origin, without the scheme's own port (RFC 6454 4). `scheme`: in lower case."""
    number = b"%d" % int(port) if port else DEFAULT_PORTS[scheme]
    return b"%b://%b%b" % (scheme, host.lower(), b"" if number == DEFAULT_PORTS[scheme] else b":" + number)


def host_of(origin: bytes) -> bytes:
    authority = origin.partition(b"://")[2]
    return authority.partition(b"]")[0] + b"]" if authority.startswith(b"[") else authority.partition(b":")[0]


def _matches(host: bytes, domain: bytes) -> bool:
    return host == domain or host.endswith(b"." + domain)
