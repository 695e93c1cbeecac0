"""One HTTP/1.1 connection of a client that sends any bytes and reads answers with the C parser."""

import asyncio
import ssl
from urllib.parse import urlsplit

import httptools

from tests.cookie_jar import is_local

Header = tuple[str, str]
_ANSWERED_WITHIN = 60.0


class Connection:
    """One connection, kept alive while both sides let it. Also for raw bytes: `send` takes any."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.usable = True

    @classmethod
    async def open(cls, url: str, tls: ssl.SSLContext | None = None) -> "Connection":
        parts = urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        reader, writer = await asyncio.open_connection(
            "127.0.0.1" if is_local(host) else host,
            parts.port or (443 if secure else 80),
            ssl=tls if secure else None,
            server_hostname=host if secure else None,
        )
        return cls(reader, writer)

    async def exchange(self, request: bytes, *, head_only: bool = False) -> "Reading":
        """Raises ConnectionError when the peer closes before a whole answer, TimeoutError after a minute."""
        self._writer.write(request)
        reading = Reading(head_only=head_only)
        async with asyncio.timeout(_ANSWERED_WITHIN):
            while not reading.complete:
                chunk = await self._reader.read(65536)
                if not chunk:
                    reading.end()
                    break
                reading.feed(chunk)
        self.usable = reading.keep_alive
        return reading

    @property
    def ended(self) -> bool:
        """The peer has closed, and nothing is left to read."""
        return self._reader.at_eof() or self._reader.exception() is not None

    async def close(self) -> None:
        self.usable = False
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            pass


class Reading:
    """The parser's callbacks, gathered into one final answer; interim ones are counted and left."""

    def __init__(self, *, head_only: bool) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._head_only = head_only
        self._headed = False
        self.interim = 0
        self.started = False
        self.complete = False
        self.keep_alive = False
        self.headers: list[Header] = []
        self.body = bytearray()
        self.status = 0

    def feed(self, chunk: bytes) -> None:
        self.started = True
        self._parser.feed_data(chunk)

    def end(self) -> None:
        """The peer closed: whole if the answer is one that ends with the connection."""
        delimited = {name.lower() for name, _ in self.headers} & {"content-length", "transfer-encoding"}
        if not self._headed or delimited:
            raise ConnectionResetError("closed before a whole answer")
        self.complete = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._headed:
            self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self._headed = True
        self.keep_alive = self._parser.should_keep_alive()
        self.complete = self._head_only

    def on_body(self, body: bytes) -> None:
        if self._head_only:
            raise AssertionError("a HEAD was answered with a body")
        self.body += body

    def on_message_complete(self) -> None:
        if self._headed:
            self.complete = True
        else:
            self.interim += 1
            self.headers.clear()
