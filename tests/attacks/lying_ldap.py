"""An LDAP server that says what it likes of whoever it is asked about (RFC 4511 4.5.2)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

_SEQUENCE, _SET, _OCTETS, _ENUMERATED = 0x30, 0x31, 0x04, 0x0A
_BIND_RESPONSE, _ENTRY, _REFERENCE, _DONE = 0x61, 0x64, 0x73, 0x65

Entry = Mapping[str, Sequence[bytes]]


def element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    return bytes([tag]) + (bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4)) + content


def _result(tag: int, code: int = 0) -> bytes:
    return element(tag, element(_ENUMERATED, bytes([code])), element(_OCTETS), element(_OCTETS))


def entry(attributes: Entry) -> bytes:
    parts = (
        element(_SEQUENCE, element(_OCTETS, name.encode()), element(_SET, *(element(_OCTETS, one) for one in values)))
        for name, values in attributes.items()
    )
    return element(_ENTRY, element(_OCTETS, b"uid=alice,ou=people"), element(_SEQUENCE, *parts))


def reference(url: bytes) -> bytes:
    return element(_REFERENCE, element(_OCTETS, url))


@asynccontextmanager
async def lying(port: int, *answers: bytes, code: int = 0, raw: bytes = b"") -> AsyncIterator[None]:
    """`answers`: what comes before the end of a search, which says `code`. `raw`: sent in the place of all that."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readexactly(2):
                size = head[1]
                if size & 0x80:
                    size = int.from_bytes(await reader.readexactly(size & 0x7F))
                message = await reader.readexactly(size)
                number, operation = message[: message[1] + 2], message[message[1] + 2]
                if operation == 0x60:
                    writer.write(element(_SEQUENCE, number, _result(_BIND_RESPONSE)))
                elif operation == 0x63:
                    said = raw or b"".join(element(_SEQUENCE, number, one) for one in (*answers, _result(_DONE, code)))
                    writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
