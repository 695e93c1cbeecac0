"""An application that lives by a WebSocket: one page that opens it, and what the person writes comes back."""

from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

_PAGE = """<!doctype html><html lang="fr"><title>Carnet</title><h1>Carnet</h1><ol></ol><script>
const list = document.querySelector('ol');
const say = (textContent) => list.append(Object.assign(document.createElement('li'), {textContent}));
window.begin = () => {
  window.socket = new WebSocket(`ws://${location.host}/ws`);
  socket.onopen = () => say('open');
  socket.onmessage = ({data}) => say(data);
  socket.onclose = ({code, reason, wasClean}) => say(`closed ${code} ${reason} ${wasClean}`);
};
begin();
</script></html>"""


class Notebook:
    """`ends`: the status of the Close frame that each connection got, or None."""

    def __init__(self) -> None:
        self.ends: list[int | None] = []
        self._server: Server | None = None

    async def start(self) -> int:
        """The port that it listens on."""
        self._server = await serve(self._talk, "127.0.0.1", 0, process_request=_page)
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        try:
            await connection.send(f"hello {connection.request.headers['X-Remote-User']}")
            async for message in connection:
                await connection.send(f"you said {message!s}")
        except ConnectionClosed:
            pass
        self.ends.append(connection.protocol.close_rcvd.code if connection.protocol.close_rcvd else None)


def _page(connection: ServerConnection, request: Request) -> Response | None:
    if request.path == "/ws":
        return None
    page = connection.respond(HTTPStatus.OK, _PAGE)
    page.headers["Content-Type"] = "text/html; charset=utf-8"
    return page
