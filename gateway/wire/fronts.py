"""Authorization requests ("questions") of a front server about a request that the server passes on itself (forward
auth), in the dialect of the server; and the answers.

A question is a separate request. Its head repeats the browser's head, and has the method, address and host of the
browser's request in header lines of the front. The gateway rebuilds the browser's request from the question, so that
the same code reads rebuilt and ordinary requests.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.model.codes import front_codes
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.wire.hop_by_hop import HOP_BY_HOP, connection_tokens

PATH: Final = b"/_ecluse/authz"
"""The path of questions. The kind of front follows."""
SECRET: Final = b"x-ecluse-front"
STATUS: Final = b"X-Ecluse-Status"
"""The header with the status for the browser, for a front that does not pass our answer on."""
ALLOWED, NOT_SIGNED_IN, REFUSED = 200, 401, 403

# Lines about the connection between the front and us, and about the end of the question. A question has no body.
_OF_THE_QUESTION: Final = frozenset({b"host", b"content-length", b"transfer-encoding", SECRET, *HOP_BY_HOP}) - {
    b"upgrade",
    b"connection",
}


@dataclass(frozen=True, slots=True)
class Front:
    """A kind of front server.

    `method`, `target`, `host`: lower-case names of the headers with the browser's method, target and host. Without
    `method` and `target`, the question has the browser's method, and the target behind the front's own path.
    `passes`: an answer that is no allowance goes to the browser. Servers without this ability send the request itself
    to the gateway, unchanged.
    `writes`: lower-case names that the server always sets or removes, whatever the client sent.
    `removes`: the header of the answer that lists client headers for the server to remove; b"": not supported.
    `clears`: the server removes a header that the answer lacks.
    `client`: the header with the browser's address, if the front does not use X-Forwarded-For, which is then the
    client's own.
    `renames`: the server may write the answer's headers under different names, so a client's header survives.
    `allows`: the status of an allowance.
    `leads`: the question comes from the browser itself. An allowance redirects the browser to the requested address.
    """

    name: str
    method: bytes
    target: bytes
    host: bytes
    writes: frozenset[bytes] = frozenset()
    removes: bytes = b""
    passes: bool = False
    clears: bool = False
    client: bytes = b""
    renames: bool = False
    allows: int = ALLOWED
    leads: bool = False

    def asked(self, method: bytes, tail: bytes) -> tuple[bytes, bytes] | None:
        """The method and target of the browser's request, if the question's own line carries them; empty if header
        lines do. None for a request that is no question.

        `method`: the method of the question.
        `tail`: the part of the target after the kind of front.
        """
        if self.method:
            return (b"", b"") if method == b"GET" and not tail else None
        return (method, tail) if tail.startswith(b"/") else None

    def original(self, lines: Iterable[bytes], method: bytes = b"", target: bytes = b"") -> bytes:
        """The head of the browser's request. Raises GatewayError(front_codes.QUESTION) if a header of the front is
        missing or comes twice, or if Connection removes lines that the application would see.

        `lines`: the lines of the question, b"Name: value".
        `method`, `target`: the result of `asked`."""
        said: dict[bytes, bytes] = {}
        passed: list[bytes] = []
        words = tuple(filter(None, (self.method, self.target, self.host, self.client)))
        for line in lines:
            spelled, _, value = line.partition(b": ")
            name = spelled.lower()
            if name in words:
                if name in said:
                    raise GatewayError(front_codes.QUESTION, f"two {name.decode()} lines")
                said[name] = value
                if name == self.client:
                    passed.append(b"X-Forwarded-For: " + value)
            elif name == b"x-forwarded-for" and self.client:
                continue
            elif name == b"connection":
                if connection_tokens((value,)):
                    raise GatewayError(front_codes.QUESTION, "Connection names header lines")
                passed.append(line)
            elif name not in _OF_THE_QUESTION:
                passed.append(line)
        missing = [word.decode() for word in words if not said.get(word)]
        if missing:
            raise GatewayError(front_codes.QUESTION, f"no {missing[0]} line")
        request_line = b"%b %b HTTP/1.1" % (method or said[self.method], target or said[self.target])
        return b"\r\n".join((request_line, b"Host: " + said[self.host], *passed, b"", b""))

    def unwritten(self, dropped: Iterable[bytes], injected: Mapping[bytes, bytes]) -> list[bytes]:
        """The client's header names, forbidden to applications, that would pass the front.

        `injected`: by folded name, the spelling in which the front replaces the client's header.
        """
        return [
            name
            for name in dropped
            if name.lower() not in self.writes
            and (self.renames or injected.get(fold(name), b"").lower() != name.lower())
        ]


# Headers of honest servers on the way. The configurations of the fronts write or remove these exact names.
_ON_THE_WAY: Final = frozenset(
    name.lower()
    for name in (
        b"Forwarded", b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Forwarded-Port",
        b"X-Forwarded-Server", b"X-Real-IP", b"X-Client-IP", b"X-Cluster-Client-IP", b"True-Client-IP",
        b"CF-Connecting-IP", b"Fastly-Client-IP", b"X-Request-Id", *HOP_BY_HOP,
    )
)  # fmt: skip

OAUTH2_PROXY: Final = "oauth2-proxy"
FRONTS: Final[Mapping[str, Front]] = {
    # ngx_http_auth_request_module: 2xx lets the request pass, 401 and 403 refuse, and further statuses lead to a 500.
    # Only the headers that the configuration names are passed on.
    "nginx": Front(
        name="nginx",
        method=b"x-original-method",
        target=b"x-original-uri",
        host=b"host",
        writes=_ON_THE_WAY,
    ),
    # Caddy's reverse_proxy with handle_response. A request without an allowance also goes on to the gateway, unchanged.
    "caddy": Front(
        name="caddy",
        method=b"x-original-method",
        target=b"x-original-uri",
        host=b"host",
        writes=_ON_THE_WAY,
    ),
    # Traefik's forwardAuth: 2xx lets the request pass, and a different answer goes to the browser. The Host of the
    # question is the address of the middleware.
    "traefik": Front(
        name="traefik",
        method=b"x-forwarded-method",
        target=b"x-forwarded-uri",
        host=b"x-forwarded-host",
        writes=_ON_THE_WAY,
        passes=True,
        clears=True,
    ),
    # Envoy's ext_authz over HTTP, which works likewise. A header of the answer lists the client headers to remove.
    "envoy": Front(
        name="envoy",
        method=b"",
        target=b"",
        host=b"host",
        removes=b"X-Envoy-Auth-Headers-To-Remove",
        passes=True,
    ),
    # HAProxy with deploy/fronts/ecluse.lua, which asks as nginx does, and removes lines.
    "haproxy": Front(
        name="haproxy",
        method=b"x-original-method",
        target=b"x-original-uri",
        host=b"host",
        removes=b"X-Ecluse-Remove",
    ),
    # The answers of oauth2-proxy at /oauth2/auth, for an nginx that was set up for oauth2-proxy. nginx passes on every
    # client line that its configuration does not write, so a client that sends a forbidden line is refused.
    OAUTH2_PROXY: Front(
        name=OAUTH2_PROXY,
        method=b"x-forwarded-method",
        target=b"x-forwarded-uri",
        host=b"host",
        writes=frozenset({
            b"x-forwarded-proto", b"x-forwarded-host", b"x-scheme", b"x-auth-request-redirect", b"x-request-id",
            *HOP_BY_HOP,
        }),
        client=b"x-real-ip",
        renames=True,
        allows=202,
    ),
}  # fmt: skip
