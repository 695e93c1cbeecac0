"""The header names in which known gateways, sign-in modules and products tell an application the caller's identity.

An application that once stood behind such a product may still trust the names. A client's headers with these names are
therefore dropped for every application, even if its file injects no header. Names with `_` are dropped in any case.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from gateway.model.names import fold

# The names of each product. `Name-*` is a beginning that counts only with a separator after it: `Smart-Card` is no name
# of SiteMinder. `FrEdu*` needs no separator: no ordinary word has this beginning. Names without `*` are whole names.
IDENTITY: Final[Mapping[str, tuple[str, ...]]] = {
    # --- web access management ---
    "RSA ClearTrust": ("CT-*", "ctuid", "ctgrps", "ctln", "ctfn", "ctemail", "ctdn"),
    # Omits `title`: clients of other applications send a Title (ntfy).
    "RSA ClearTrust, Education nationale": (
        "cn", "employeeNumber", "rne", "typensi", "grade", "discim", "datenaissance", "codecivilite", "codaca",
        "FrEduFonctAdm", "FrEduRne", "FrEduRneResp", "FrEduResDel", "FrEduGestResp", "FrEduUrlRetour", "FrEdu*",
    ),
    "LemonLDAP::NG": ("Auth-*", "Lm-Remote-*"),
    "SiteMinder": ("SM-*", "SMUSER"),
    "IBM WebSEAL, Security Verify Access": ("iv-*",),
    # WebSphere and Domino read user, certificate and server name from headers of their own plug-in.
    "IBM WebSphere plug-in": (
        "$WSAT", "$WSCC", "$WSCS", "$WSIS", "$WSPC", "$WSPR", "$WSPT", "$WSRA", "$WSRH", "$WSRU", "$WSSC", "$WSSI",
        "$WSSN", "$WSSP",
    ),
    "Oracle Access Manager": ("OAM-*",),
    "Oracle mod_osso": ("Osso-*", "Proxy-Remote-*"),
    "WebLogic plug-in": ("WL-Proxy-*", "Proxy-Client-IP"),
    "PingFederate agents": ("PF-Auth-*",),
    "geOrchestra": (
        "preauth-*", "sec-georchestra-*", "sec-user", "sec-username", "sec-firstname", "sec-lastname", "sec-org",
        "sec-orgid", "sec-orgname", "sec-organization", "sec-roles", "sec-email", "sec-tel", "sec-title", "sec-address",
        "sec-notes", "sec-proxy", "sec-external-authentication", "imp-username", "imp-roles",
    ),
    # --- modules of web servers ---
    "mod_auth_cas": ("CAS-*",),
    # With ShibUseHeaders, attributes come under the names of its map. `uid` is left out: scripts of Rails send it.
    "Shibboleth": (
        "AJP-*", "eppn", "subject-id", "pairwise-id", "persistent-id", "targeted-id", "affiliation", "entitlement",
        "unscoped-affiliation", "primary-affiliation", "assurance", "eduPersonPrincipalName", "sn", "givenName",
        "displayName", "mail", "isMemberOf", "memberOf",
    ),
    "RFC 9440": ("Client-Cert", "Client-Cert-Chain"),
    "nginx, HAProxy and Apache, by custom": (
        "X-Client-DN", "X-Client-Verify", "X-Client-S-DN", "X-Client-Subject", "X-TLS-Client-*", "X-Username",
    ),
    # --- gateways ---
    "oauth2-proxy": ("X-Auth-Request-*", "GAP-*"),
    "Pomerium": ("X-Pomerium-*",),
    "authentik": ("X-authentik-*",),
    "Vouch": ("X-Vouch-*",),
    "Caddy security": ("X-Token-*",),
    "Teleport": ("Teleport-Jwt-Assertion",),
    "Tailscale": ("Tailscale-*",),
    "Kong": ("X-Consumer-*", "X-Credential-*", "X-Anonymous-Consumer"),
    "APISIX, kong-oidc": ("X-Userinfo", "X-ID-Token", "X-Access-Token"),
    "WSO2": ("X-JWT-Assertion",),
    "Ory Oathkeeper": ("X-User",),
    "oauth2-proxy's example for nginx": ("X-User", "X-Email"),
    # What rules of Istio, Spring Cloud Gateway, KrakenD and nginx copy claims to. No family: gRPC sends X-User-Agent.
    "API gateways, by custom": (
        "X-User-Id", "X-User-Email", "X-User-Login", "X-User-Role", "X-User-Roles", "X-User-Group", "X-User-Groups",
        "X-Group", "X-Groups", "X-Roles",
    ),
    "MuleSoft": ("X-AGW-*",),
    "Linkerd": ("l5d-*",),
    "Squid and ICAP": ("X-Client-Username",),
    "Cosmos": ("X-Cosmos-*",),
    "YunoHost": ("Ynh-*",),
    "Sandstorm": ("X-Sandstorm-*",),
    # --- clouds ---
    "Cloudflare Access": ("Cf-Access-*",),
    "Google IAP": ("X-Goog-Authenticated-User-*", "X-Goog-Iap-*"),
    "Google App Engine, API Gateway, Endpoints": (
        "X-AppEngine-*", "X-Apigateway-Api-Userinfo", "X-Endpoint-API-Userinfo",
    ),
    "AWS load balancers, Verified Access": ("X-Amzn-Oidc-*", "X-Amzn-Mtls-*", "X-Amzn-Ava-*"),
    "Azure App Service": ("X-MS-Client-Principal", "X-MS-Client-Principal-*", "X-MS-Token-*", "X-ARR-*"),
    "AD FS Web Application Proxy": ("X-MS-Proxy", "X-MS-ADFS-*", "X-MS-Forwarded-*"),
    # The module of IIS tells the Windows account and the client certificate.
    "ASP.NET Core Module": ("MS-ASPNETCORE-*",),
    "HttpPlatformHandler, iisnode": ("X-IIS-WindowsAuthToken", "X-iisnode-*"),
    "Fly": ("Fly-Client-IP",),
    "F5": ("SSLClientCipher", "X-Client-Crt"),
    # --- applications that read identity headers themselves ---
    "CloudBeaver": ("X-User", "X-Role", "X-First-name", "X-Last-name"),
    "Kubernetes": ("Impersonate-*",),
    "Elasticsearch": ("es-security-runas-user",),
    "OpenSearch, Search Guard": ("X-Proxy-*",),
    "Apache NiFi": (
        "X-ProxiedEntitiesChain", "X-ProxiedIssuersChain", "X-ProxyScheme", "X-ProxyHost", "X-ProxyPort",
        "X-ProxyContextPath",
    ),
    "Nexus": ("X-SSO-*",),
    "Alfresco": ("X-Alfresco-*",),
    "SOGo": ("X-WebObjects-*",),
    "OBM": ("OBM-*",),
    "Posit, RStudio": ("X-RStudio-*", "RStudio-Connect-Credentials", "Shiny-Server-Credentials"),
    "Home Assistant": ("X-Hass-*",),
    "Otoroshi": ("Otoroshi-*", "X-OIDC-*"),
    # Whole names only: Grafana's own scripts send further `X-Grafana-` headers.
    "Grafana": ("X-Grafana-Id", "X-Grafana-User"),
    "Grafana Loki, Mimir, Tempo": ("X-Scope-OrgID",),
    "Hasura": ("X-Hasura-*",),
    "Mattermost": ("Mattermost-User-Id",),
    "Qlik Sense": ("X-Qlik-User",),
    "SAP BusinessObjects": ("X-SAP-Trusted-User",),
}  # fmt: skip

_SEPARATORS: Final = re.compile(rb"[^a-z0-9]+")


def beginnings(names: Iterable[str]) -> Callable[[bytes], bool]:
    """Whether a header name begins with a listed beginning, written with a final `*`. With a final `-*`, a separator
    follows the beginning. Without, any folding of the name counts.
    """
    words = tuple(name.removesuffix("*").lower().encode() for name in names if name.endswith("-*"))
    folds = tuple(fold(name.encode()) for name in names if name.endswith("*") and not name.endswith("-*"))

    def begins(name: bytes) -> bool:
        return _SEPARATORS.sub(b"-", name.lower()).lstrip(b"-").startswith(words) or fold(name).startswith(folds)

    return begins


_ALL: Final = tuple(name for names in IDENTITY.values() for name in names)
_WHOLE: Final = frozenset(fold(name.encode()) for name in _ALL if not name.endswith("*"))
_BEGINS: Final = beginnings(_ALL)


def tells_identity(name: bytes) -> bool:
    """Whether a server may read the header name as a listed name, by any way of folding."""
    return fold(name) in _WHOLE or _BEGINS(name)
