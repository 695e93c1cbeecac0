"""The files of the State's design system, from the operator's copy, on every host that shows pages of ours. The files
are part of the snapshot. Each address contains the digest of the file, so browsers cache the file for good. A page of
an older snapshot, or of another machine, gets the current files, without caching."""

import asyncio
import gzip

from gateway.model.codes import route_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.theme import DesignFile
from gateway.portal.http.request import PortalRequest

DESIGN = "dsfr/"
# A picture opened as a page must not run scripts.
_POLICY = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; sandbox"


class DesignFiles:
    """Serves the files. `_plain`: the file unpacked last, for clients that cannot unpack: strangers share one piece
    of memory."""

    def __init__(self) -> None:
        self._plain: tuple[DesignFile, bytes] | None = None
        self._unpacks = asyncio.Lock()

    async def file(self, request: PortalRequest) -> Page:
        """`/_ecluse/dsfr/DIGEST/NAME`"""
        _, _, rest = request.path.partition(DESIGN)
        addressed, _, name = rest.partition("/")
        file = request.snapshot.design.get(name)
        dsfr = request.snapshot.gateway.theme.dsfr
        if file is None or dsfr is None:
            raise GatewayError(route_codes.RESERVED, "no such file of the design system")
        kept = b"public, max-age=31536000, immutable" if addressed == dsfr.digest else b"no-store"
        packed = file.packed and "gzip" in (request.header(b"accept-encoding") or "")
        headers = (
            (b"Content-Type", file.kind.encode()),
            (b"Cache-Control", kept),
            (b"X-Content-Type-Options", b"nosniff"),
            (b"Content-Security-Policy", _POLICY),
            # Pages of other origins do not need the files.
            (b"Cross-Origin-Resource-Policy", b"same-origin"),
            *(((b"Vary", b"Accept-Encoding"),) if file.packed else ()),
            *(((b"Content-Encoding", b"gzip"),) if packed else ()),
        )
        body = await self._unpacked(file) if file.packed and not packed else file.content
        return Page(200, headers, body)

    async def _unpacked(self, file: DesignFile) -> bytes:
        async with self._unpacks:
            if self._plain is None or self._plain[0] is not file:
                self._plain = file, await asyncio.to_thread(gzip.decompress, file.content)
            return self._plain[1]
