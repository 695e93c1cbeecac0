from contextlib import suppress

import pytest
from hypothesis import given as fuzzed
from hypothesis import strategies as st
from pygamlastan import metadata as gamlastan

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.metadata import (
    cache_duration,
    entities,
    find_entity,
    idp_metadata,
    is_identity_provider,
    require_valid,
    valid_until,
)
from gateway.saml.metadata_document import given
from gateway.saml.parties import Endpoint, IdpMetadata
from tests.saml.metadata_samples import AD_FS, BINDINGS, ENTRA, SHIBBOLETH, SSO, entity, group, key, role
from tests.saml.parties import IDP, certificate_text, pair, spki

OTHER = "https://idp.other.example"
LATE, SOON = "2027-02-01T00:00:00Z", "2027-01-16T00:00:00Z"
LATE_SECONDS, SOON_SECONDS = 1801440000, 1800057600


def read(document: str, id: str = IDP, *, development: bool = False) -> IdpMetadata:
    return idp_metadata(find_entity(given([document.encode()]), id), development=development)


def refusal(document: str, id: str = IDP) -> Code:
    with pytest.raises(GatewayError) as refused:
        read(document, id)
    return refused.value.code


# --- what providers export --------------------------------------------------------------------------------------------


def test_ad_fs() -> None:
    found = read(AD_FS)
    address = "https://adfs.metropole.example/adfs/ls/"
    assert found.signing_keys == (spki(pair("idp")), spki(pair("idp-next")))
    assert found.sign_on == (Endpoint("redirect", address), Endpoint("post", address))
    assert found.logout == (Endpoint("redirect", address), Endpoint("post", address))
    assert found.name_id_formats[0] == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    assert (found.valid_until, found.scopes, found.display_names, found.wants_signed_requests) == (None, (), {}, False)


def test_entra_id() -> None:
    found = read(ENTRA, "https://sts.windows.net/0000/")
    assert found.signing_keys == (spki(pair("idp")),)
    assert [endpoint.binding for endpoint in found.sign_on] == ["redirect", "post"]
    assert [endpoint.binding for endpoint in found.logout] == ["redirect"]


def test_shibboleth() -> None:
    found = read(SHIBBOLETH)
    assert found.scopes == (("metropole.example", False), (r"^.+\.metropole\.example$", True))
    assert found.display_names == {"fr": "Métropole du Nord", "en": "North Metropolis"}
    assert found.artifact_resolution == (Endpoint("soap", "https://idp.metropole.example:8443/artifact", index=2),)
    assert found.logout[1].response_location == "https://idp.metropole.example/slo/answers"
    assert found.wants_signed_requests
    assert found.signing_keys == (spki(pair("idp")),)
    assert len(found.sign_on) == 2


@pytest.mark.parametrize("document", [AD_FS, ENTRA, SHIBBOLETH])
def test_a_second_implementation_reads_the_same(document: str) -> None:
    theirs = gamlastan.parse_entity(document.removeprefix('<?xml version="1.0" encoding="utf-8"?>').strip())
    ours = read(document, theirs.entity_id)
    sign_on = [(each.binding, each.location) for each in theirs.single_sign_on_services()]
    assert [endpoint.location for endpoint in ours.sign_on] == [
        location for binding, location in sign_on if binding in (f"{BINDINGS}:HTTP-Redirect", f"{BINDINGS}:HTTP-POST")
    ]
    assert len(ours.signing_keys) == len(theirs.signing_certificates("idp"))


# --- which entity -----------------------------------------------------------------------------------------------------


def test_one_of_many_by_its_exact_name() -> None:
    document = group([entity(id=OTHER), group([entity(role(keys=key(certificate_text(pair("b")))))], id="_h")])
    assert read(document).signing_keys == (spki(pair("b")),)
    assert read(document, OTHER).signing_keys == (spki(pair("idp")),)
    assert refusal(document, f"{IDP}/") == saml_codes.METADATA_ENTITY
    assert refusal(document, IDP.upper()) == saml_codes.METADATA_ENTITY


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (group([entity(), entity()]), saml_codes.METADATA_ENTITY),
        (group([entity(), entity(id=OTHER), entity(id=OTHER)]), saml_codes.METADATA_ENTITY),
        (group([]), saml_codes.METADATA_ENTITY),
        (entity(id=OTHER), saml_codes.METADATA_ENTITY),
        (entity(""), saml_codes.METADATA_ENTITY),
        (entity(role() + role()), saml_codes.METADATA_ENTITY),
        (entity(role().replace("SAML:2.0:protocol", "SAML:1.1:protocol")), saml_codes.METADATA_ENTITY),
        (entity(id=""), saml_codes.METADATA),
        (entity(id="u" * 1025), saml_codes.METADATA),
        # an entity that stands where none belongs
        (entity(f"<md:Extensions>{entity()}</md:Extensions>", id=OTHER), saml_codes.METADATA_ENTITY),
    ],
)
def test_what_is_not_one_identity_provider(document: str, code: Code) -> None:
    assert refusal(document) == code


