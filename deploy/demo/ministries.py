"""Applications of three ministries, which believe X-Remote-User: what each received, and what there is to try in it.

python -m deploy.demo.ministries PORT PORT PORT: in the order of MINISTRIES, all in one process.
"""

import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from socketserver import ThreadingMixIn
from types import FrameType
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from deploy.demo.pages import page


@dataclass(frozen=True, slots=True)
class Ministry:
    """`pages`: path to what stands there. `form`: the path of a form, and what its button says."""

    title: str
    ministry: str
    pages: Mapping[str, str]
    form: tuple[str, str]


MINISTRIES: Final[Mapping[str, Ministry]] = {
    "elections": Ministry(
        "Listes électorales",
        "Ministère de l’Intérieur",
        {
            "/": "Accueil, pour les agents et les élus des neuf collectivités.",
            "/aide/": "L’aide se lit sans compte.",
            "/listes/59343": "La liste de Lesquin, pour les services d’état civil, aux heures ouvrées.",
        },
        ("/listes/59343/signature", "Signer la liste, comme maire"),
    ),
    "ecoles": Ministry(
        "Inscriptions scolaires",
        "Ministère de l’Éducation nationale",
        {
            "/": "Les écoles de Roubaix et de Lesquin, et l’équipe de la métropole.",
            "/export/classe": "L’export n’est permis que pour l’impression, depuis le réseau local.",
        },
        ("/inscription", "Inscrire un enfant"),
    ),
    "avis": Ministry(
        "Avis sur les projets",
        "Ministère de la Transition écologique",
        {
            "/": "Les projets, pour les neuf collectivités.",
            "/dossiers/7": "Le dossier 7, fermé à qui a quitté sa collectivité.",
            "/dossiers/7/avis": "Les avis : tous les lisent ; les exécutifs et la région en donnent.",
        },
        ("/dossiers/7/avis", "Donner un avis favorable"),
    ),
}


def application(ministry: Ministry, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path, method = environ.get("PATH_INFO", "/"), environ["REQUEST_METHOD"]
    user, siret = environ.get("HTTP_X_REMOTE_USER"), environ.get("HTTP_X_SIRET")
    schools = environ.get("HTTP_FREDURNE")
    told = f"Bonjour {escape(_readable(user))}." if user else "Personne n’est annoncé."
    told += f" Vous agissez pour l’organisation {escape(siret)}." if siret else ""
    told += f" Ses écoles : {escape(schools)}." if schools else ""
    found = (method == "GET" and path in ministry.pages) or (method == "POST" and path == ministry.form[0])
    body = f"<p>{escape(ministry.ministry)}</p><p>{told}</p>{_body(ministry, path, method)}"
    content = page(ministry.title, body, _menu(ministry)).encode()
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(content)))]
    start_response("200 OK" if found else "404 Not Found", headers)
    return [content]


def _body(ministry: Ministry, path: str, method: str) -> str:
    if method == "POST":
        return "<p><strong>C’est enregistré.</strong></p>"
    action, button = ministry.form
    form = f'<form method="post" action="{action}"><button>{escape(button)}</button></form>'
    return f"<p>{escape(ministry.pages.get(path, 'Page introuvable.'))}</p>{form}"


def _menu(ministry: Ministry) -> str:
    links = [*((path, path) for path in ministry.pages), ("/_ecluse/logout", "Se déconnecter")]
    items = "".join(f'<li><a href="{path}">{escape(name)}</a></li>' for path, name in links)
    return f'<header><nav aria-label="Menu"><ul>{items}</ul></nav></header>'


def _readable(value: str) -> str:
    """WSGI hands every header over as ISO-8859-1 (PEP 3333); these are in UTF-8."""
    return value.encode("latin-1").decode("utf-8", "replace")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """The gateway's log tells the story."""


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    signal.signal(signal.SIGTERM, _leave)
    for ministry, port in zip(MINISTRIES.values(), sys.argv[1:], strict=True):
        server = make_server("127.0.0.1", int(port), partial(application, ministry), _Server, _Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
