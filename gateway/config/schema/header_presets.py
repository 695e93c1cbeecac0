"""The identity headers and cookies of known products, for `translate.preset`.

The attributes have the names of the provider presets: uid, mail, given_name, family_name, display_name, groups. A
header whose attribute no provider of the application maps is omitted. Only the first header of a preset, which
identifies the person, is always sent.
"""

from collections.abc import Mapping
from typing import Final, Literal

HeaderPreset = Literal[
    "authentik",
    "cleartrust",
    "django",
    "georchestra",
    "lemonldap",
    "mellon",
    "mod_auth_openidc",
    "oauth2-proxy",
    "rack",
    "remote-user",
    "shibboleth",
    "siteminder",
    "spring",
    "webseal",
]

_Written = Mapping[str, object]

HEADERS: Final[Mapping[HeaderPreset, Mapping[str, _Written]]] = {
    # authentik, internal/outpost/proxyv2/application/mode_common.go. The gateway has no equal of the JWT and `meta`
    # headers.
    "authentik": {
        "X-authentik-username": {"from": "uid"},
        "X-authentik-groups": {"from": "groups", "join": "|"},
        "X-authentik-email": {"from": "mail"},
        "X-authentik-name": {"from": "display_name"},
        "X-authentik-uid": {"from": "subject"},
    },
    # As applications of the Education nationale read them (AcToulouse ClearTrustBundle).
    "cleartrust": {
        "ct-remote-user": {"from": "uid"},
        "cn": {"from": "display_name"},
        "ctln": {"from": "family_name"},
        "ctfn": {"from": "given_name"},
        "ctemail": {"from": "mail"},
        "ctgrps": {"from": "groups", "join": ","},
    },
    # RemoteUserMiddleware with header = "HTTP_REMOTE_USER"
    "django": {"Remote-User": {"from": "uid"}},
    # geOrchestra gateway, PreauthAuthenticationManager.java, which reads each by SecurityHeaders.decode. Its roles,
    # `preauth-roles`, are left to the file: a group of a provider would be one of geOrchestra's administrators.
    "georchestra": {
        "preauth-username": {"from": "uid", "encoding": "braced-base64"},
        "sec-georchestra-preauthenticated": {"value": "true"},
        "preauth-email": {"from": "mail", "encoding": "braced-base64"},
        "preauth-firstname": {"from": "given_name", "encoding": "braced-base64"},
        "preauth-lastname": {"from": "family_name", "encoding": "braced-base64"},
        "preauth-org": {"from": "organization", "encoding": "braced-base64"},
        "preauth-provider": {"from": "provider", "encoding": "braced-base64"},
        "preauth-provider-id": {"from": "subject", "encoding": "braced-base64"},
    },
    # LemonLDAP::NG, writingrulesand_headers; multiValuesSeparator is "; ".
    "lemonldap": {
        "Auth-User": {"from": "uid"},
        "Auth-Mail": {"from": "mail"},
        "Auth-Cn": {"from": "display_name"},
        "Auth-Sn": {"from": "family_name"},
        "Auth-GivenName": {"from": "given_name"},
        "Auth-Groups": {"from": "groups", "join": "; "},
    },
    # mod_auth_mellon README: MELLON_ and the attribute's name; MellonMergeEnvVars On ";"
    "mellon": {
        "MELLON_NAME_ID": {"from": "subject"},
        "MELLON_IDP": {"from": "issuer"},
        "MELLON_uid": {"from": "uid"},
        "MELLON_mail": {"from": "mail"},
        "MELLON_groups": {"from": "groups", "join": ";"},
    },
    # mod_auth_openidc, auth_openidc.conf: OIDCClaimPrefix OIDC_CLAIM_, OIDCClaimDelimiter ","
    "mod_auth_openidc": {
        "OIDC_CLAIM_sub": {"from": "subject"},
        "OIDC_CLAIM_iss": {"from": "issuer"},
        "OIDC_CLAIM_acr": {"from": "acr"},
        "OIDC_CLAIM_preferred_username": {"from": "uid"},
        "OIDC_CLAIM_email": {"from": "mail"},
        "OIDC_CLAIM_name": {"from": "display_name"},
        "OIDC_CLAIM_given_name": {"from": "given_name"},
        "OIDC_CLAIM_family_name": {"from": "family_name"},
        "OIDC_CLAIM_groups": {"from": "groups", "join": ","},
    },
    # oauth2-proxy, pass_user_headers
    "oauth2-proxy": {
        "X-Forwarded-User": {"from": "subject"},
        "X-Forwarded-Preferred-Username": {"from": "uid"},
        "X-Forwarded-Email": {"from": "mail"},
        "X-Forwarded-Groups": {"from": "groups", "join": ","},
    },
    # Rack and OmniAuth: HTTP_X_REMOTE_USER in the environment
    "rack": {"X-Remote-User": {"from": "uid"}},
    # Authelia's trusted headers, which Grafana, Gitea and many others read
    "remote-user": {
        "Remote-User": {"from": "uid"},
        "Remote-Name": {"from": "display_name"},
        "Remote-Email": {"from": "mail"},
        "Remote-Groups": {"from": "groups", "join": ","},
    },
    # Shibboleth SP with ShibUseHeaders and its own attribute-map.xml; `;` between values, `\;` in one. Groups are
    # `member` there, and `isMemberOf` in the maps of federations.
    "shibboleth": {
        "REMOTE_USER": {"from": "uid"},
        "Shib-Identity-Provider": {"from": "issuer"},
        "Shib-Authentication-Method": {"from": "acr"},
        "Shib-AuthnContext-Class": {"from": "acr"},
        "Shib-Authentication-Instant": {
            "from": "authenticated_at",
            "transforms": [{"date": "%Y-%m-%dT%H:%M:%SZ"}],
        },
        "eppn": {"from": "eppn"},
        "uid": {"from": "uid"},
        "mail": {"from": "mail"},
        "displayName": {"from": "display_name"},
        "givenName": {"from": "given_name"},
        "sn": {"from": "family_name"},
        "member": {"from": "groups", "join": ";", "escape": "backslash"},
        "isMemberOf": {"from": "groups", "join": ";", "escape": "backslash"},
    },
    # SiteMinder: default HTTP headers of its agents; `^` between values
    "siteminder": {"SM_USER": {"from": "uid"}, "SM_USERGROUPS": {"from": "groups", "join": "^"}},
    # Spring Security: RequestHeaderAuthenticationFilter, whose principalRequestHeader is SM_USER
    "spring": {"SM_USER": {"from": "uid"}},
    # IBM WebSEAL: junctions with -c iv-user,iv-groups, and -e utf8_uri, which leaves `@`, `=` and `/` as they are. In
    # groups these are encoded too, for a comma in one would be two groups to applications that take no heed of quotes.
    "webseal": {
        "iv-user": {"from": "uid", "encoding": "ascii", "unencodable": "percent", "nobody": "Unauthenticated"},
        "iv-groups": {"from": "groups", "join": ",", "escape": "quotes", "encoding": "percent-utf8"},
    },
}
COOKIES: Final[Mapping[HeaderPreset, Mapping[str, _Written]]] = {
    # Its applications ask for the session cookie beside the header, whatever is in it.
    "cleartrust": {"CTSESSION": {"value": "present"}},
}
