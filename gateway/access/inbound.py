"""The data plane's hand-over to the portal: a request for the portal, with its sender."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.config.snapshot import App, Snapshot
from gateway.model.kept_post import KeptFile
from gateway.model.levels import NO_NEED, Need


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRequest:
    """The data plane makes it from its own reading of the request; no client can forge it.

    `purpose`: "endpoint": the target is a path of ours under `/_ecluse/`. "challenge": the request needs a sign-in, and
    is a
    top-level navigation or comes from a frame in a host that the application's file lists; `app` is set. "logout": the
    target is an address of the application's for signing out.
    `app`: None on a portal host without an application.
    `host`: canonical. `authority`: the host with the port, as sent.
    `scheme`: the browser's scheme.
    `client`: the client's address, behind trusted proxies.
    `method`, `target`: as received.
    `headers`: lower-case names, only headers that the portal reads. Repeated headers are joined (RFC 9110 5.3).
    `cookies`: the Cookie line; empty: absent.
    `challenge_reason`: the id of a code.
    `need`: the sign-in that the challenge asks for.
    `kept`: the body of a kept form, in a challenge.
    """

    purpose: Literal["endpoint", "challenge", "logout"]
    snapshot: Snapshot
    app: App | None
    host: str
    authority: str
    scheme: str
    client: str
    request_id: str
    method: str
    target: str
    headers: Mapping[bytes, bytes]
    cookies: bytes
    challenge_reason: str = ""
    need: Need = NO_NEED
    kept: KeptFile | None = None
