"""What the Shibboleth SP of Debian tells an application, recorded: `python -m tests.interop.record_shibboleth`.

Needs `apt-get install apache2 libapache2-mod-shib`, which the tests do not, and to be run as root. pysaml2 signs the
person's response; Apache, with `ShibUseHeaders On`, proxies to what writes down the lines that the module adds. Its own
attribute-map.xml names them, with its usual attributes of LDAP taken in.
"""

import asyncio
import re
import subprocess
import tempfile
from pathlib import Path

from deploy.demo.ports import free
from tests.idp.keys import new_pair
from tests.idp.pysaml import Pysaml
from tests.interop.record_mellon import identity_provider, signed_in
from tests.interop.record_mod_auth_openidc import lines_of, recording
from tests.interop.servers import found, running

PERSON = {
    "eduPersonPrincipalName": ["hleboeuf@metropole.example"], "uid": ["hleboeuf"], "mail": ["helene@metropole.example"],
    "displayName": ["Hélène Lebœuf"], "givenName": ["Hélène"], "sn": ["Lebœuf"],
    "isMemberOf": ["agents", "ONDE;1", "DOM\\users"],
}  # fmt: skip
ITS = ("REMOTE_USER", "Shib-", "eppn", "uid", "mail", "displayName", "givenName", "sn", "member", "isMemberOf")
_OF_ONE_SESSION = {"Shib-Session-ID", "Shib-Session-Index", "Shib-Session-Expires", "Shib-Session-Inactivity"}
_SETTINGS = Path("/etc/shibboleth")
_MODULES = "mpm_prefork authn_core authz_core authz_user proxy proxy_http shib"
_APACHE = """
ServerRoot {folder}
ServerName 127.0.0.1:{port}
UseCanonicalName On
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.errors
User www-data
Group www-data
Listen 127.0.0.1:{port}
{modules}
ShibConfig {folder}/shibboleth2.xml
ProxyPass /Shibboleth.sso !
ProxyPass / http://127.0.0.1:{behind}/
<Location />
  AuthType shibboleth
  ShibRequestSetting requireSession 1
  ShibUseHeaders On
  Require valid-user
</Location>
"""
_SP = """<SPConfig xmlns="urn:mace:shibboleth:3.0:native:sp:config" clockSkew="180">
  <OutOfProcess logger="{folder}/shibd.logger"/>
  <InProcess logger="{folder}/shibd.logger"/>
  <UnixListener address="{folder}/shibd.sock"/>
  <ApplicationDefaults entityID="{url}/metadata" REMOTE_USER="uid eppn" signing="true">
    <Sessions lifetime="28800" timeout="3600" relayState="ss:mem" checkAddress="false" handlerSSL="false"
              cookieProps="http">
      <SSO entityID="{idp}">SAML2</SSO>
      <Handler type="MetadataGenerator" Location="/Metadata" signing="false"/>
    </Sessions>
    <MetadataProvider type="XML" path="{folder}/idp.xml"/>
    <AttributeExtractor type="XML" path="{folder}/attribute-map.xml"/>
    <CredentialResolver type="File" key="{folder}/sp.key" certificate="{folder}/sp.cert"/>
  </ApplicationDefaults>
  <SecurityPolicyProvider type="XML" path="{settings}/security-policy.xml"/>
  <ProtocolProvider type="XML" path="{settings}/protocols.xml"/>
</SPConfig>
"""
_LOGGER = """log4j.rootCategory=WARN, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.fileName={}
"""
# What stands in comments in its attribute-map.xml is offered there, too.
_OFFERED = re.compile(r"<!--(\s*<Attribute .*?)-->", re.DOTALL)


async def recorded(folder: Path) -> list[tuple[str, bytes]]:
    port, behind, idp_port = free(3)
    folder.chmod(0o755)
    url, idp, pair = f"http://127.0.0.1:{port}", Pysaml(folder / "idp", idp_port, new_pair("idp")), new_pair("sp")
    consumer = f"{url}/Shibboleth.sso/SAML2/POST"
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _MODULES.split())
    modules = modules.replace("shib_module", "mod_shib")
    files = {
        "sp.key": pair.key,
        "sp.cert": pair.certificate,
        "sp.xml": service_provider(url, consumer, pair.certificate),
        "idp.xml": idp.metadata,
        "shibd.logger": _LOGGER.format(folder / "shibd.warnings"),
        "shibboleth2.xml": _SP.format(folder=folder, url=url, idp=idp.entity_id, settings=_SETTINGS),
        "attribute-map.xml": _OFFERED.sub(r"\1", (_SETTINGS / "attribute-map.xml").read_text()),
        "apache.conf": _APACHE.format(folder=folder, port=port, behind=behind, modules=modules),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    shibd = [found("/usr/sbin/shibd"), "-F", "-f", "-c", str(folder / "shibboleth2.xml"), "-p", f"{folder}/shibd.pid"]
    apache = [found("apache2"), "-f", str(folder / "apache.conf"), "-DFOREGROUND"]
    async with recording(behind) as heads:
        with running(shibd, folder / "shibd.log", folder / "shibd.sock"):
            (folder / "shibd.sock").chmod(0o777)
            with running(apache, folder / "apache.log", port):
                page = await signed_in(f"{url}/", identity_provider(folder, idp), consumer, PERSON)
        assert heads, page
    return [(name, value) for name, value in lines_of(heads[-1]) if name.startswith(ITS)]


def service_provider(url: str, consumer: str, certificate: str) -> str:
    """Its metadata, for pysaml2."""
    body = "".join(certificate.splitlines()[1:-1])
    return (
        f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{url}/metadata">'
        '<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
        f"<X509Certificate>{body}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        f'<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{consumer}"'
        ' index="0"/></SPSSODescriptor></EntityDescriptor>'
    )


async def main() -> None:
    version = await asyncio.to_thread(
        subprocess.check_output, ["dpkg-query", "-W", "-f=${Version}", "libapache2-mod-shib"], text=True
    )
    print(f"# libapache2-mod-shib {version}, by tests/interop/record_shibboleth.py")
    print("# ShibUseHeaders On")
    with tempfile.TemporaryDirectory() as folder:
        for name, value in sorted(await recorded(Path(folder))):
            if name not in _OF_ONE_SESSION:
                print(name, value.hex())


if __name__ == "__main__":
    asyncio.run(main())
