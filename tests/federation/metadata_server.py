"""A web server of metadata that can be changed between two requests, and providers that live on it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from aiohttp import web

from gateway.federation.metadata_source import MetadataSource, source_of
from gateway.model.provider import MetadataUrl, SamlProvider
from gateway.saml.times import instant
from tests.federation.servers import web_server
from tests.saml.parties import PROVIDER, pair, spki

Kind = Literal["entity", "aggregate", "mdq", "mdq_sha1"]

# A helper whose documents are not looked at first: what is left is what the kernel does.
UNLOOKED = (
    sys.executable,
    "-P",
    "-c",
    """
from gateway.federation.metadata_process import main
from gateway.saml import metadata_document
metadata_document.check_limits = lambda root: None
main()
""",
)


@dataclass
class MetadataServer:
    """`documents`: by path; any other path is 404. `asked`: the paths, in order; `conditions`: what came with each.

    `versions`: ETag and Last-Modified by path; who has them already gets 304.
    """

    port: int = 0
    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    delay: float = 0.0
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    conditions: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path
        self.asked.append(path)
        await asyncio.sleep(self.delay)
        document = self.documents.get(path)
        if document is None:
            return web.Response(status=404)
        version = self.versions.get(path, {})
        named = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
        conditions = {name: request.headers[name] for name in named if name in request.headers}
        self.conditions.append(conditions)
        if conditions and all(version.get(named[name]) == value for name, value in conditions.items()):
            return web.Response(status=304, headers=version)
        return web.Response(body=document, content_type="application/samlmetadata+xml", headers=version)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def provider(self, path: str = "/idp", kind: Kind = "entity", signer: str | None = "federation") -> SamlProvider:
        keys = () if signer is None else (spki(pair(signer)),)
        return replace(PROVIDER, metadata=MetadataUrl(self.url(path), kind, keys), development=True)

    def source(self, path: str = "/idp", kind: Kind = "entity", signer: str | None = "federation") -> MetadataSource:
        source = source_of(self.provider(path, kind, signer))
        assert source is not None
        return source


@asynccontextmanager
async def running_metadata_server() -> AsyncIterator[MetadataServer]:
    server = MetadataServer()
    async with web_server(server) as server.port:
        yield server


def in_a_day(seconds: int = 86400) -> str:
    """A validUntil by the clock of this machine, which a helper goes by."""
    return f'validUntil="{instant(time.time() + seconds)}"'


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
