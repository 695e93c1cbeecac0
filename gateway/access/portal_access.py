"""A portal host without an application: only our own paths are answered. The same holds on a host whose applications
all have paths, beside these paths.
"""

from typing import Final

from gateway.access.remembered import Newcomers, Remembered
from gateway.access.request_line import LINE_REMEMBERED, LINES, MatchKey, RequestLine, parts_of, purpose_on_portal
from gateway.config.snapshot import Snapshot
from gateway.wire.target import STRICT


class PortalAccess:
    """Reads request lines. A portal host has no rules, so no decision is made and no person is looked up."""

    __slots__ = ("_key", "_lines", "_longest", "lines", "revision")

    name: Final = "_portal"
    # What a Host line for upstream would say instead of the browser's.
    rewritten_host: Final = b""

    def __init__(self, snapshot: Snapshot, newcomers: Newcomers | None = None) -> None:
        self.revision = snapshot.revision
        self._longest = snapshot.gateway.limits.url
        self._lines: Remembered[bytes, RequestLine] = Remembered(newcomers or Newcomers(), LINES)
        # Looked up before `read_line` is called.
        self.lines = self._lines.values
        self._key = MatchKey()

    def read_line(self, text: bytes) -> RequestLine:
        """`text`: the first line of a head, without its CRLF. Raises GatewayError."""
        method, target, minor, authority = parts_of(text, (), STRICT, self._longest)
        line = RequestLine(
            method, target, minor=minor, purpose=purpose_on_portal(target), key=self._key, judged=method, matches=(),
            authority=authority,
        )  # fmt: skip
        if len(text) <= LINE_REMEMBERED:
            self._lines.add(text, line)
        return line

    def public_port(self, port: bytes) -> bytes:
        return port