def test_groups_end_somewhere() -> None:
    document = entity()
    for level in range(8):
        document = group([document], id=f"_g{level}")
    assert read(document).entity_id == IDP
    assert refusal(group([document])) == saml_codes.METADATA


def test_who_is_an_identity_provider() -> None:
    document = given([group([entity(), entity("<md:SPSSODescriptor/>", id=OTHER)]).encode()])
    assert [(each.id, is_identity_provider(each)) for each in entities(document)] == [(IDP, True), (OTHER, False)]


# --- what makes it useless --------------------------------------------------------------------------------------------


def test_without_a_key_that_can_sign() -> None:
    assert refusal(entity(role(keys=""))) == saml_codes.METADATA_KEY
    assert refusal(entity(role(keys=key(certificate_text(pair(kind="rsa-1024")))))) == saml_codes.METADATA_KEY
    assert refusal(entity(role(keys=key(use="encryption")))) == saml_codes.METADATA_KEY


@pytest.mark.parametrize(
    "sso",
    [
        "",
        SSO.replace("https:", "http:"),
        SSO.replace("https://idp.metropole.example/", "javascript:"),
        SSO.replace("SingleSignOnService", "SingleLogoutService"),
        SSO.replace("HTTP-Redirect", "SOAP").replace("HTTP-POST", "PAOS"),
    ],
)
def test_without_an_address_to_send_people_to(sso: str) -> None:
    assert refusal(entity(role(sso=sso))) == saml_codes.METADATA_ENDPOINT


def test_http_is_good_enough_for_development_alone() -> None:
    document = entity(role(sso=SSO.replace("https:", "http:")))
    assert len(read(document, development=True).sign_on) == 2


# --- time -------------------------------------------------------------------------------------------------------------


def test_the_earliest_end_of_all_that_stand_above_counts() -> None:
    assert read(entity()).valid_until is None
    assert read(entity(attributes=f'validUntil="{SOON}"')).valid_until == SOON_SECONDS
    assert (
        read(entity(role(attributes=f'validUntil="{SOON}"'), attributes=f'validUntil="{LATE}"')).valid_until
        == SOON_SECONDS
    )
    member = entity(attributes=f'validUntil="{LATE}"')
    assert read(group([member], attributes=f'validUntil="{SOON}"')).valid_until == SOON_SECONDS
    assert read(group([group([member], attributes="", id="_h")], attributes="")).valid_until == LATE_SECONDS


def test_it_ends_to_the_second() -> None:
    found = read(entity(attributes=f'validUntil="{SOON}"'))
    require_valid(found, SOON_SECONDS - 1)
    with pytest.raises(GatewayError) as refused:
        require_valid(found, SOON_SECONDS + 90.2)
    assert refused.value.code == saml_codes.METADATA_EXPIRED
    assert refused.value.detail == f"{IDP}: its metadata ran out 90 s ago, and no newer were had"
    with pytest.raises(GatewayError):
        require_valid(found, SOON_SECONDS)
    require_valid(read(entity()), 1e12)


def test_what_the_root_says_of_time() -> None:
    (part,) = given([group([], attributes=f'validUntil="{SOON}" cacheDuration="PT6H"').encode()])
    assert (valid_until(part), cache_duration(part)) == (SOON_SECONDS, 21600)
    (silent,) = given([entity().encode()])
    assert (valid_until(silent), cache_duration(silent)) == (None, None)


@pytest.mark.parametrize("attributes", ['validUntil="soon"', 'validUntil="9999-99-99T00:00:00Z"', 'validUntil=""'])
def test_a_time_that_is_none(attributes: str) -> None:
    assert refusal(entity(attributes=attributes)) == saml_codes.TIME
    assert refusal(entity(role(attributes=attributes))) == saml_codes.TIME


