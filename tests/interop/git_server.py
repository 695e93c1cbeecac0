"""Git repositories over HTTP: git's own `http-backend`, as a web server runs it by CGI (RFC 3875)."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.interop.servers import found
from tests.patience import PATIENCE


@contextmanager
def git_over_http(repositories: Path, port: int) -> Iterator[None]:
    """Who pushes is who X-Remote-User says, and without a name nobody does."""
    git = found("git")

    class Backend(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._run()

        def do_POST(self) -> None:
            self._run()

        def _run(self) -> None:
            path, _, query = self.path.partition("?")
            told = {name: self.headers.get(name, "") for name in ("Content-Type", "Content-Encoding", "X-Remote-User")}
            body = self._body()
            environment = {
                **os.environ, "GIT_PROJECT_ROOT": str(repositories), "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query,
                "CONTENT_TYPE": told["Content-Type"], "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": told["Content-Encoding"],
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }  # fmt: skip
            if told["X-Remote-User"]:
                environment["REMOTE_USER"] = told["X-Remote-User"]
            ran = subprocess.run(
                [git, "http-backend"], input=body, capture_output=True, env=environment, check=True, timeout=PATIENCE
            )
            head, _, content = ran.stdout.partition(b"\r\n\r\n")
            lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(lines.pop("Status", "200")[:3]))
            for name, value in lines.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            parts: list[bytes] = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Backend) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield
        finally:
            server.shutdown()
            serving.join(PATIENCE)
