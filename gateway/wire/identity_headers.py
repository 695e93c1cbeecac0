"""The names by which known gateways, sign-in modules and products tell an application who is calling.

An application that was once behind one of these believes them still; so a client's are dropped for every application,
also where its file injects none of them. Names with `_` need no line: they are dropped in any case.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.model.names import fold

# Product: what it writes. `Name-*` is a beginning, which counts with a separator behind it in the name as it came, so
# that `Smart-Card` is none of SiteMinder's; any other is the whole name. `FrEdu*` needs none: no word begins so.
IDENTITY: Final[Mapping[str, tuple[str, ...]]] = {
    # --- web access management ---
    "RSA ClearTrust": ("CT-*", "ctgrps", "ctln", "ctfn", "ctemail", "ctdn"),
    # Not its `title`: clients of other products send a Title of their own (ntfy).
    "RSA ClearTrust, Education nationale": (
        "cn", "employeeNumber", "rne", "typensi", "grade", "discim", "datenaissance", "codecivilite", "codaca",
        "FrEduFonctAdm", "FrEduRne", "FrEduRneResp", "FrEduResDel", "FrEduGestResp", "FrEduUrlRetour", "FrEdu*",
    ),
    "LemonLDAP::NG": ("Auth-*", "Lm-Remote-*"),
    "SiteMinder": ("SM-*", "SMUSER"),
    "IBM WebSEAL, Security Verify Access": ("iv-*",),
    # WebSphere and Domino take user, certificate and server name from what they hold for their own plug-in.
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
    # With ShibUseHeaders, attributes under the names of its own map. Not `uid`, which scripts of Rails tokens send.
    "Shibboleth": (
        "AJP-*", "eppn", "subject-id", "pairwise-id", "persistent-id", "targeted-id", "affiliation", "entitlement",
        "unscoped-affiliation", "primary-affiliation", "assurance", "eduPersonPrincipalName", "sn", "givenName",
        "displayName", "mail", "isMemberOf",
    ),
    "RFC 9440": ("Client-Cert", "Client-Cert-Chain"),
    "nginx, HAProxy and Apache, by custom": ("X-Client-DN", "X-Client-Verify", "X-Client-S-DN", "X-Client-Subject"),
    # --- gateways ---
    "oauth2-proxy": ("X-Auth-Request-*", "GAP-*"),
    "Pomerium": ("X-Pomerium-*",),
    "authentik": ("X-authentik-*",),
    "Vouch": ("X-Vouch-*",),
    "Caddy security": ("X-Token-*",),
    "Teleport": ("Teleport-Jwt-Assertion",),
    "Tailscale": ("Tailscale-*",),
    "Kong": ("X-Consumer-*", "X-Credential-*", "X-Anonymous-Consumer"),
    "APISIX, kong-oidc": ("X-Userinfo", "X-ID-Token"),
    "WSO2": ("X-JWT-Assertion",),
    "Ory Oathkeeper": ("X-User",),
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
    "Fly": ("Fly-Client-IP",),
    # --- applications that ask to be told so ---
    "Kubernetes": ("Impersonate-*",),
    "Elasticsearch": ("es-security-runas-user",),
    "OpenSearch, Search Guard": ("X-Proxy-*",),
    "Apache NiFi": ("X-ProxiedEntitiesChain", "X-ProxiedIssuersChain"),
    "Nexus": ("X-SSO-*",),
    "Alfresco": ("X-Alfresco-*",),
    "SOGo": ("X-WebObjects-*",),
    "OBM": ("OBM-*",),
    "Posit, RStudio": ("X-RStudio-*", "RStudio-Connect-Credentials", "Shiny-Server-Credentials"),
    "Home Assistant": ("X-Hass-*",),
}  # fmt: skip

_ALL: Final = tuple(name for names in IDENTITY.values() for name in names)
_WHOLE: Final = frozenset(fold(name.encode()) for name in _ALL if not name.endswith("*"))
_SEPARATORS: Final = re.compile(rb"[^a-z0-9]+")
_BEGINNINGS: Final = tuple(name.removesuffix("*").lower().encode() for name in _ALL if name.endswith("*"))


def tells_identity(name: bytes) -> bool:
    """Whether a header name is one of these to some server, however it folds."""
    words = _SEPARATORS.sub(b"-", name.lower()).lstrip(b"-")
    return fold(name) in _WHOLE or words.startswith(_BEGINNINGS)
