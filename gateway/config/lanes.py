"""What the data plane tells the portal about a request that it hands over, beside the request's own bytes."""

from dataclasses import dataclass
from typing import Literal

from gateway.config.snapshot import App, Snapshot
from gateway.model.levels import NO_NEED, Need


@dataclass(frozen=True, slots=True)
class PortalCall:
    """Read by the portal from `transport.get_extra_info("ecluse")`; no client can forge it.

    `purpose` "endpoint": the target is a path of ours under `/_ecluse/`. "challenge": the request (with its own
    target, any app path) needs a sign-in and is a top-level navigation; `app` is then set. "logout": the target is one
    of the application's own addresses for signing out. `host` is canonical,
    `client` the client's address after trusted proxies, `scheme` what the browser used. `challenge_reason` is a
    code id, `need` what the sign-in has to be. `app` is None on the portal host unless an app is served there too.
    """

    purpose: Literal["endpoint", "challenge", "logout"]
    snapshot: Snapshot
    app: App | None
    host: str
    scheme: str
    client: str
    request_id: str
    challenge_reason: str = ""
    need: Need = NO_NEED