def test_a_duration_that_is_none() -> None:
    with pytest.raises(GatewayError) as refused:
        cache_duration(*given([entity(attributes='cacheDuration="1 hour"').encode()]))
    assert refused.value.code == saml_codes.TIME


# --- whatever comes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a\u202egnp.exe", "a\u200bb", "a\x7f", "a" * 121, "", " \t\n"])
def test_a_name_that_people_would_misread_is_none(name: str) -> None:
    """MDUI 1.0 2.1.2: of any text that the provider likes."""
    content = f'<mdui:DisplayName xml:lang="fr">{name}</mdui:DisplayName>'
    ui = f"<md:Extensions><mdui:UIInfo>{content}</mdui:UIInfo></md:Extensions>"
    assert read(entity(role(ui))).display_names == {}


def test_a_name_is_one_line() -> None:
    content = '<mdui:DisplayName xml:lang="FR">\n  Région\n  Nord </mdui:DisplayName>'
    ui = f"<md:Extensions><mdui:UIInfo>{content}</mdui:UIInfo></md:Extensions>"
    assert read(entity(role(ui))).display_names == {"fr": "Région Nord"}


def logo(address: str, height: object = 80, more: str = "") -> str:
    return f'<mdui:Logo height="{height}" width="80" {more}>{address}</mdui:Logo>'


@pytest.mark.parametrize(
    ("logos", "chosen"),
    [
        ([], ""),
        (["https://a/16.png", 16], "https://a/16.png"),
        (["https://a/16.png", 16, "https://a/400.png", 400, "https://a/80.png", 80], "https://a/80.png"),
        (["https://a/16.png", 16, "https://a/40.png", 40], "https://a/40.png"),
        (["https://a/none.png", "tall", "https://a/\u00b2.png", "\u00b2"], "https://a/none.png"),
        (["http://a/clear.png", 80], ""),
        (["data:image/png;base64,AAAA", 80], ""),
        (["javascript:alert(1)", 80], ""),
        (["file:///etc/passwd", 80], ""),
    ],
)
def test_the_logo_is_an_https_address_of_a_picture_that_fits(logos: list[object], chosen: str) -> None:
    """MDUI 1.0 2.1.5"""
    pairs = zip(logos[::2], logos[1::2], strict=True)
    content = "".join(logo(str(address), height) for address, height in pairs)
    ui = f"<md:Extensions><mdui:UIInfo>{content}</mdui:UIInfo></md:Extensions>"
    assert read(entity(role(ui))).logo == chosen


def test_a_logo_of_no_language_comes_before_one_of_a_language() -> None:
    content = logo("https://a/fr.png", 64, 'xml:lang="fr"') + logo("https://a/all.png", 16)
    ui = f"<md:Extensions><mdui:UIInfo>{content}</mdui:UIInfo></md:Extensions>"
    assert read(entity(role(ui))).logo == "https://a/all.png"


PARTS = st.sampled_from(
    [
        "<md:IDPSSODescriptor>",
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{"urn:oasis:names:tc:SAML:2.0:protocol"}">',
        "</md:IDPSSODescriptor>",
        "<md:Extensions>",
        "</md:Extensions>",
        "<shibmd:Scope/>",
        '<shibmd:Scope regexp="x"><b/></shibmd:Scope>',
        "<mdui:UIInfo><mdui:DisplayName/></mdui:UIInfo>",
        "<md:NameIDFormat/>",
        "<md:KeyDescriptor><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></md:KeyDescriptor>",
        "<md:SingleSignOnService/>",
        f'<md:ArtifactResolutionService Binding="{BINDINGS}:SOAP" Location="https://a" index="²"/>',
        key(),
        SSO,
        "<!-- -->",
        "<![CDATA[x]]>",
        "text",
    ]
)


@fuzzed(st.lists(PARTS, max_size=12), st.sampled_from(["", 'validUntil="x"', 'cacheDuration="P1D"']))
def test_no_metadata_are_more_than_refused(parts: list[str], attributes: str) -> None:
    with suppress(GatewayError):
        read(entity("".join(parts), attributes=attributes))


@fuzzed(st.sampled_from([AD_FS, ENTRA, SHIBBOLETH]), st.text(max_size=20), st.integers(0, 9000), st.integers(0, 40))
def test_no_changed_metadata_are_more_than_refused(document: str, junk: str, at: int, removed: int) -> None:
    changed = document[:at] + junk + document[at + removed :]
    with suppress(GatewayError, UnicodeEncodeError):
        for found in entities(given([changed.encode()])):
            idp_metadata(found)
