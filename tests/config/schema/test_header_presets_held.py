"""What each preset sends, held against what the product itself was seen to send, or against what its own tests, its
vendor's pages or applications behind it print. docs/explanation/presets.md says which."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from gateway.config.schema.header_presets import HEADERS, HeaderPreset
from gateway.model.identity import Identity
from tests.config.samples import sample_snapshot
from tests.config.schema.test_header_presets import HELENE, folder

LATIN = "{preset: mod_auth_openidc, encoding: latin1, unencodable: transliterate}"
RECORDED = Path(__file__).parent / "recorded"


def recorded(product: str) -> list[dict[str, bytes]]:
    """The headers of each recording, by name."""
    found: list[dict[str, bytes]] = []
    for line in (RECORDED / f"{product}.txt").read_text().splitlines()[1:]:
        if line.startswith("#"):
            found.append({})
        else:
            name, _, value = line.partition(" ")
            found[-1][name] = bytes.fromhex(value)
    return found


def sent(translate: str, person: Identity | None) -> dict[str, bytes]:
    lines = sample_snapshot(folder(translate)).apps["permis"].translation.render(person).headers.split(b"\r\n")[1:]
    return {line.partition(b": ")[0].decode(): line.partition(b": ")[2] for line in lines}


# --- products that were run ---


def test_what_mod_auth_openidc_was_seen_to_send() -> None:
    """By default it sends ISO 8859-1 since 2.4.15, with a `?` for what that lacks; with `none`, as before, UTF-8."""
    latin, plain = recorded("mod_auth_openidc")
    person = replace(
        HELENE,
        subject="helene",
        attributes={**HELENE.attributes, "given_name": ("Hélène",), "family_name": ("Müller",)},
    )
    lossy = {"OIDC_CLAIM_name"}
    for translate, seen in (("{preset: mod_auth_openidc}", plain), (LATIN, latin)):
        ours = sent(translate, person)
        assert seen.keys() <= ours.keys()
        differing = {name for name in seen if seen[name] != ours[name]}
        assert differing == (lossy if seen is latin else set())
    assert (latin["OIDC_CLAIM_name"], ours["OIDC_CLAIM_name"]) == (b"H\xe9l\xe8ne Leb?uf", b"H\xe9l\xe8ne Leboeuf")


def test_what_mellon_was_seen_to_send() -> None:
    (seen,) = recorded("mellon")
    ours = sent("{preset: mellon, headers: {MELLON_display_name: {from: display_name}}}", HELENE)
    # It tells the provider where `MellonIdP IDP` asks for it.
    assert ours == {**seen, "MELLON_IDP": b"https://op.metropole.example"}


def test_what_shibboleth_was_seen_to_send() -> None:
    """A separator in a value is escaped there, and a backslash by itself is not."""
    (seen,) = recorded("shibboleth")
    instant = datetime.strptime(seen["Shib-Authentication-Instant"].decode(), "%Y-%m-%dT%H:%M:%SZ")
    person = replace(
        HELENE,
        issuer=seen["Shib-Identity-Provider"].decode(),
        acr=seen["Shib-AuthnContext-Class"].decode(),
        authenticated_at=int(instant.replace(tzinfo=UTC).timestamp()),
        attributes={**HELENE.attributes, "groups": ("agents", "ONDE;1", "DOM\\users")},
    )
    translate = '{preset: shibboleth, headers: {eppn: {template: "{uid}@metropole.example"}}}'
    # Of the SP itself; and a name of federations' maps, which are not its own.
    of_the_sp = {"Shib-Application-ID", "Shib-Assertion-Count", "Shib-AuthnContext-Decl", "Shib-Cookie-Name"}
    told = {name: value for name, value in seen.items() if name not in of_the_sp | {"Shib-Handler"}}
    assert sent(translate, person) == {**told, "isMemberOf": told["member"]}


def test_what_rack_was_seen_to_read() -> None:
    line = (RECORDED / "rack.txt").read_text().splitlines()[1].removeprefix("# ")
    assert [f"{name}: {value.decode()}" for name, value in sent("{preset: rack}", HELENE).items()] == [line]
    assert recorded("rack") == [{"HTTP_X_REMOTE_USER": b"hleboeuf"}]


@pytest.mark.service
def test_what_lemonldap_is_set_to_as_it_is_installed() -> None:
    """Debian's package: what it puts between several values, and the headers of its example hosts."""
    ask = "print Lemonldap::NG::Common::Conf::DefaultValues->defaultValues->{multiValuesSeparator}"
    command = ["perl", "-MLemonldap::NG::Common::Conf::DefaultValues", "-e", ask]
    separator = subprocess.check_output(command, text=True, timeout=30)
    assert HEADERS["lemonldap"]["Auth-Groups"]["join"] == separator
    settings = json.loads(Path("/var/lib/lemonldap-ng/conf/lmConf-1.json").read_text())
    for exported in settings["exportedHeaders"].values():
        assert exported.keys() <= HEADERS["lemonldap"].keys()
        assert exported["Auth-User"] == "$uid"


