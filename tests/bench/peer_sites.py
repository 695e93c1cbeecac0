"""Three others that authenticate in front of the bench's upstream, each as its own pages say, two workers each.

Each tells the application the same person in `X-Remote-User`. None of them writes an access log.
"""

import json
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from socket import create_connection

from tests.bench.saml_login import IDP, KEY, OURS
from tests.bench.site import HOST
from tests.conformance.modules import SECRET
from tests.saml.parties import certificate_text

USER = "X-Remote-User"
_TYPES = "type.googleapis.com/envoy.extensions.filters"
MELLON, MOD_AUTH_OPENIDC, ENVOY = "mod_auth_mellon", "mod_auth_openidc", "envoy_oauth2"
ENVOY_PROGRAM = Path(__file__).parents[2] / ".venv-fronts/bin/envoy"
_MODULES = "mpm_event authn_core authz_core authz_user headers proxy proxy_http"
_APACHE = """
ServerRoot {folder}
ServerName {host}
PidFile {folder}/{name}.pid
ErrorLog {folder}/{name}.errors
LogLevel error
User www-data
Group www-data
Listen 127.0.0.1:{port}
{modules}
StartServers 2
ServerLimit 2
ThreadsPerChild 64
MaxRequestWorkers 128
MaxRequestsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 600
ProxyPass /mellon !
ProxyPass /callback !
ProxyPass / http://127.0.0.1:{upstream}/ keepalive=On
"""
_MELLON = """
MellonCacheSize 2000
MellonLockFile {folder}/mellon.lock
<Location />
  AuthType Mellon
  Require valid-user
  MellonEnable auth
  MellonSecureCookie Off
  MellonSubjectConfirmationDataAddressCheck Off
  MellonEndpointPath /mellon
  MellonSPMetadataFile {folder}/mellon-sp.xml
  MellonSPPrivateKeyFile {folder}/mellon.key
  MellonSPCertFile {folder}/mellon.crt
  MellonIdPMetadataFile {folder}/mellon-idp.xml
  RequestHeader set {user} "%{{MELLON_NAME_ID}}e"
</Location>
"""
_OPENIDC = """
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID ecluse
OIDCClientSecret {secret}
OIDCRedirectURI http://{host}/callback
OIDCCryptoPassphrase a-passphrase-of-the-bench
OIDCCookieSameSite Off
OIDCScope openid
OIDCCacheType shm
OIDCCacheShmMax 4000
OIDCPassClaimsAs environment
<Location />
  AuthType openid-connect
  Require valid-user
  RequestHeader set {user} "%{{OIDC_CLAIM_preferred_username}}e"
</Location>
"""
_SP_METADATA = """<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="http://{host}/metadata">
<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<AssertionConsumerService index="0" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
 Location="http://{host}/mellon/postResponse"/></SPSSODescriptor></EntityDescriptor>"""
_IDP_METADATA = f"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}/metadata">
<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
<X509Certificate>{certificate_text(KEY)}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{IDP}/sso"/>
</IDPSSODescriptor></EntityDescriptor>"""


class Peer:
    """One program on `port`, until it is stopped."""

    def __init__(self, name: str, port: int, command: list[str], folder: Path) -> None:
        self.name, self.port = name, port
        self._output = (folder / f"{name}.output").open("wb")
        self.process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT)
        until = time.monotonic() + 20
        while True:
            try:
                with closing(create_connection(("127.0.0.1", port), 1)):
                    return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise RuntimeError((folder / f"{name}.output").read_text()) from None
                time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._output.close()


def mellon(folder: Path, port: int, upstream: int) -> Peer:
    certificate = certificate_text(OURS)
    (folder / "mellon-sp.xml").write_text(_SP_METADATA.format(host=HOST, certificate=certificate))
    (folder / "mellon-idp.xml").write_text(_IDP_METADATA)
    (folder / "mellon.key").write_bytes(OURS.key)
    (folder / "mellon.crt").write_bytes(OURS.certificate)
    return _apache(folder, MELLON, port, upstream, "auth_mellon", _MELLON.format(folder=folder, user=USER))


def mod_auth_openidc(folder: Path, port: int, upstream: int, issuer: str) -> Peer:
    own = _OPENIDC.format(issuer=issuer, secret=SECRET, host=HOST, user=USER)
    return _apache(folder, MOD_AUTH_OPENIDC, port, upstream, "auth_openidc", own)


def _apache(folder: Path, name: str, port: int, upstream: int, module: str, own: str) -> Peer:
    modules = "\n".join(
        f"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so" for one in (*_MODULES.split(), module)
    )
    common = _APACHE.format(folder=folder, host=HOST, name=name, port=port, upstream=upstream, modules=modules)
    path = folder / f"{name}.conf"
    path.write_text(common + own)
    return Peer(name, port, ["/usr/sbin/apache2", "-f", str(path), "-DFOREGROUND"], folder)


def envoy(folder: Path, port: int, upstream: int, issuer: str, keys: Mapping[str, object]) -> Peer:
    """Its configuration is JSON, which is YAML. Its oauth2 filter asks, its jwt_authn filter verifies and tells."""
    path = folder / "envoy.json"
    path.write_text(json.dumps(_envoy(port, upstream, issuer, keys)))
    command = [str(ENVOY_PROGRAM), "-c", str(path), "--concurrency", "2", "--log-level", "error",
               "--disable-hot-restart"]  # fmt: skip
    return Peer(ENVOY, port, command, folder)


def _envoy(port: int, upstream: int, issuer: str, keys: Mapping[str, object]) -> dict[str, object]:
    asks = {
        "token_endpoint": {"cluster": "op", "uri": f"{issuer}/token", "timeout": "5s"},
        "authorization_endpoint": f"{issuer}/authorize",
        "redirect_uri": f"http://{HOST}/callback",
        "redirect_path_matcher": {"path": {"exact": "/callback"}},
        "signout_path": {"path": {"exact": "/signout"}},
        "forward_bearer_token": True,
        "auth_scopes": ["openid"],
        "credentials": {"client_id": "ecluse", "token_secret": {"name": "token"}, "hmac_secret": {"name": "hmac"}},
    }
    verifies = {
        "issuer": issuer,
        "local_jwks": {"inline_string": json.dumps(keys)},
        "claim_to_headers": [{"header_name": USER, "claim_name": "preferred_username"}],
    }
    filters = [
        _filter("oauth2", "oauth2.v3.OAuth2", config=asks),
        _filter(
            "jwt_authn",
            "jwt_authn.v3.JwtAuthentication",
            providers={"op": verifies},
            rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "op"}}],
        ),
        _filter("router", "router.v3.Router"),
    ]
    hosts = [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "app"}}]}]
    manager = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": hosts},
        "http_filters": filters,
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    secrets = {"token": SECRET, "hmac": "a-secret-of-the-bench-alone"}
    return {
        "static_resources": {
            "listeners": [{"address": _address(port), "filter_chains": [chain]}],
            "clusters": [_cluster("app", upstream), _cluster("op", int(issuer.rpartition(":")[2]))],
            "secrets": [
                {"name": name, "generic_secret": {"secret": {"inline_string": text}}} for name, text in secrets.items()
            ],
        }
    }


def _filter(name: str, kind: str, **settings: object) -> dict[str, object]:
    typed = {"@type": f"{_TYPES}.http.{kind}", **settings}
    return {"name": f"envoy.filters.http.{name}", "typed_config": typed}


def _cluster(name: str, port: int) -> dict[str, object]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
    return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
