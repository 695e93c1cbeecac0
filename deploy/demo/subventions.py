"""« Subventions », a WSGI application from before OpenID Connect: it believes HTTP_AUTH_USER and a cookie.

python -m deploy.demo.subventions PORT
"""

import signal
import sys
from collections.abc import Iterable
from html import escape
from http.cookies import SimpleCookie
from socketserver import ThreadingMixIn
from types import FrameType
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from deploy.demo.pages import page, readable, table

_MENU = (
    '<header><nav aria-label="Menu"><ul><li><a href="/">Accueil</a></li><li><a href="/public/">Pages publiques</a></li>'
    '<li><a href="/_ecluse/logout">Se déconnecter</a></li></ul></nav></header>'
)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    user = environ.get("HTTP_AUTH_USER")
    greeting = f"Bonjour {escape(readable(user))}." if user else "Personne n'est annoncé."
    session = "ouverte" if "CTSESSION" in _cookies(environ) else "fermée"
    received = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    asked = {name: environ.get(name, "") for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR")}
    body = (
        f"<p>{greeting}</p><p>Session historique (cookie CTSESSION) : {session}.</p>"
        f"{table('Ce que l’application reçoit', received)}{table('La demande', asked)}"
    )
    content = page("Subventions", body, _MENU).encode()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(content)))])
    return [content]


def _cookies(environ: WSGIEnvironment) -> SimpleCookie:
    return SimpleCookie(environ.get("HTTP_COOKIE", ""))


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """The gateway's log tells the story."""


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    signal.signal(signal.SIGTERM, _leave)
    with make_server("127.0.0.1", int(sys.argv[1]), application, _Server, _Quiet) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
