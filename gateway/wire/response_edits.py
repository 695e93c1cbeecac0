"""The changes that an application's file makes in heads of responses: addresses, added lines, and banners."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.wire.application_cookies import AS_THEY_ARE, ApplicationCookies, CookieRules
from gateway.wire.headers import SET_COOKIE
from gateway.wire.internal_addresses import InternalAddresses
from gateway.wire.mounts import Mount

# Headers that hold addresses.
_LOCATIONS: Final = frozenset({b"location", b"content-location"})
_ADDRESSES: Final = _LOCATIONS | {b"refresh", b"link"}

# Headers about a body that is edited: read for the edit, or no longer true after it. Edited bodies have no ranges.
_OF_BODIES: Final = frozenset({b"content-type", b"content-encoding", b"etag"})
_NO_LONGER: Final = frozenset(
    {b"accept-ranges", b"content-md5", b"digest", b"content-digest", b"repr-digest", b"content-encoding"}
)

# Service Workers 4.1.1, Clear Site Data 3: headers that apply to the whole host, with its other applications.
_OF_THE_HOST: Final = frozenset({b"service-worker-allowed", b"clear-site-data"})

# Headers in which servers, languages and frameworks tell their names and versions, which only help attackers.
BANNERS: Final = frozenset(
    {
        b"server",
        b"x-powered-by",
        b"x-powered-by-plesk",
        b"x-powered-cms",
        b"x-aspnet-version",
        b"x-aspnetmvc-version",
        b"x-generator",
        b"x-owa-version",
        b"x-sourcefiles",
        b"liferay-portal",
        b"microsoftsharepointteamservices",
    }
)

_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class ResponseEdits:
    """`addresses`: makes internal addresses public, including cookies' domains.
    `internal`: origins in canonical form.
    `kept_port`: the application's port if the application sees the browser's Host, and may write the port behind its
    public name; None: the application sees another Host.
    `same_site`: for a cookie without SameSite; empty: not added.
    `added`: name and value of lines that are set if the application does not send them.
    `replaced`: name and value of lines that replace the application's lines.
    `banners`: banner lines pass.
    `bodies`: makes addresses public in text bodies too.
    `texts`: further texts to find in bodies, with their replacements.
    `cookies`: the application's cookies that browsers receive, and their form.
    `mount`: the application's place on its host; None: the whole host, without rewriting.
    """

    addresses: bool = False
    internal: tuple[str, ...] = ()
    kept_port: int | None = None
    same_site: str = ""
    added: tuple[tuple[str, str], ...] = ()
    replaced: tuple[tuple[str, str], ...] = ()
    banners: bool = True
    bodies: bool = False
    texts: tuple[tuple[str, str], ...] = ()
    cookies: CookieRules = AS_THEY_ARE
    mount: Mount | None = None

    @property
    def names(self) -> frozenset[bytes]:
        """The lower-case names of lines that are read before forwarding."""
        lines = {name.lower().encode("ascii") for name, _ in self.added + self.replaced}
        return (
            frozenset(lines)
            | (_ADDRESSES | {b"set-cookie"} if self.addresses else frozenset())
            | (frozenset() if self.cookies == AS_THEY_ARE else {b"set-cookie"})
            | (frozenset() if self.mount is None else {b"set-cookie"})
            | (_ADDRESSES if self.mount is not None and self.mount.is_moved else frozenset())
            | (_OF_THE_HOST if self.mount is not None and self.mount.public else frozenset())
            | (frozenset() if self.banners else BANNERS)
            | (_OF_BODIES | _NO_LONGER if self.bodies else frozenset())
        )

    @property
    def adds(self) -> bool:
        """Whether a response without the edited names may change too."""
        return bool(self.added or self.replaced)


UNCHANGED: Final = ResponseEdits()


class HostEdits:
    """The edits of an application for one of its public hosts. `addresses`: None if addresses stay."""

    __slots__ = ("_added", "_cookies", "_dropped", "_mount", "_public", "_replaced", "_same_site", "addresses")

    def __init__(self, edits: ResponseEdits, public: str) -> None:
        """`public`: the origin that browsers use."""
        self.addresses = InternalAddresses(public, _internal(edits, public)) if edits.addresses else None
        own = edits.cookies
        self._cookies = None if own == AS_THEY_ARE else ApplicationCookies(own, frozenset())
        self._same_site = edits.same_site.capitalize().encode("ascii")
        self._added = {name.lower().encode("ascii"): _line(name, value) for name, value in edits.added}
        self._replaced = b"".join(_line(name, value) for name, value in edits.replaced)
        replaced = frozenset(name.lower().encode("ascii") for name, _ in edits.replaced)
        self._mount = edits.mount
        self._public = public.encode("ascii")
        self._dropped = replaced | (frozenset() if edits.banners else BANNERS)
        if edits.mount is not None and edits.mount.public:
            self._dropped |= _OF_THE_HOST

    def apply(self, rare: Iterable[tuple[int, int]], lines: list[bytes], *, is_changed: bool = False) -> bytes:
        """Changes `lines`, b"\\r\\nName: " and value in turn, and returns further lines to append.

        `rare`: position and verdict of each line to be examined.
        `is_changed`: the body differs from the body that the application sent.
        """
        absent = dict(self._added)
        for place, verdict in rare:
            at = 2 * place
            name = lines[at][2:-2].lower()
            if name in self._dropped or (is_changed and name in _NO_LONGER):
                lines[at] = lines[at + 1] = b""
            elif name:
                absent.pop(name, None)
                if verdict == SET_COOKIE and self._cookies is not None:
                    if self._cookies.hides(lines[at + 1]):
                        # Also without a session, and so without a jar.
                        lines[at] = lines[at + 1] = b""
                        continue
                    lines[at + 1] = self._cookies.edited(lines[at + 1])
                if verdict == SET_COOKIE and self._mount is not None:
                    lines[at + 1] = self._mount.cookie(lines[at + 1])
                    if not lines[at + 1]:
                        lines[at] = b""
                        continue
                if is_changed and name == b"etag":
                    lines[at + 1] = _weak(lines[at + 1])
                elif self.addresses is not None:
                    lines[at + 1] = self._edited(self.addresses, name, verdict, lines[at + 1])
                if self._mount is not None and self._mount.is_moved and name in _ADDRESSES:
                    lines[at + 1] = self._moved(self._mount, name, lines[at + 1])
        return b"".join((self._replaced, *absent.values()))

    def _moved(self, mount: Mount, name: bytes, value: bytes) -> bytes:
        if name in _LOCATIONS:
            return mount.address(value, self._public)
        return mount.refresh(value, self._public) if name == b"refresh" else mount.link(value, self._public)

    def _edited(self, addresses: InternalAddresses, name: bytes, verdict: int, value: bytes) -> bytes:
        if verdict == SET_COOKIE:
            return addresses.cookie(value, self._same_site)
        if name in _LOCATIONS:
            return addresses.location(value)
        if name == b"refresh":
            return addresses.refresh(value)
        return addresses.link(value) if name == b"link" else value


def told(edits: ResponseEdits, public: str) -> tuple[str, ...]:
    """The internal origins that become `public`, for tools; empty if addresses stay."""
    found = HostEdits(edits, public).addresses
    return () if found is None else tuple(sorted(origin.decode("ascii") for origin in found.origins))


class ApplicationEdits:
    """The edits of an application, prepared per requested host."""

    __slots__ = ("_by_public", "_edits")

    def __init__(self, edits: ResponseEdits) -> None:
        self._edits = edits
        self._by_public: dict[str, HostEdits] = {}

    def of(self, public: str) -> HostEdits:
        """`public`: the origin in browsers. In place of a wildcard, it may have any label."""
        found = self._by_public.get(public)
        if found is None:
            if len(self._by_public) >= _REMEMBERED:
                self._by_public.clear()
            found = self._by_public[public] = HostEdits(self._edits, public)
        return found


def _internal(edits: ResponseEdits, public: str) -> Iterable[str]:
    yield from edits.internal
    if edits.kept_port is None:
        return
    # The application knows its public name. It may assume http, or its own port, in browsers' addresses.
    scheme, _, authority = public.partition("://")
    name = authority.partition(":")[0]
    if scheme == "https":
        yield f"http://{name}"
    for each, own in (("http", 80), ("https", 443)):
        if edits.kept_port != own:
            yield f"{each}://{name}:{edits.kept_port}"


def _weak(tag: bytes) -> bytes:
    """RFC 9110 8.8.1: the same page, not the same bytes."""
    return b"W/" + tag if tag.startswith(b'"') else tag


def _line(name: str, value: str) -> bytes:
    return f"\r\n{name}: {value}".encode("ascii")
