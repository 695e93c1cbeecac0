"""What a WSGI server of the old kind makes of a request: its environment, as JSON."""

import json
import sys
from collections.abc import Callable, Iterable
from http.server import ThreadingHTTPServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer


class Server(ThreadingHTTPServer, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


def echo(environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    told = {name: value for name, value in environment.items() if isinstance(value, str)}
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Quiet)
    server.set_app(echo)
    server.serve_forever()
