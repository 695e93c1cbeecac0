"""The bytes of requests."""

from tests.attacks.world import host


def request(
    app: str,
    target: str | bytes = "/public/page",
    *lines: bytes,
    method: bytes = b"GET",
    cookie: bytes = b"",
    body: bytes | None = None,
    version: bytes = b"HTTP/1.1",
) -> bytes:
    """One request to an application: Host, `lines` as they are, the cookie, and a counted body where there is one."""
    path = target if isinstance(target, bytes) else target.encode()
    head = [b"%b %b %b" % (method, path, version), b"Host: %b" % host(app).encode(), *lines]
    if cookie:
        head.append(b"Cookie: " + cookie)
    if body is not None:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + (body or b"")


NAVIGATION = (b"Accept: text/html", b"Sec-Fetch-Dest: document", b"Sec-Fetch-Mode: navigate")
