"""Questions by a server in front about a request that the server passes on itself (forward auth), in the dialect of
each server; and the answers.

A question is a request of its own. Its head repeats the browser's head, and names the method, address and host of the
browser's request in header lines of the front. From these the browser's request is rebuilt, so that the same code reads
the rebuilt request and every other request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.model.codes import front_codes
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.wire.hop_by_hop import HOP_BY_HOP, connection_tokens

PATH: Final = b"/_ecluse/authz"
"""Of every question; the name of the front's kind follows."""
SECRET: Final = b"x-ecluse-front"
STATUS: Final = b"X-Ecluse-Status"
"""What the browser would be answered, where the front passes no answer of ours on."""
ALLOWED, NOT_SIGNED_IN, REFUSED = 200, 401, 403

# Lines between the front and us, and what says where the question ends. A question has no body.
_OF_THE_QUESTION: Final = frozenset({b"host", b"content-length", b"transfer-encoding", SECRET, *HOP_BY_HOP}) - {
    b"upgrade",
    b"connection",
}


@dataclass(frozen=True, slots=True)
class Front:
    """One kind of server.

    `method`, `target`, `host`: lower-case names of the headers with the browser's method, target and host. Without
    `method` and `target`, the question has the browser's method, and the target behind the front's own path.
    `passes`: an answer other than an allowance goes to the browser. Other servers send the request here again,
    unchanged.
    `writes`: lower-case names that the server always sets or removes, whatever the client sent.
    `removes`: the header of the answer that lists client headers for the server to remove; b"": not supported.
    `clears`: the server removes a header that the answer lacks.
    `client`: the header with the browser's address, if not X-Forwarded-For, which is then the client's own.
    `renames`: the server may write the answer's headers under other names, so a client's header of the same name
    survives.
    `allows`: the status of an allowance.
    `leads`: an allowance redirects the browser to the requested address: the browser itself asks.
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
        lines do. None: not a question.

        `method`: of the question.
        `tail`: the part of the target behind the front's name.
        """
        if self.method:
            return (b"", b"") if method == b"GET" and not tail else None
        return (method, tail) if tail.startswith(b"/") else None

    def original(self, lines: Iterable[bytes], method: bytes = b"", target: bytes = b"") -> bytes:
        """The head of the browser's request. `lines`: of the question, each b"Name: value". `method`, `target`: as
        `asked` has them. Raises GatewayError(front_codes.QUESTION) where the front does not say each thing once, or
        takes lines off by Connection, which the application would see."""
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
        """The client's header names, forbidden to applications, that would pass this front.

        `injected`: by folded name, the spelling in which the front replaces the client's header.
        """
        return [
            name
            for name in dropped
            if name.lower() not in self.writes
            and (self.renames or injected.get(fold(name), b"").lower() != name.lower())
        ]


# What honest servers on the way add, and the configurations of these fronts write or leave out, by their exact names.
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
    # ngx_http_auth_request_module: 2xx lets the request pass, 401 and 403 do not, and all else is a 500. Its
    # configuration passes on the headers that it names, and no other.
    "nginx": Front(
        name="nginx",
        method=b"x-original-method",
        target=b"x-original-uri",
        host=b"host",
        writes=_ON_THE_WAY,
    ),
    # Its reverse_proxy, with an answer that is looked at: what is not allowed it passes on as it came, too.
    "caddy": Front(
        name="caddy",
        method=b"x-original-method",
        target=b"x-original-uri",
        host=b"host",
        writes=_ON_THE_WAY,
    ),
    # Its forwardAuth: 2xx lets the request pass, and every other answer goes to the browser. The question has the
    # address of the middleware as its Host.
    "traefik": Front(
        name="traefik",
        method=b"x-forwarded-method",
        target=b"x-forwarded-uri",
        host=b"x-forwarded-host",
        writes=_ON_THE_WAY,
        passes=True,
        clears=True,
    ),
    # Its ext_authz over HTTP: likewise. It takes off what it is told in a header of its own.
    "envoy": Front(
        name="envoy",
        method=b"",
        target=b"",
        host=b"host",
        removes=b"X-Envoy-Auth-Headers-To-Remove",
        passes=True,
    ),
    # deploy/fronts/ecluse.lua is all that HAProxy has for this: it asks as nginx does, and takes lines off.
    "haproxy": Front(
        name="haproxy",
        method=b"x-original-method",
        target=b"x-original-uri",
        host=b"host",
        removes=b"X-Ecluse-Remove",
    ),
    # What oauth2-proxy answers at /oauth2/auth, for an nginx that was set up for that. It passes on every line of the
    # client's that its configuration does not write: what no application may see, it may not send.
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
