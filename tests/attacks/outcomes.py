"""The outcome words of the corpus, each as a check of what was answered and of what reached the application."""

import json
import re
from collections.abc import Iterable

from tests.attacks.cases import expect
from tests.attacks.exchange import Exchange, shown
from tests.attacks.recorder import Reached
from tests.attacks.world import MARK, PORTAL, World

# The reserved names of attacks.md 2.1, as an application's server folds them; a star at the end stands for the rest,
# behind its separator.
RESERVED = (
    "FORWARDED", "X_FORWARDED_*", "X_REAL_IP", "X_ORIGINAL_URL", "X_ORIGINAL_URI", "X_ORIGINAL_HOST",
    "X_ORIGINAL_METHOD", "X_REWRITE_URL",
    "X_HTTP_METHOD", "X_HTTP_METHOD_OVERRIDE", "X_METHOD_OVERRIDE", "REMOTE_USER", "X_REMOTE_*",
    "X_WEBAUTH_*", "X_AUTH_*", "SHIB_*", "OIDC_*", "MELLON_*", "AUTH_USER", "SSL_CLIENT_*", "X_SSL_*", "X_CLIENT_CERT*",
    "X_ENVOY_*", "X_ACCEL_*", "X_SENDFILE", "PROXY",
)  # fmt: skip
# Of each family a name that is written, which counts however it folds.
KNOWN = (
    "X_FORWARDED_USER", "X_REMOTE_USER", "X_WEBAUTH_USER", "X_AUTH_USER", "SHIB_SESSION_ID", "OIDC_CLAIM_SUB",
    "MELLON_NAME_ID", "SSL_CLIENT_S_DN", "X_SSL_CLIENT_VERIFY", "X_CLIENT_CERTIFICATE", "X_ENVOY_EXTERNAL_ADDRESS",
    "X_ACCEL_REDIRECT", "X_FORWARDED", "X_SSL", "CF_PSEUDO_IPV4", "X_INGRESS_PATH",
)  # fmt: skip
# What the gateway writes itself, each once.
WRITTEN = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Request-Id")


def folded(name: bytes) -> str:
    """As CGI does: capitals, and every other character an underscore."""
    return re.sub(r"[^A-Z0-9]", "_", name.decode("latin-1").upper())


def squeezed(name: bytes) -> str:
    return folded(name).replace("_", "")


_EXACT = {squeezed(name.encode()) for name in (*RESERVED, *KNOWN) if not name.endswith("*")}
_BEGINNINGS = tuple(name.removesuffix("*") for name in RESERVED if name.endswith("*"))


def is_reserved(name: bytes) -> bool:
    return squeezed(name) in _EXACT or re.sub("_+", "_", folded(name)).lstrip("_").startswith(_BEGINNINGS)


def r400(world: World, seen: Exchange, *, statuses: Iterable[int] = (400,)) -> None:
    """R400: refused and closed, and the application saw not a byte."""
    unseen(world, seen)
    expect(len(seen.answers) == 1 and seen.answer.status in statuses, f"expected {[*statuses]}: {seen}")
    expect(seen.closed, f"expected the connection to be closed: {seen}")


def denied(world: World, seen: Exchange) -> None:
    """DENY: 401, 403, or a redirect to the portal to sign in; the application saw not a byte."""
    unseen(world, seen)
    answer = seen.answer
    location = answer.header(b"location")
    to_portal = answer.status == 303 and location.startswith(world.portal("/_ecluse/start?").encode())
    expect(to_portal or answer.status in (401, 403), f"expected a denial: {seen}")


def not_through(world: World, seen: Exchange) -> None:
    """R400 or DENY, whichever comes first."""
    unseen(world, seen)
    if seen.answer.status == 400:
        r400(world, seen)
    else:
        denied(world, seen)


def unseen(world: World, seen: Exchange) -> None:
    reached = world.recorder.all_bytes
    expect(reached == b"", f"reached the application: {shown(reached)}; {seen}")


def passed(world: World, seen: Exchange) -> Reached:
    """One whole request reached the application, and its answer came back."""
    requests = world.recorder.requests
    expect(len(requests) == 1, f"{len(requests)} requests reached the application, not 1: {seen}")
    expect(world.recorder.all_bytes == requests[0].raw, f"more than one request reached it: {world.recorder.pieces}")
    expect(seen.answer.status == 200, f"expected the application's answer: {seen}")
    return requests[0]


def stripped(world: World, seen: Exchange, *, user: str | None, app: str) -> Reached:
    """STRIP: forwarded, and every name that says who is calling or what is meant is there once and ours, or not at all.

    `user`: whom the application has to be told, None for nobody.
    """
    request = passed(world, seen)
    expect(MARK not in request.raw, f"a forged value reached the application: {shown(request.raw)}")
    check_identity(request, user)
    check_written(world, request, app)
    return request


def check_identity(request: Reached, user: str | None) -> None:
    names = [name for name, _ in request.lines if squeezed(name) == "XREMOTEUSER"]
    values = request.all(b"X-Remote-User")
    wanted = [user.encode()] if user else []
    expect(values == wanted and len(names) == len(wanted), f"X-Remote-User is {values}, not {wanted}: {request.raw!r}")


def check_written(world: World, request: Reached, app: str) -> None:
    """The names that only the gateway writes."""
    for name, _ in request.lines:
        ours = name.decode() in (*WRITTEN, "X-Remote-User", "X-Dept", "ctln", "X-Provider")
        expect(ours or not is_reserved(name), f"{name!r} reached the application: {request.raw!r}")
        expect(b"_" not in name, f"{name!r} reached the application: {request.raw!r}")
    for name in WRITTEN:
        count = sum(squeezed(line) == squeezed(name.encode()) for line, _ in request.lines)
        expect(count == 1, f"{name} is there {count} times: {request.raw!r}")
    expect(request.all(b"X-Forwarded-Proto") == [b"http"], f"X-Forwarded-Proto: {request.raw!r}")
    for value in (*request.all(b"X-Forwarded-Host"), request.host):
        expect(value.partition(b":")[0] == f"{app}.localhost".encode(), f"host {value!r}: {request.raw!r}")


def sign_in_refused(status: int, cookies: Iterable[str]) -> None:
    """NOLOGIN, as far as the answer goes: 4xx (or 5xx for a provider that is at fault), and no session cookie."""
    expect(400 <= status < 600, f"the sign-in was not refused: {status}")
    made = [cookie for cookie in cookies if re.match("__Host-ecluse=[^;]", cookie)]
    expect(not made, "a session cookie was set all the same")


def is_login_redirect(location: str) -> bool:
    return f"//{PORTAL}:" in location and "/_ecluse/start?" in location


def hex_json(body: bytes) -> dict[str, dict[bytes, bytes]]:
    """The answer of servers/echo.php."""
    told = json.loads(body)
    return {
        part: {bytes.fromhex(name): bytes.fromhex(value) for name, value in (values or {}).items()}
        for part, values in told.items()
    }
