"""The request under way, as policy may ask of it: what the application will be given, and nothing that is dropped."""

from time import time
from typing import TYPE_CHECKING

from gateway.policy.facts import RequestFacts
from gateway.wire.addresses import parse_address

if TYPE_CHECKING:
    from gateway.proxy.client import ClientConnection


def asked(client: "ClientConnection") -> RequestFacts:
    """`lines` are those that go on: a header that a Connection option took off the message is not among them."""
    request = client.request
    lines, target = request.lines, request.spot.target
    return RequestFacts(
        client=parse_address(client.memo.chain[0]),
        headers=tuple(
            (name[2:-2].decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in zip(lines[::2], lines[1::2], strict=True)
            if name
        ),
        path="/" + "/".join(target.segments),
        query=(target.query or b"").decode("latin-1"),
        now=time(),
    )
