"""What mod_auth_mellon of Debian tells an application, recorded: `python -m tests.interop.record_mellon`.

Needs `apt-get install apache2 libapache2-mod-auth-mellon`, which the tests do not. pysaml2 signs the person's response;
a script in Apache prints the variables that the module sets, and they are printed here with each value in hexadecimal.
"""

import asyncio
import re
import shutil
import subprocess
import tempfile
import warnings
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from deploy.demo.ports import free
from tests.idp.keys import new_pair
from tests.idp.pysaml import Pysaml
from tests.interop.servers import found, running
from tests.op.walk import browser

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_REDIRECT
    from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
    from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
    from saml2.server import Server
    from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

    from tests.idp.pysaml_program import configured

PERSON = {"uid": ["hleboeuf"], "mail": ["helene@metropole.example"], "displayName": ["Hélène Lebœuf"],
          "isMemberOf": ["agents", "ONDE"]}  # fmt: skip
OIDS = {
    "uid": "0.9.2342.19200300.100.1.1", "mail": "0.9.2342.19200300.100.1.3",
    "display_name": "2.16.840.1.113730.3.1.241", "groups": "1.3.6.1.4.1.5923.1.5.1.1",
}  # fmt: skip
_MODULES = "mpm_prefork authn_core authz_core authz_user mime cgi alias env auth_mellon"
_SETTINGS = """
ServerRoot {folder}
ServerName 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.errors
TypesConfig /etc/mime.types
User www-data
Group www-data
Listen 127.0.0.1:{port}
{modules}
MellonLockFile {folder}/mellon.lock
ScriptAlias /told {folder}/told
<Location />
  AuthType Mellon
  Require valid-user
  MellonEnable auth
  MellonSecureCookie Off
  MellonEndpointPath /mellon
  MellonSPPrivateKeyFile {folder}/sp.key
  MellonSPCertFile {folder}/sp.cert
  MellonSPMetadataFile {folder}/sp.xml
  MellonIdPMetadataFile {folder}/idp.xml
  MellonMergeEnvVars On
{names}
</Location>
"""


def service_provider(folder: Path, port: int) -> None:
    """As its own mellon_create_metadata writes them."""
    url = f"http://127.0.0.1:{port}"
    subprocess.run(
        ["mellon_create_metadata", f"{url}/metadata", f"{url}/mellon"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for name in ("key", "cert", "xml"):
        (made,) = folder.glob(f"http*.{name}")
        made.rename(folder / f"sp.{name}")


async def recorded(folder: Path) -> list[tuple[str, bytes]]:
    port, idp_port = free(2)
    folder.chmod(0o755)
    service_provider(folder, port)
    idp = Pysaml(folder / "idp", idp_port, new_pair("idp"))
    (folder / "idp.xml").write_text(idp.metadata)
    told = folder / "told"
    told.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n")
    told.chmod(0o755)
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _MODULES.split())
    names = "\n".join(f'  MellonSetEnv "{name}" "urn:oid:{oid}"' for name, oid in OIDS.items())
    (folder / "apache.conf").write_text(_SETTINGS.format(folder=folder, port=port, modules=modules, names=names))
    url, apache = f"http://127.0.0.1:{port}", [found("apache2"), "-f", str(folder / "apache.conf"), "-DFOREGROUND"]
    with running(apache, folder / "apache.log", port):
        page = await signed_in(f"{url}/told", identity_provider(folder, idp), f"{url}/mellon/postResponse", PERSON)
    assert b"MELLON_" in page, page
    return [(name.decode(), value) for name, value in re.findall(rb"^(MELLON_\w+)=(.*)$", page, re.MULTILINE)]


def identity_provider(folder: Path, idp: Pysaml) -> Server:
    """For the service whose metadata are sp.xml in the folder."""
    for name, text in (("key", idp._pair.key), ("certificate", idp._pair.certificate)):
        (folder / name).write_text(text)
    settings = {"url": idp.url, "xmlsec1": shutil.which("xmlsec1") or "", "service_provider": str(folder / "sp.xml")}
    return configured({**settings, **{name: str(folder / name) for name in ("key", "certificate")}})


async def signed_in(location: str, server: Server, consumer: str, attributes: Mapping[str, Sequence[str]]) -> bytes:
    """The page at `location`, of a person with these attributes. `consumer`: where the service takes responses."""
    async with browser() as person:
        while "SAMLRequest" not in location:
            async with person.get(location, allow_redirects=False) as answer:
                location = answer.headers["Location"]
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        signed = {"relay_state": asked["RelayState"], "sigalg": asked["SigAlg"], "signature": asked["Signature"]}
        request = server.parse_authn_request(asked["SAMLRequest"], BINDING_HTTP_REDIRECT, **signed).message
        response = server.create_authn_response(
            attributes,
            userid="hleboeuf",
            in_response_to=request.id,
            destination=consumer,
            sp_entity_id=request.issuer.text,
            name_id=NameID(text="s-1", format=NAMEID_FORMAT_PERSISTENT),
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": "pysaml2"},
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
        )
        form = {"SAMLResponse": b64encode(str(response).encode()).decode(), "RelayState": asked["RelayState"]}
        async with person.post(consumer, data=form) as page:
            return await page.read()


async def main() -> None:
    version = await asyncio.to_thread(
        subprocess.check_output, ["dpkg-query", "-W", "-f=${Version}", "libapache2-mod-auth-mellon"], text=True
    )
    print(f"# libapache2-mod-auth-mellon {version}, by tests/interop/record_mellon.py")
    print("# MellonMergeEnvVars On")
    with tempfile.TemporaryDirectory() as folder:
        for name, value in sorted(await recorded(Path(folder))):
            if name != "MELLON_ASSERTION_ID":
                print(name, value.hex())


if __name__ == "__main__":
    asyncio.run(main())
