"""Finds the application for a Host header, in one snapshot."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from gateway.access.application import ApplicationAccess
from gateway.access.portal_access import PortalAccess
from gateway.access.remembered import Newcomers, Remembered
from gateway.config.folder.files import within
from gateway.config.host_applications import is_below
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import route_codes, wire_codes
from gateway.model.errors import GatewayError
from gateway.wire.host import canonical_host
from gateway.wire.target import Target, absolute_form, loosest_path

_SPELLINGS: Final = 4096
# Files in one log line.
_SHOWN: Final = 5
_REMEMBERED_LENGTH: Final = 256

AnyAccess = ApplicationAccess | PortalAccess
Access = TypeVar("Access", bound=AnyAccess)
# A host is only ever read, so that one of a lane is one of an application, too.
Access_co = TypeVar("Access_co", bound=AnyAccess, covariant=True)


class VirtualHost(Generic[Access_co]):
    """One spelling of a Host header.

    `name`: canonical, without port.
    `authority`: for X-Forwarded-Host.
    `line`: the ready Host line for the application.
    `portal`: the portal's own host, which may also have an application.
    `let_in`: a signed-in person requested this spelling (gateway.access.remembered).
    `for_questions`: the host only receives questions of a server in front.

    If several applications divide the host's paths, each has a VirtualHost.
    `below`: the applications with a path, the longest first; or the wrong file of a closed application.
    `foreign_paths`: paths of other applications below this application's path.
    """

    __slots__ = (
        "authority", "below", "for_questions", "foreign_paths", "is_divided", "lane", "let_in", "line", "name",
        "portal",
    )  # fmt: skip

    def __init__(self, raw: bytes, name: str, lane: Access_co, *, portal: bool) -> None:
        self.name = name
        self.lane = lane
        self.portal = portal
        self.for_questions = False
        self.let_in = False
        port = lane.public_port(raw.partition(b":")[2])
        self.authority = name.encode("ascii") + (b":" + port if port else b"")
        self.line = b"\r\nHost: " + (lane.rewritten_host or self.authority)
        self.below: tuple[tuple[bytes, VirtualHost[Access_co] | str], ...] = ()
        self.foreign_paths: tuple[str, ...] = ()
        self.is_divided = False

    def divide(self, below: Mapping[str, "VirtualHost[Access_co] | str"]) -> None:
        """Called once, before any request. `below`: by path."""
        paths = sorted(below, key=len, reverse=True)
        self.below = tuple([(path.encode("ascii"), below[path]) for path in paths])
        self.foreign_paths, self.is_divided = tuple(path.lower() for path in paths), True
        for path, there in below.items():
            if not isinstance(there, str):
                there.foreign_paths = tuple(other.lower() for other in paths if is_below(other, path) and other != path)
                there.is_divided = True

    def at(self, text: bytes) -> "VirtualHost[Access_co]":
        """The virtual host of a request line. `text`: the line as sent. Raises GatewayError(route_codes.APP_CLOSED)."""
        target = text.partition(b" ")[2].rpartition(b" ")[0]
        if not target.startswith(b"/"):
            try:
                target = absolute_form(target)[2]
            except GatewayError:
                # Said by who reads the line.
                return self
        path = target.partition(b"?")[0]
        for prefix, there in self.below:
            if path.startswith(prefix) and path[len(prefix) :][:1] in (b"", b"/"):
                if isinstance(there, str):
                    raise GatewayError(route_codes.APP_CLOSED, f"{self.name}{prefix.decode('ascii')}: {there}")
                return there
        return self

    def require_own(self, target: Target) -> None:
        """Invariant 2: another application's path has one spelling. Raises GatewayError(wire_codes.TARGET) for a path
        that a server could read as such a path."""
        readings = (target.segments,) if target.other is None else (target.segments, target.other)
        for path in (target.path.decode("latin-1"), *("/" + "/".join(segments) for segments in readings)):
            read = loosest_path(path)
            for prefix in self.foreign_paths:
                if is_below(read, prefix):
                    raise GatewayError(
                        wire_codes.TARGET, f"perhaps {prefix}, which is another application: {read[:120]!r}"
                    )


class HostTable(Generic[Access]):
    """`by_host` is looked up first; `find` does the rest. A new snapshot gets a new table, and its own `newcomers`."""

    __slots__ = ("_lanes", "_spellings", "by_host", "newcomers", "snapshot")

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.newcomers = Newcomers()
        self._lanes: dict[str, Access] = {}
        self._spellings: Remembered[bytes, VirtualHost[Access]] = Remembered(self.newcomers, _SPELLINGS)
        self.by_host = self._spellings.values

    @abstractmethod
    def make_lane(self, app: App) -> Access: ...

    @abstractmethod
    def make_portal_lane(self) -> Access:
        """The lane of a portal host without an application, and of a divided host's paths without an application."""

    @property
    def lanes(self) -> tuple[Access, ...]:
        return tuple(self._lanes.values())

    def find(self, raw: bytes) -> VirtualHost[Access]:
        """`raw`: a Host header, or the authority of a target. Raises GatewayError: wire_codes.HOST for what is no host
        name, route_codes.HOST_UNKNOWN where nothing answers, route_codes.HOST_UNREAD where a file whose hosts are not
        known may have it, route_codes.APP_CLOSED for a host of a file that was left out."""
        name = host_of(raw, self.snapshot)
        there = self.snapshot.applications(name)
        portal = name == self.snapshot.gateway.portal_host
        nothing = there.whole is None and not there.below and not portal
        asks = self.snapshot.gateway.forward_auth
        if nothing and (asks is None or name != asks.host):
            raise _unanswered(name, self.snapshot)
        lane = self._portal_lane() if there.whole is None else self._lane(there.whole)
        host = VirtualHost(raw, name, lane, portal=portal)
        host.for_questions = nothing
        below: dict[str, VirtualHost[Access] | str] = {}
        if self.snapshot.closed:
            below |= self.snapshot.closed_below(name)
        for app in there.below:
            below[app.path] = VirtualHost(raw, name, self._lane(app), portal=portal)
        if below:
            host.divide(below)
        if raw == host.authority and name in self.snapshot.exact_hosts:
            # As the browsers of this application spell it: there are no more of these than the files name.
            self.by_host[raw] = host
        elif len(raw) <= _REMEMBERED_LENGTH:
            self._spellings.add(raw, host)
        return host

    def _lane(self, app: App) -> Access:
        return self._lanes.get(app.name) or self._lanes.setdefault(app.name, self.make_lane(app))

    def _portal_lane(self) -> Access:
        return self._lanes.get("") or self._lanes.setdefault("", self.make_portal_lane())


def host_of(raw: bytes, snapshot: Snapshot) -> str:
    """Reads a public host. A name with a `_` is refused, unless a file lists it as it stands.
    Raises GatewayError(wire_codes.HOST)."""
    if b"_" in raw:
        name = canonical_host(raw, underscore=True)
        if name in snapshot.exact_hosts:
            return name
    return canonical_host(raw)


def _unanswered(name: str, snapshot: Snapshot) -> GatewayError:
    """The reason why no application answers at the host."""
    if closed := snapshot.closed_by(name):
        return GatewayError(route_codes.APP_CLOSED, f"{name}: {closed}")
    files = [file for file, fence in snapshot.unread.items() if fence is None or within(name, fence)]
    if not files:
        return GatewayError(route_codes.HOST_UNKNOWN, name)
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    named = ", ".join(files[:_SHOWN]) + more
    detail = f"{name}: no application has this host; it may be one of {named}, whose hosts are unknown"
    return GatewayError(route_codes.HOST_UNREAD, detail)