# --- what is published of the others ---


@dataclass(frozen=True, slots=True)
class Published:
    """`at`: who prints it. `lines`: what is printed of this person, None for nobody. `headers`: what the file says
    beside the preset."""

    preset: HeaderPreset
    at: str
    lines: Mapping[str, str]
    attributes: Mapping[str, tuple[str, ...]] | None
    subject: str = "s-1"
    headers: str = field(default="{}")


PUBLISHED = [
    Published(
        "authentik",
        "goauthentik/authentik, internal/outpost/proxyv2/application/mode_common_test.go, TestAdHeaders_Standard",
        {
            "X-Authentik-Email": "bar@authentik.company", "X-Authentik-Groups": "foo|bar", "X-Authentik-Name": "foo",
            "X-Authentik-Uid": "bar", "X-Authentik-Username": "foo",
        },
        {"uid": ("foo",), "groups": ("foo", "bar"), "mail": ("bar@authentik.company",), "display_name": ("foo",)},
        subject="bar",
    ),
    Published(
        "remote-user",
        "authelia/authelia, internal/handlers/handler_authz_test.go; its testUsername is john",
        {"Remote-User": "john", "Remote-Name": "John Smith", "Remote-Groups": "abc,123"},
        {"uid": ("john",), "display_name": ("John Smith",), "groups": ("abc", "123")},
    ),
    Published(
        "oauth2-proxy",
        'oauth2-proxy, pkg/middleware/headers_test.go: several values, {"bar", "baz"}, become "bar,baz"',
        {"X-Forwarded-Groups": "bar,baz", "X-Forwarded-User": "user-123"},
        {"uid": ("user",), "groups": ("bar", "baz")},
        subject="user-123",
    ),
    Published(
        "georchestra",
        "georchestra-gateway, tests of HeaderPreauthentication: an account that does not exist yet",
        {
            "sec-georchestra-preauthenticated": "true", "preauth-username": "pmartin",
            "preauth-email": "pierre.martin@example.org", "preauth-firstname": "Pierre", "preauth-lastname": "Martin",
        },
        {
            "uid": ("pmartin",), "mail": ("pierre.martin@example.org",), "given_name": ("Pierre",),
            "family_name": ("Martin",),
        },
    ),
    Published(
        "georchestra",
        "georchestra-gateway, tests of HeaderPreauthentication: accents",
        {
            "preauth-firstname": "{base64}RnJhbsOnb2lz",
            "preauth-lastname": "{base64}VmFuIERlciBBY2NlbnTDqWQgQ2jDoHJhY3TDqHJz",
        },
        {"uid": ("fvanderblah",), "given_name": ("François",), "family_name": ("Van Der Accentéd Chàractèrs",)},
    ),
    Published(
        "siteminder",
        "Broadcom, article 54621: SM_USERGROUPS is delimited by (^); its example of one group",
        {"SM_USER": "hleboeuf", "SM_USERGROUPS": "cn=Engineers,o=ca.com"},
        {"uid": ("hleboeuf",), "groups": ("cn=Engineers,o=ca.com",)},
    ),
    Published(
        "siteminder",
        "a public test of an application of HP behind SiteMinder: the first of its eight groups",
        {"SM_USERGROUPS": "cn=HP_IT_Employees_Shanghai,ou=Groups,o=hp.com^cn=ORG-GIT,ou=Groups,o=hp.com"},
        {
            "uid": ("hleboeuf",),
            "groups": ("cn=HP_IT_Employees_Shanghai,ou=Groups,o=hp.com", "cn=ORG-GIT,ou=Groups,o=hp.com"),
        },
    ),
    Published(
        "spring",
        "Spring Security, RequestHeaderAuthenticationFilterTests, defaultsToUsingSiteminderHeader: cat is signed in",
        {"SM_USER": "cat"},
        {"uid": ("cat",)},
    ),
    Published(
        "spring",
        "the same, userIsReauthenticatedIfPrincipalChanges: another person on the connection is another name there",
        {"SM_USER": "dog"},
        {"uid": ("dog",)},
    ),
    Published(
        "cleartrust",
        "Académie de Reims, SimulRsaBundle, EventListener/SimulRsa.php: what its simulation of the agent sets",
        {"ct-remote-user": "igodi", "ctemail": "igor.godi@ac-reims.fr"},
        {"uid": ("igodi",), "mail": ("igor.godi@ac-reims.fr",)},
    ),
    Published(
        "webseal",
        'IBM, Client identity in HTTP headers (-c): "Unauthenticated" if the client is unknown',
        {"iv-user": "Unauthenticated"},
        None,
    ),
    Published(
        "webseal",
        "IBM, UTF-8 encoding in junction requests: utf8_uri encodes white space, non-ASCII bytes and the percent sign",
        {"iv-user": "h%C3%A9l%C3%A8ne/100%25@ville.example"},
        {"uid": ("hélène/100%@ville.example",)},
    ),
]  # fmt: skip


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda one: f"{one.preset}: {one.at}")
def test_what_is_published_is_made_again(published: Published) -> None:
    person = None
    if published.attributes is not None:
        person = replace(HELENE, subject=published.subject, attributes=published.attributes)
    found = {name.lower(): value.decode() for name, value in sent(f"{{preset: {published.preset}}}", person).items()}
    assert {name: found.get(name.lower()) for name in published.lines} == published.lines


