"""Two older applications: a logbook that lives by a WebSocket, and one that has nothing but a login form of its own.

python -m deploy.demo.services LOGBOOK_PORT FORM_PORT FILE: the file has what the form takes for everybody's password.
"""

import asyncio
import secrets
import sys
from collections import deque
from contextlib import suppress
from hmac import compare_digest
from html import escape
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType, web

from deploy.demo.pages import page

_MENU = '<header><nav aria-label="Menu"><ul><li><a href="/">Accueil</a></li>{}</ul></nav></header>'
_LEAVE = '<li><a href="/_ecluse/logout">Se déconnecter</a></li>'
_LOGBOOK = """<p>Ministère de l’Intérieur</p><p>Bonjour {user}.
Ce que vous écrivez, chaque page ouverte le lit aussitôt.</p>
<form><label for="text">Message</label> <input id="text" autocomplete="off" required> <button>Envoyer</button></form>
<ol aria-live="polite"></ol><p id="state">Connexion…</p>
<script>
const socket = new WebSocket(`${{location.origin.replace('http', 'ws')}}/fil`);
const line = (text) => Object.assign(document.createElement('li'), {{textContent: text}});
const say = (text) => document.querySelector('ol').append(line(text));
const state = (text) => {{ document.getElementById('state').textContent = text; }};
socket.onopen = () => state('Connecté.');
socket.onmessage = ({{data}}) => say(data);
socket.onclose = () => state('Connexion terminée : rechargez la page pour la reprendre.');
document.forms[0].onsubmit = (event) => {{ event.preventDefault(); socket.send(text.value); text.value = ''; }};
</script>"""
_LONGEST = 500


def logbook() -> web.Application:
    """It believes X-Remote-User, at the handshake of the WebSocket too."""
    lines: deque[str] = deque(maxlen=20)
    readers: set[web.WebSocketResponse] = set()

    async def first(request: web.Request) -> web.Response:
        body = _LOGBOOK.format(user=escape(request.headers.get("X-Remote-User", "")))
        return _html(page("Main courante d’astreinte", body, _MENU.format(_LEAVE)))

    async def thread(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=4 * _LONGEST)
        await socket.prepare(request)
        for line in lines:
            await socket.send_str(line)
        readers.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    lines.append(f"{request.headers.get('X-Remote-User')} : {message.data[:_LONGEST]}")
                    for reader in tuple(readers):
                        with suppress(ConnectionError):
                            await reader.send_str(lines[-1])
        finally:
            readers.discard(socket)
        return socket

    async def leave(_: web.Application) -> None:
        for reader in tuple(readers):
            await reader.close(code=WSCloseCode.GOING_AWAY)

    application = web.Application()
    application.router.add_get("/", first)
    application.router.add_get("/fil", thread)
    application.on_shutdown.append(leave)
    return application


def with_a_form(password: str) -> web.Application:
    """Sessions of its own, in a cookie; it reads no header of anybody's."""
    sessions: dict[str, str] = {}
    tokens: deque[str] = deque(maxlen=1000)

    async def first(request: web.Request) -> web.Response:
        login = sessions.get(request.cookies.get("EXAMENS", ""))
        if login is None:
            raise web.HTTPFound("/connexion")
        body = (
            f"<p>Ministère de l’Éducation nationale</p><p>Bonjour {escape(login)}.</p>"
            "<p>Cette application n’a qu’un formulaire de connexion, que la passerelle a rempli : vous ne l’avez pas "
            "vu, et votre navigateur n’a pas son cookie.</p>"
        )
        return _html(page("Centres d’examen", body, _MENU.format(_LEAVE)))

    async def form(request: web.Request) -> web.Response:
        tokens.append(secrets.token_hex(16))
        body = (
            '<form method="post" action="/connexion">'
            f'<input type="hidden" name="jeton" value="{tokens[-1]}">'
            '<p><label>Identifiant <input name="identifiant"></label></p>'
            '<p><label>Mot de passe <input type="password" name="mot_de_passe"></label></p>'
            "<button>Se connecter</button></form>"
        )
        return _html(page("Centres d’examen : connexion", body))

    async def sign_in(request: web.Request) -> web.Response:
        sent = {name: str(value) for name, value in (await request.post()).items()}
        if sent.get("jeton") not in tokens or not compare_digest(sent.get("mot_de_passe", ""), password):
            return await form(request)
        tokens.remove(sent["jeton"])
        session = secrets.token_urlsafe(24)
        sessions[session] = sent.get("identifiant", "")
        answer = web.Response(status=302, headers={"Location": "/"})
        answer.set_cookie("EXAMENS", session, httponly=True)
        return answer

    application = web.Application(client_max_size=64 * 1024)
    application.router.add_get("/", first)
    application.router.add_get("/connexion", form)
    application.router.add_post("/connexion", sign_in)
    return application


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def serve(password: str) -> None:
    for port, application in zip(sys.argv[1:3], (logbook(), with_a_form(password)), strict=True):
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(port)).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(Path(sys.argv[3]).read_text().rstrip("\n")))
