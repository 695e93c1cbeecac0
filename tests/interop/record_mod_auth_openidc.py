"""What mod_auth_openidc of Debian tells an application, recorded: `python -m tests.interop.record_mod_auth_openidc`.

Needs `apt-get install apache2 libapache2-mod-auth-openidc`, which the tests do not. A person signs in at npm
oidc-provider; Apache proxies to what writes down the lines that it adds; they stand in tests/config/schema/recorded.
"""

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession

from deploy.demo.ports import free
from tests.interop.servers import found, running
from tests.op.process import OpenIdProvider
from tests.op.walk import browser, through_provider

CLAIMS = {
    "preferred_username": "hleboeuf", "email": "helene@metropole.example", "name": "Hélène Lebœuf",
    "given_name": "Hélène", "family_name": "Müller", "groups": ["agents", "ONDE"],
}  # fmt: skip
_MODULES = "mpm_event authn_core authz_core authz_user proxy proxy_http auth_openidc"
_SETTINGS = """
ServerRoot {folder}
ServerName 127.0.0.1
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.errors
Listen 127.0.0.1:{port}
{modules}
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID recorded
OIDCClientSecret a-secret-of-the-recording
OIDCRedirectURI http://127.0.0.1:{port}/callback
OIDCCryptoPassphrase a-passphrase-of-the-recording
OIDCCookieSameSite Off
OIDCScope "openid profile email rights"
OIDCPassClaimsAs both {encoding}
ProxyPass /callback !
ProxyPass / http://127.0.0.1:{behind}/
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
"""


async def recorded(folder: Path, encoding: str) -> list[tuple[str, bytes]]:
    """The lines whose names begin with OIDC_CLAIM_. `encoding`: as OIDCPassClaimsAs names it, empty for its default."""
    port, behind = free(2)
    client = {
        "client_id": "recorded",
        "client_secret": "a-secret-of-the-recording",
        "redirect_uris": [f"http://127.0.0.1:{port}/callback"],
    }
    with OpenIdProvider([client], {"helene": CLAIMS}, claims={"rights": ["groups"]}) as provider:
        modules = "\n".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _MODULES.split()
        )
        settings = _SETTINGS.format(
            folder=folder, port=port, behind=behind, issuer=provider.issuer, modules=modules, encoding=encoding
        )
        (folder / "apache.conf").write_text(settings)
        apache = [found("apache2"), "-f", str(folder / "apache.conf"), "-DFOREGROUND"]
        async with recording(behind) as heads, browser() as person:
            with running(apache, folder / "apache.log", port):
                await _sign_in(person, port, provider.issuer)
    return [(name, value) for name, value in lines_of(heads[-1]) if name.startswith("OIDC_CLAIM_")]


@asynccontextmanager
async def recording(port: int) -> AsyncIterator[list[bytes]]:
    """The heads of all requests that come to this port."""
    heads: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(record, "127.0.0.1", port):
        yield heads


def lines_of(head: bytes) -> list[tuple[str, bytes]]:
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    return [(name.decode(), value) for name, _, value in lines if name]


async def _sign_in(person: ClientSession, port: int, issuer: str) -> None:
    async with person.get(f"http://127.0.0.1:{port}/", allow_redirects=False) as first:
        at_provider = first.headers["Location"]
    back = await through_provider(person, at_provider, issuer, "helene")
    async with person.get(back) as page:
        assert page.status == 200, await page.text()


async def main() -> None:
    version = await asyncio.to_thread(
        subprocess.check_output, ["dpkg-query", "-W", "-f=${Version}", "libapache2-mod-auth-openidc"], text=True
    )
    print(f"# libapache2-mod-auth-openidc {version}, by tests/interop/record_mod_auth_openidc.py")
    for encoding in ("", "none"):
        print(f"# OIDCPassClaimsAs both {encoding}".rstrip())
        with tempfile.TemporaryDirectory() as folder:
            for name, value in await recorded(Path(folder), encoding):
                if name.removeprefix("OIDC_CLAIM_") in ("sub", *CLAIMS):
                    print(name, value.hex())


if __name__ == "__main__":
    asyncio.run(main())