def by_webseal_readers(value: str) -> list[str]:
    """As public applications behind WebSEAL read iv-groups: at the commas, without blanks and quotes (PAMAL in PHP,
    juku of the Finnish road administration in Clojure)."""
    return [group.strip().replace('"', "") for group in value.split(",")]


READ_BY = {
    # ptsakyrellis/ClearTrustBundle, Service/ClearTrust.php: explode(',', ...)
    "cleartrust": ("ctgrps", lambda value: value.split(",")),
    "webseal": ("iv-groups", by_webseal_readers),
    "siteminder": ("SM_USERGROUPS", lambda value: value.split("^")),
}


@pytest.mark.parametrize("preset", READ_BY)
def test_groups_are_read_as_applications_take_them_apart(preset: str) -> None:
    name, read = READ_BY[preset]
    person = replace(HELENE, attributes={**HELENE.attributes, "groups": ("agents", "ONDE")})
    assert read(sent(f"{{preset: {preset}}}", person)[name].decode()) == ["agents", "ONDE"]


def test_cleartrust_s_headers_are_those_that_its_applications_ask_for() -> None:
    """ptsakyrellis/ClearTrustBundle, Service/ClearTrust.php: uid, cn, sn, givenName, mail, groupes."""
    assert list(HEADERS["cleartrust"]) == ["ct-remote-user", "cn", "ctln", "ctfn", "ctemail", "ctgrps"]


def test_cleartrust_s_names_are_those_that_php_is_asked_for() -> None:
    """Académie de Besançon, AuthBundle, Security/Getters/RsaAttributes.php: its own reading, of $_SERVER."""
    read = {"HTTP_CT_REMOTE_USER", "HTTP_CN", "HTTP_CTLN", "HTTP_CTFN", "HTTP_CTEMAIL"}
    told = {"HTTP_" + name.upper().replace("-", "_") for name in sent("{preset: cleartrust}", HELENE)}
    assert told - read == {"HTTP_CTGRPS"}
    assert read <= told


def test_cleartrust_s_cookies_are_a_session_to_its_applications() -> None:
    """Nuxeo's CPSExtendedAuth, cleartrustauth.py: CTSESSION has to be there, and "%20" is what a sign-out leaves in it
    and in ACTSESSION; the Académie de Toulouse's bundle asks whether its cookie is there."""
    cookies = sample_snapshot(folder("{preset: cleartrust}")).apps["permis"].translation.render(HELENE).cookies
    given = dict(one.split(b"=", 1) for one in cookies.split(b"; "))
    assert given.keys() == {b"CTSESSION"}
    assert given[b"CTSESSION"] not in (b"", b"%20")


def test_spring_s_filter_is_given_one_header_and_none_for_nobody() -> None:
    """RequestHeaderAuthenticationFilter reads one name with getHeader, which is the first line of it, and refuses a
    request without one (missingHeaderCausesException). It reads no credentials unless it is told a header for them."""
    assert list(sent("{preset: spring}", HELENE)) == ["SM_USER"]
    assert sent("{preset: spring}", None) == {}


# --- the page ---

SEEN = {"django", "lemonldap", "mellon", "mod_auth_openidc", "rack", "shibboleth"}


def test_the_page_says_of_each_preset_how_its_form_is_known() -> None:
    page = (Path(__file__).parents[3] / "docs/explanation/presets.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    assert tuple(row[0] for row in rows) == get_args(HeaderPreset)
    published = {one.preset for one in PUBLISHED} | READ_BY.keys()
    assert SEEN | published == HEADERS.keys()
    assert {row[0]: row[1] for row in rows} == {name: "seen" if name in SEEN else "published" for name in HEADERS}
