"""Applications of three ministries, which believe X-Remote-User: what each received, and what there is to try in it.

python -m deploy.demo.ministries PORT PORT PORT: in the order of MINISTRIES, all in one process.
"""

import json
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

from deploy.demo.pages import page, readable, table


@dataclass(frozen=True, slots=True)
class Ministry:
    """`pages`: path to what stands there; below /api/ it is JSON. `form`: a form's path, and what its button says."""

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
            "/listes/59343/procurations": "Les procurations, pour la personne élue maire, avec un second facteur.",
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
            "/dossiers/7/avis": "Les avis : tous les lisent ; les exécutifs et la région en donnent.",
            "/api/dossiers/7": "",
        },
        ("/dossiers/7/avis", "Donner un avis favorable"),
    ),
}

_NAMES: Final[Mapping[str, str]] = {
    "/": "Accueil",
    "/aide/": "Aide",
    "/listes/59343": "Liste de Lesquin",
    "/listes/59343/procurations": "Procurations",
    "/export/classe": "Export",
    "/dossiers/7": "Dossier 7",
    "/dossiers/7/avis": "Avis",
    "/api/dossiers/7": "Dossier 7 par REST",
}
_OF_PERSON: Final = ("HTTP_X_REMOTE_USER", "HTTP_X_SIRET", "HTTP_FREDURNE")


def application(ministry: Ministry, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path, method = environ.get("PATH_INFO", "/"), environ["REQUEST_METHOD"]
    user = readable(environ.get("HTTP_X_REMOTE_USER", ""))
    found = (method == "GET" and path in ministry.pages) or (method == "POST" and path == ministry.form[0])
    if path.startswith("/api/"):
        kind, content = "application/json", json.dumps({"dossier": path.rpartition("/")[2], "lu_par": user})
    else:
        body = f"<p>{escape(ministry.ministry)}</p>{_told(environ, user)}{_body(ministry, path, method)}"
        body += _received(environ)
        kind, content = "text/html", page(ministry.title, body, _menu(ministry))
    headers = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(content.encode())))]
    start_response("200 OK" if found else "404 Not Found", headers)
    return [content.encode()]


def _told(environ: WSGIEnvironment, user: str) -> str:
    siret, schools = environ.get("HTTP_X_SIRET"), environ.get("HTTP_FREDURNE")
    told = f"Bonjour {escape(user)}." if user else "Personne n’est annoncé."
    told += f" Vous agissez pour l’organisation {escape(siret)}." if siret else ""
    return f"<p>{told}{f' Ses écoles : {escape(schools)}.' if schools else ''}</p>"


def _received(environ: WSGIEnvironment) -> str:
    """What is told of the person first; the rest, which browsers send to every application, on demand."""
    received = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    of_person = {name: received.pop(name) for name in _OF_PERSON if name in received}
    told = table("Ce que l’application apprend de vous", of_person) if of_person else ""
    rest = table("En-têtes de la requête", received)
    return f"{told}<details><summary>Tout ce que l’application reçoit</summary>{rest}</details>"


def _body(ministry: Ministry, path: str, method: str) -> str:
    if method == "POST":
        return "<p><strong>C’est enregistré.</strong></p>"
    action, button = ministry.form
    form = f'<form method="post" action="{action}"><button>{escape(button)}</button></form>'
    return f"<p>{escape(ministry.pages.get(path, 'Page introuvable.'))}</p>{form}"


def _menu(ministry: Ministry) -> str:
    links = [*((path, _NAMES[path]) for path in ministry.pages), ("/_ecluse/logout", "Se déconnecter")]
    items = "".join(f'<li><a href="{path}">{escape(name)}</a></li>' for path, name in links)
    return f'<header><nav aria-label="Menu"><ul>{items}</ul></nav></header>'


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
