"""The data plane's hand-over to the portal: a request for the portal, with its sender."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.config.snapshot import App, Snapshot
from gateway.model.kept_post import KeptFile
from gateway.model.levels import NO_NEED, Need


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRequest:
    """Made by the data plane from what it has read itself; no client can forge it.

    `purpose` "endpoint": the target is a path of ours under `/_ecluse/`. "challenge": the request (with its own
    target, any app path) needs a sign-in and is a top-level navigation, or stands in a frame of a host that the
    application's file lists; `app` is then set. "logout": the target is one of the application's own addresses for
    signing out. `host` is canonical, `authority` that with the port as sent, `client` the client's address after
    trusted proxies, `scheme` what the browser used. `challenge_reason` is a code id, `need` what the sign-in has to be.
    `app` is None on the portal host unless an app is served there too.

    `method` and `target` as received. `headers`: lower-case names, of those that the portal reads; what came twice is
    joined (RFC 9110 5.3). `cookies`: the Cookie line, empty where there was none. `kept`: of a challenge, the body of a
    form that is kept.
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
