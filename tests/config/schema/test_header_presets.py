"""What each preset sends of one person, against the documentation of the product that it is named after."""

from typing import get_args

import pytest

from gateway.config.schema.header_presets import COOKIES, HEADERS, HeaderPreset
from gateway.model.identity import Identity
from tests.config.samples import METROPOLE, PERMIS, problems, sample_snapshot

HELENE = Identity(
    "metropole",
    "https://op.metropole.example",
    "s-1",
    {
        "uid": ("hleboeuf",), "mail": ("helene@metropole.example",), "given_name": ("Hélène",),
        "family_name": ("Lebœuf",), "display_name": ("Hélène Lebœuf",), "groups": ("agents", "ONDE"),
    },
    acr="eidas2",
    authenticated_at=1_700_000_000,
)  # fmt: skip
PROVIDER = METROPOLE.replace("attributes:\n", "attributes:\n  display_name: name\n")
SENT: dict[HeaderPreset, list[str]] = {
    # goauthentik.io, Header authentication: groups are joined by a pipe
    "authentik": [
        "X-authentik-username: hleboeuf", "X-authentik-groups: agents|ONDE",
        "X-authentik-email: helene@metropole.example", "X-authentik-name: Hélène Lebœuf", "X-authentik-uid: s-1",
    ],
    "cleartrust": [
        "ct-remote-user: hleboeuf", "cn: Hélène Lebœuf", "ctln: Lebœuf", "ctfn: Hélène",
        "ctemail: helene@metropole.example", "ctgrps: agents,ONDE",
    ],
    "django": ["Remote-User: hleboeuf"],
    "georchestra": [
        "preauth-username: hleboeuf", "sec-georchestra-preauthenticated: true",
        "preauth-email: helene@metropole.example", "preauth-firstname: {base64}SMOpbMOobmU=",
        "preauth-lastname: {base64}TGVixZN1Zg==",
        "preauth-provider: metropole", "preauth-provider-id: s-1",
    ],
    # lemonldap-ng.org, Writing rules and headers; multiValuesSeparator
    "lemonldap": [
        "Auth-User: hleboeuf", "Auth-Mail: helene@metropole.example", "Auth-Cn: Hélène Lebœuf", "Auth-Sn: Lebœuf",
        "Auth-GivenName: Hélène", "Auth-Groups: agents; ONDE",
    ],
    "mellon": [
        "MELLON_NAME_ID: s-1", "MELLON_IDP: https://op.metropole.example", "MELLON_uid: hleboeuf",
        "MELLON_mail: helene@metropole.example", "MELLON_groups: agents;ONDE",
    ],
    # auth_openidc.conf: OIDCClaimPrefix, OIDCClaimDelimiter
    "mod_auth_openidc": [
        "OIDC_CLAIM_sub: s-1", "OIDC_CLAIM_iss: https://op.metropole.example", "OIDC_CLAIM_acr: eidas2",
        "OIDC_CLAIM_preferred_username: hleboeuf", "OIDC_CLAIM_email: helene@metropole.example",
        "OIDC_CLAIM_name: Hélène Lebœuf", "OIDC_CLAIM_given_name: Hélène", "OIDC_CLAIM_family_name: Lebœuf",
        "OIDC_CLAIM_groups: agents,ONDE",
    ],
    "oauth2-proxy": [
        "X-Forwarded-User: s-1", "X-Forwarded-Preferred-Username: hleboeuf",
        "X-Forwarded-Email: helene@metropole.example", "X-Forwarded-Groups: agents,ONDE",
    ],
    "rack": ["X-Remote-User: hleboeuf"],
    # authelia.com, Trusted header SSO
    "remote-user": [
        "Remote-User: hleboeuf", "Remote-Name: Hélène Lebœuf", "Remote-Email: helene@metropole.example",
        "Remote-Groups: agents,ONDE",
    ],
    "shibboleth": [
        "REMOTE_USER: hleboeuf", "Shib-Identity-Provider: https://op.metropole.example",
        "Shib-Authentication-Method: eidas2", "Shib-AuthnContext-Class: eidas2",
        "Shib-Authentication-Instant: 2023-11-14T22:13:20Z", "uid: hleboeuf",
        "mail: helene@metropole.example", "displayName: Hélène Lebœuf", "givenName: Hélène", "sn: Lebœuf",
        "member: agents;ONDE", "isMemberOf: agents;ONDE",
    ],
    "siteminder": ["SM_USER: hleboeuf", "SM_USERGROUPS: agents^ONDE"],
    "spring": ["SM_USER: hleboeuf"],
    # IBM: iv-user is Unauthenticated for nobody; groups are quoted and joined by a comma
    "webseal": ["iv-user: hleboeuf", 'iv-groups: "agents","ONDE"'],
}  # fmt: skip


def folder(translate: str) -> dict[str, str]:
    head, _, rest = PERMIS.partition("translate:\n")
    access = rest[rest.index("access:") :]
    return {"apps/permis.yaml": f"{head}translate: {translate}\n{access}", "providers/metropole.yaml": PROVIDER}


@pytest.mark.parametrize("preset", get_args(HeaderPreset))
def test_what_a_preset_sends(preset: HeaderPreset) -> None:
    app = sample_snapshot(folder(f"{{preset: {preset}}}")).apps["permis"]
    injection = app.translation.render(HELENE)
    assert injection.headers.decode().split("\r\n")[1:] == SENT[preset]
    assert injection.cookies == (b"CTSESSION=present" if preset == "cleartrust" else b"")
    nobody = b"\r\niv-user: Unauthenticated" if preset == "webseal" else b""
    assert app.translation.render(None).headers == nobody
    assert len(app.header_folds) >= len(HEADERS[preset])


def test_every_preset_has_its_headers() -> None:
    assert tuple(HEADERS) == get_args(HeaderPreset) == tuple(sorted(HEADERS, key=list(HEADERS).index))
    assert COOKIES.keys() <= HEADERS.keys()


def test_what_the_file_says_takes_the_place_of_the_preset_s() -> None:
    text = "{preset: lemonldap, encoding: latin1, unencodable: transliterate, headers: {auth-mail: {from: uid}}}"
    headers = sample_snapshot(folder(text)).apps["permis"].translation.render(HELENE).headers
    assert headers.decode("latin-1").split("\r\n")[1:] == [
        "Auth-User: hleboeuf", "Auth-Cn: Hélène Leboeuf", "Auth-Sn: Leboeuf", "Auth-GivenName: Hélène",
        "Auth-Groups: agents; ONDE", "auth-mail: hleboeuf",
    ]  # fmt: skip


def test_who_it_is_has_to_be_mapped_and_the_rest_may_be() -> None:
    files = folder("{preset: lemonldap}")
    lines = [
        line for line in PROVIDER.splitlines(keepends=True) if line.split(":")[0].strip() not in ("uid", "display_name")
    ]
    files["providers/metropole.yaml"] = "".join(lines)
    (found,) = problems(files)
    assert found.startswith("policies/apps/permis.yaml:6:21: translate.preset: no provider of this application maps an")
    assert found.endswith("an attribute uid (did you mean uai?)")
    assert problems(folder("{preset: lemonldap, headers: {Auth-User: {from: mail}}}")) == []


def test_a_preset_that_there_is_not() -> None:
    (found,) = problems(folder("{preset: lemonlap}"))
    assert found.startswith("policies/apps/permis.yaml:6:21: translate.preset: this must be one of authentik, ")
    assert found.endswith("(did you mean lemonldap?)")
