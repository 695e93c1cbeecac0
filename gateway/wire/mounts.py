"""The paths of an application for browsers and in the application, and the mapping between both."""

import re
from dataclasses import dataclass
from typing import Final

# The address of a Refresh value: a path, with or without an origin.
_REFRESH: Final = re.compile(
    rb"([\t ]*[0-9.]*[\t ]*[;,]?[\t ]*(?:url[\t ]*=[\t ]*)?[\"']?)(.*)", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Mount:
    """`public`: the path prefix for browsers; empty for `/`.
    `inner`: the path prefix of the application; empty for `/`.
    The prefixes have only letters that every server reads alike, so bytes are compared.
    """

    public: str
    inner: str

    @property
    def is_moved(self) -> bool:
        return self.public != self.inner

    def target(self, raw: bytes) -> bytes:
        """Of a request target in origin form below `public`: what the application is asked for."""
        rest = raw[len(self.public) :]
        moved = self.inner.encode("ascii") + rest
        return moved if moved.startswith(b"/") else b"/" + moved

    def address(self, value: bytes, origin: bytes) -> bytes:
        """The public form of an address that the application writes. `origin`: the public origin.

        An address that is already public, relative, or leads elsewhere stays.
        """
        path = value.removeprefix(origin)
        if not path.startswith(b"/") or path.startswith(b"//"):
            return value
        public, inner = self.public.encode("ascii"), self.inner.encode("ascii")
        if not _is_below(path, inner) or (public.startswith(inner) and _is_below(path, public)):
            return value
        moved = public + path[len(inner) :]
        return value[: len(value) - len(path)] + (moved if moved.startswith(b"/") else b"/" + moved)

    def link(self, value: bytes, origin: bytes) -> bytes:
        """Of a Link value (RFC 8288 3)."""
        parts: list[bytes] = []
        at = 0
        while (begin := value.find(b"<", at) + 1) and (end := value.find(b">", begin)) >= 0:
            target = value[begin:end].lstrip(b"\t ")
            parts += value[at : end - len(target)], self.address(target, origin)
            at = end
        return b"".join((*parts, value[at:]))

    def refresh(self, value: bytes, origin: bytes) -> bytes:
        """Of a Refresh value (HTML 4.15.1)."""
        found = _REFRESH.fullmatch(value)
        return value if found is None else found[1] + self.address(found[2], origin)

    def cookie(self, value: bytes) -> bytes:
        """A Set-Cookie value whose Path is at or below `public` (RFC 6265 5.1.4). b"" for a `__Host-` cookie, unless
        `public` is `/`: such a cookie applies to the whole host (RFC 6265bis 4.1.3.2)."""
        pair, *attributes = value.split(b";")
        public, inner = self.public.encode("ascii"), self.inner.encode("ascii")
        # Browsers recognise the prefix in upper and lower case.
        if public and pair.lstrip(b" \t=").lower().startswith(b"__host-"):
            return b""
        told, kept = b"", [pair]
        for attribute in attributes:
            name, _, of = attribute.partition(b"=")
            if name.strip(b" \t").lower() == b"path":
                # RFC 6265 5.3 (7): the last Path counts.
                told = of.strip(b" \t")
            else:
                kept.append(attribute)
        if not told.startswith(b"/") or not (_is_below(told, public) or _is_below(told, inner)):
            path = public
        elif public.startswith(inner) and _is_below(told, public):
            path = told
        else:
            rest = told[len(inner) :]
            path = public + (b"" if rest == b"/" else rest)
        return b";".join((*kept, b" Path=" + (path or b"/")))


def _is_below(path: bytes, prefix: bytes) -> bool:
    return path.startswith(prefix) and path[len(prefix) :][:1] in (b"", b"/", b"?", b"#")
