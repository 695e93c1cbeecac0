import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.schema.saml_attributes import COMMON
from gateway.identity.mapping import (
    LONGEST_VALUE,
    MOST_BYTES,
    MOST_VALUES,
    RESERVED_ATTRIBUTES,
    map_assertion,
    map_claims,
)
from gateway.identity.perimeter import check, tenant_of
from gateway.model.assertion import Assertion, NameId, SamlAttribute
from gateway.model.codes import login_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.provider import Perimeter, SamlProvider
from tests.identity.providers import provider
from tests.saml.parties import IDP, PROVIDER

NOW = 1_700_000_000


def mapped(claims: dict[str, object], tenant: str | None = None, **attributes: str) -> Identity:
    found = provider(attributes, tenant=tenant)
    return map_claims(found, {"sub": "s-1", **claims}, acr=None, amr=(), auth_time=None, now=NOW)


def refused(claims: dict[str, object], **attributes: str) -> str:
    with pytest.raises(GatewayError) as error:
        mapped(claims, **attributes)
    assert error.value.code is login_codes.MAPPING
    return error.value.detail


# --- who --------------------------------------------------------------------------------------------------------------


def test_an_identity_is_of_the_provider_that_was_asked_whatever_a_claim_says() -> None:
    claims = {"sub": "s-1", "iss": "https://evil.test", "preferred_username": "jdupont", "other": "unlisted"}
    identity = map_claims(
        provider({"uid": "preferred_username"}), claims, acr="eidas2", amr=("pwd", "otp"), auth_time=NOW - 60, now=NOW
    )
    assert identity == Identity(
        provider="metropole",
        issuer="https://op.metropole.example",
        subject="s-1",
        attributes={"uid": ("jdupont",)},
        left_out=frozenset(),
        acr="eidas2",
        amr=("pwd", "otp"),
        authenticated_at=NOW - 60,
    )


@pytest.mark.parametrize("subject", [None, "", 7, ["s-1"], "s" * 256, "é", "a\nb", "a\x7f", "\ud800"])
def test_a_subject_is_1_to_255_ascii_characters(subject: object) -> None:
    assert "`sub`" in refused({"sub": subject})


def test_a_subject_is_kept_to_the_letter() -> None:
    assert mapped({"sub": "S-1 / x"}).subject == "S-1 / x"


def test_without_auth_time_the_sign_in_is_older_than_anything_and_never_of_the_future() -> None:
    for auth_time, expected in ((None, 0), (NOW - 5, NOW - 5), (NOW + 5, NOW)):
        identity = map_claims(provider({}), {"sub": "s"}, acr=None, amr=(), auth_time=auth_time, now=NOW)
        assert identity.authenticated_at == expected


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "values"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        (["b", "a", "b"], ("b", "a")),
        (["a"], ("a",)),
        (True, ("true",)),
        (False, ("false",)),
        (0, ("0",)),
        (-42, ("-42",)),
        (2**63, (str(2**63),)),
        ([1, True, "1", None], ("1", "true")),
        # Nothing is trimmed, split or changed in case
        (" a ", (" a ",)),
        ("users,admins", ("users,admins",)),
        ("Admin", ("Admin",)),
        # One spelling for policy, perimeter and application
        ("e\u0301lus", ("élus",)),
        (["élus", "e\u0301lus"], ("élus",)),
    ],
)
def test_values_are_texts_in_the_provider_s_order_each_once(claim: object, values: tuple[str, ...]) -> None:
    assert mapped({"c": claim}, a="c").attributes == {"a": values}


@pytest.mark.parametrize("claim", [None, "", [], [""], [None, ""]])
def test_what_says_nothing_is_missing(claim: object) -> None:
    identity = mapped({"c": claim}, a="c", b="absent")
    assert identity.attributes == {}
    assert identity.left_out == frozenset()


@pytest.mark.parametrize("claim", [{}, {"x": "y"}, 1.5, 2.0, [["a"]], ["a", {"b": "c"}], 2**64])
def test_what_has_no_one_text_is_refused(claim: object) -> None:
    assert refused({"c": claim}, a="c") == "`a` has a value that is no text, whole number or boolean"


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\t", "\x1b", "\x7f", "\x85", "\ud800"])
def test_a_control_character_is_refused_and_not_repeated(character: str) -> None:
    detail = refused({"c": ["ok", f"secret{character}x"]}, a="c")
    assert detail == "`a` has a value with a control character"


def test_limits() -> None:
    assert len(mapped({"c": [str(n) for n in range(MOST_VALUES)]}, a="c").attributes["a"]) == MOST_VALUES
    assert "4097 values" in refused({"c": [str(n) for n in range(MOST_VALUES + 1)]}, a="c")
    assert "4097 values" in refused({"c": [""] * (MOST_VALUES + 1)}, a="c")
    assert mapped({"c": "x" * LONGEST_VALUE}, a="c")
    assert "over 8192 bytes" in refused({"c": "x" * (LONGEST_VALUE + 1)}, a="c")
    assert "over 8192 bytes" in refused({"c": "é" * LONGEST_VALUE}, a="c")
    many = [f"{n:03}" + "x" * (LONGEST_VALUE - 3) for n in range(MOST_BYTES // LONGEST_VALUE)]
    assert mapped({"c": many}, a="c")
    assert "bytes of attributes" in refused({"c": many, "d": "x"}, a="c", b="d")


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_claim_is_mapped_to_texts_or_refused(claim: object) -> None:
    try:
        values = mapped({"c": claim}, a="c").attributes.get("a", ("-",))
    except GatewayError:
        return
    assert values
    assert all(value and unicodedata.is_normalized("NFC", value) for value in values)


# --- paths ------------------------------------------------------------------------------------------------------------


def test_a_claim_is_found_by_its_path() -> None:
    claims = {
        "address": {"country": "FR", "lines": ["a", "b"]},
        "chorusdt:matricule": "42",
        "address.country": "no path",
        "text": "x",
    }
    found = provider(
        {
            "country": ("address", "country"),
            "lines": ("address", "lines"),
            "matricule": ("chorusdt:matricule",),
            "dotted": ("address.country",),
            "through_text": ("text", "country"),
            "nowhere": ("address", "city", "name"),
        }
    )
    identity = map_claims(found, {"sub": "s", **claims}, acr=None, amr=(), auth_time=None, now=NOW)
    assert identity.attributes == {
        "country": ("FR",),
        "lines": ("a", "b"),
        "matricule": ("42",),
        "dotted": ("no path",),
    }


# --- left out ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claims",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example/x"}}},
        {"hasgroups": True},
        {"hasgroups": "true"},
        {"hasgroups": ["x"]},
        {"hasgroups": None},
        # A part that came all the same is no answer
        {"_claim_names": {"groups": "src1"}, "groups": ["agents"]},
    ],
)
def test_groups_over_entra_s_limit_are_left_out_not_empty(claims: dict[str, object]) -> None:
    identity = mapped({"name": "x", **claims}, groups="groups", teams="groups", name="name")
    assert identity.left_out == {"groups", "teams"}
    assert identity.attributes == {"name": ("x",)}


@pytest.mark.parametrize(
    "claims", [{}, {"hasgroups": False}, {"_claim_names": {}}, {"_claim_names": {"other": "src1"}}]
)
def test_groups_that_came_whole_are_not(claims: dict[str, object]) -> None:
    identity = mapped({"groups": ["agents"], **claims}, groups="groups")
    assert identity.attributes == {"groups": ("agents",)}
    assert identity.left_out == frozenset()


def test_any_claim_that_is_to_be_had_elsewhere_is_left_out_with_all_below_it() -> None:
    found = provider({"country": ("address", "country"), "uid": ("uid",)})
    claims: dict[str, object] = {"sub": "s", "uid": "x", "_claim_names": {"address": "s1"}}
    assert map_claims(found, claims, acr=None, amr=(), auth_time=None, now=NOW).left_out == {"country"}


@pytest.mark.parametrize("names", ["groups", ["groups"], None, 1])
def test_claim_names_of_another_shape_are_refused(names: object) -> None:
    assert refused({"_claim_names": names}, groups="groups") == "`_claim_names` is not an object"


@pytest.mark.parametrize("verified", [False, "true", "false", None, 1, []])
def test_an_address_that_the_provider_does_not_vouch_for_is_left_out(verified: object) -> None:
    """OC09: only what is verified may open a domain."""
    identity = mapped({"email": "a@corp.example", "email_verified": verified, "mail": "b"}, mail="email", other="mail")
    assert identity.attributes == {"other": ("b",)}
    assert identity.left_out == {"mail"}


@pytest.mark.parametrize("claims", [{}, {"email_verified": True}])
def test_an_address_that_is_verified_or_of_a_provider_that_never_says_so_is_kept(claims: dict[str, object]) -> None:
    identity = mapped({"email": "a@corp.example", **claims}, mail="email")
    assert identity.attributes == {"mail": ("a@corp.example",)}
    assert identity.left_out == frozenset()


# --- tenant -----------------------------------------------------------------------------------------------------------


def test_a_session_has_exactly_one_tenant_where_the_provider_names_its_attribute() -> None:
    assert tenant_of(provider({}), mapped({})) is None
    found = provider({"siret": "siret"}, tenant="siret")
    assert tenant_of(found, mapped({"siret": "21590350100017"}, siret="siret")) == "21590350100017"
    for claims in ({}, {"siret": ["1", "2"]}, {"siret": ""}, {"_claim_names": {"siret": "x"}, "siret": "1"}):
        with pytest.raises(GatewayError, match=r"`siret`, has [02] values, not 1") as error:
            tenant_of(found, mapped(claims, siret="siret"))
        assert error.value.code is login_codes.MAPPING


def test_the_names_that_an_attribute_may_not_take() -> None:
    """K096: a provider file that maps a claim over what the gateway itself knows."""
    assert {"iss", "sub", "exp", "tenant", "subject", "provider", "issuer", "acr"} <= RESERVED_ATTRIBUTES
    assert not {"uid", "mail", "groups", "siret", "roles"} & RESERVED_ATTRIBUTES


# --- a SAML assertion -----------------------------------------------------------------------------------------------

SAML_NOW = 1_800_000_000
US = "https://portail.example/_ecluse/saml/metadata"
EPPN = "urn:oid:1.3.6.1.4.1.5923.1.1.1.6"
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"


def assertion(*attributes: SamlAttribute, **changes: Any) -> Assertion:
    usual = Assertion(
        id="_a",
        issuer=IDP,
        audience=US,
        name_id=NameId("hleboeuf"),
        session_index=None,
        session_not_on_or_after=None,
        authn_instant=SAML_NOW - 60,
        authn_context="urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        attributes=attributes,
        scopes=(),
        expires=SAML_NOW + 480,
    )
    return replace(usual, **changes)


def sent(name: str, *values: str, friendly: str | None = None) -> SamlAttribute:
    return SamlAttribute(name, friendly, values)


def idp(perimeter: Perimeter | None = None, tenant: str | None = None, **attributes: Any) -> SamlProvider:
    names = {name: (value,) if isinstance(value, str) else value for name, value in attributes.items()}
    return replace(PROVIDER, attributes=names, perimeter=perimeter or Perimeter(), tenant_attribute=tenant)


def asserted(of: SamlProvider, *attributes: SamlAttribute, **changes: Any) -> Identity:
    return map_assertion(of, assertion(*attributes, **changes), SAML_NOW)


def refusal(of: SamlProvider, *attributes: SamlAttribute, **changes: Any) -> tuple[Code, str]:
    with pytest.raises(GatewayError) as error:
        check(of, asserted(of, *attributes, **changes))
    return error.value.code, error.value.detail


def test_an_identity_is_what_was_mapped_and_no_more() -> None:
    identity = asserted(idp(uid="uid"), sent("uid", "hleboeuf"), sent("other", "x"))
    assert identity == Identity(
        provider="metropole",
        issuer=IDP,
        subject="hleboeuf",
        attributes={"uid": ("hleboeuf",)},
        left_out=frozenset(),
        acr="urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        amr=(),
        authenticated_at=SAML_NOW - 60,
    )


def test_a_sign_in_is_never_of_the_future() -> None:
    assert asserted(idp(), authn_instant=SAML_NOW + 100).authenticated_at == SAML_NOW


@pytest.mark.parametrize("name", ["mail", "urn:oid:0.9.2342.19200300.100.1.3", f"{CLAIMS}/emailaddress"])
def test_the_common_names_find_what_providers_send(name: str) -> None:
    found = asserted(idp(mail=COMMON["mail"]), sent(name, "h@metropole.example"))
    assert found.attributes == {"mail": ("h@metropole.example",)}


def test_a_friendly_name_counts_where_no_name_does() -> None:
    """Core 2.7.3.1, and only where the provider file says so."""
    assert asserted(idp(mail="mail"), sent("urn:oid:x", "a", friendly="mail")).attributes == {}
    of = replace(idp(mail="mail"), friendly_names=True)
    assert asserted(of, sent("urn:oid:x", "a", friendly="mail")).attributes == {"mail": ("a",)}
    both = (sent("urn:oid:x", "a", friendly="mail"), sent("mail", "b"))
    assert asserted(of, *both).attributes == asserted(of, *both[::-1]).attributes == {"mail": ("b",)}


def test_the_first_name_of_the_list_that_was_sent_counts_alone() -> None:
    of = idp(mail=("second", "first"))
    assert asserted(of, sent("first", "a"), sent("second", "b")).attributes == {"mail": ("b",)}
    assert asserted(of, sent("first", "a")).attributes == {"mail": ("a",)}


def test_values_are_those_of_every_attribute_of_that_name_each_once() -> None:
    assert asserted(idp(g="g"), sent("g", "b", "a"), sent("g", "a", "", "c")).attributes == {"g": ("b", "a", "c")}


def test_an_attribute_without_a_value_is_missing() -> None:
    assert asserted(idp(g="g"), sent("g"), sent("h", "x")).attributes == {}
    assert asserted(idp(g="g"), sent("g", "", "")).attributes == {}


def test_the_name_id_may_be_an_attribute() -> None:
    assert asserted(idp(mail="NameID")).attributes == {"mail": ("hleboeuf",)}
    assert asserted(idp(mail=("m", "NameID")), sent("m", "x")).attributes == {"mail": ("x",)}


def test_who_has_no_name_id_is_known_by_the_attribute_that_the_file_names() -> None:
    of = replace(idp(uid=("NameID", "uid"), mail="mail"), subject_without_name_id="uid")
    nameless = asserted(of, sent("uid", "hleboeuf"), sent("mail", "h@a.example"), name_id=None)
    # Not as somebody of that NameID, nor of any other
    assert nameless.subject == "!!uid!hleboeuf"
    assert nameless.attributes == {"uid": ("hleboeuf",), "mail": ("h@a.example",)}
    assert asserted(of, name_id=NameId("!!uid!hleboeuf")).subject.startswith(f"!{IDP}!")
    assert asserted(of, sent("uid", "hleboeuf")).subject == "hleboeuf"


@pytest.mark.parametrize("values", [(), ("",), ("a", "b"), (" a",), ("\uff41",), ("a\u200b",), ("x" * 1025,)])
def test_an_attribute_that_names_nobody_or_two_signs_nobody_in(values: tuple[str, ...]) -> None:
    of = replace(idp(uid="uid"), subject_without_name_id="uid")
    assert refusal(of, sent("uid", *values), name_id=None)[0] is login_codes.MAPPING


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\x00", "a\tb", "x" * (LONGEST_VALUE + 1)])
def test_a_value_that_no_header_should_see_is_refused_and_not_repeated(value: str) -> None:
    code, detail = refusal(idp(a="a"), sent("a", value))
    assert code is login_codes.MAPPING
    assert value[:3] not in detail


def test_a_value_has_one_spelling() -> None:
    assert asserted(idp(a="a"), sent("a", "e\u0301lus", "élus")).attributes == {"a": ("élus",)}


def test_groups_over_the_limit_of_entra_are_unknown_and_not_missing() -> None:
    of = idp(groups=GROUPS, mail="mail")
    link = sent("http://schemas.microsoft.com/claims/groups.link", "https://graph.example/x")
    identity = asserted(of, link, sent("mail", "x"))
    assert identity.left_out == {"groups"}
    assert identity.attributes == {"mail": ("x",)}


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name_id", "subject"),
    [
        (NameId("x"), "x"),
        (NameId("x", name_qualifier=IDP), "x"),
        (NameId("x", name_qualifier=IDP, sp_name_qualifier=US), "x"),
        (NameId("x", sp_name_qualifier=US), "x"),
        (NameId("x", name_qualifier=""), "x"),
        (NameId("x", name_qualifier="n"), f"!n!{US}!x"),
        (NameId("x", sp_name_qualifier="https://group.example"), f"!{IDP}!https://group.example!x"),
        (NameId("x!y%", name_qualifier="n!"), f"!n%21!{US}!x%21y%25"),
        (NameId("!n!s!x"), f"!{IDP}!{US}!%21n%21s%21x"),
        (NameId("a!b"), "a!b"),
    ],
)
def test_a_name_of_another_name_space_is_another_person(name_id: NameId, subject: str) -> None:
    assert asserted(idp(), name_id=name_id).subject == subject


# --- what a provider speaks for ---------------------------------------------------------------------------------------


def test_a_scope_is_one_of_the_metadata() -> None:
    of = idp(eppn=COMMON["eppn"])
    scopes = (("metropole.example", False), (r".+\.cd21\.example", True))
    for value in ("h@metropole.example", "h@METROPOLE.example", "h@sports.cd21.example"):
        assert asserted(of, sent(EPPN, value), scopes=scopes).attributes == {"eppn": (value,)}
    for value in ("h@other.example", "h@sub.metropole.example", "h@cd21.example", "h@x.cd21.example.evil", "h@", "h"):
        assert refusal(of, sent(EPPN, value), scopes=scopes)[0] is login_codes.OUTSIDE_PERIMETER
    assert (
        refusal(of, sent(EPPN, "h@other.example@metropole.example"), scopes=scopes)[0] is login_codes.OUTSIDE_PERIMETER
    )


def test_one_value_outside_is_one_too_many() -> None:
    code, detail = refusal(
        idp(eppn=EPPN),
        sent(EPPN, "h@metropole.example", "h@other.example"),
        scopes=(("metropole.example", False),),
    )
    assert code is login_codes.OUTSIDE_PERIMETER
    assert detail == "`eppn` has a scope that this provider does not speak for"


def test_a_scoped_attribute_is_known_by_any_of_its_names() -> None:
    scopes = (("metropole.example", False),)
    for of, attribute in (
        (idp(id="id"), sent("id", "h@other.example", friendly="eduPersonPrincipalName")),
        (idp(id="eduPersonPrincipalName"), sent(EPPN, "h@other.example", friendly="eduPersonPrincipalName")),
        (idp(id=("eduPersonPrincipalName", "login")), sent("login", "h@other.example")),
        (idp(id="urn:oasis:names:tc:SAML:attribute:subject-id"),
         sent("urn:oasis:names:tc:SAML:attribute:subject-id", "h@other.example")),
    ):  # fmt: skip
        assert refusal(replace(of, friendly_names=True), attribute, scopes=scopes)[0] is login_codes.OUTSIDE_PERIMETER


def test_without_a_scope_in_the_metadata_the_provider_file_bounds_it() -> None:
    bounded = Perimeter(email_domains=frozenset({"metropole.example"}))
    assert asserted(idp(bounded, eppn=EPPN), sent(EPPN, "h@metropole.example")).attributes
    assert refusal(idp(bounded, eppn=EPPN), sent(EPPN, "h@other.example"))[0] is login_codes.OUTSIDE_PERIMETER
    assert asserted(idp(eppn=EPPN), sent(EPPN, "h@other.example")).attributes


@pytest.mark.parametrize(
    "scopes", [(("other.example", False),), ((".*", True),), (("metropole.example", False), (".+", True))]
)
@pytest.mark.parametrize("bound", ["email_domains", "scopes"])
def test_what_the_metadata_state_never_widens_what_the_file_says(bound: str, scopes: Any) -> None:
    """XS15.8: a provider writes its metadata itself."""
    bounded = Perimeter(**{bound: frozenset({"metropole.example"})})
    assert refusal(idp(bounded, eppn=EPPN), sent(EPPN, "h@other.example"), scopes=scopes)[0] is (
        login_codes.OUTSIDE_PERIMETER
    )


def test_what_the_metadata_state_narrows_it() -> None:
    bounded = Perimeter(scopes=frozenset({"metropole.example", "agglo.example"}))
    stated = (("agglo.example", False),)
    assert asserted(idp(bounded, eppn=EPPN), sent(EPPN, "h@agglo.example"), scopes=stated).attributes
    assert refusal(idp(bounded, eppn=EPPN), sent(EPPN, "h@metropole.example"), scopes=stated)


def test_a_pattern_that_is_none_lets_nothing_in() -> None:
    code, _ = refusal(idp(eppn=EPPN), sent(EPPN, "h@metropole.example"), scopes=(("(", True),))
    assert code is login_codes.OUTSIDE_PERIMETER


@pytest.mark.parametrize("name", [*COMMON["mail"], "urn:oid:1.2.840.113549.1.9.1"])
def test_an_address_is_within_the_perimeter_whatever_it_is_called(name: str) -> None:
    of = idp(Perimeter(email_domains=frozenset({"metropole.example"})), contact=name)
    assert refusal(of, sent(name, "x@b.example"))[0] is login_codes.OUTSIDE_PERIMETER
    check(of, asserted(of, sent(name, "x@metropole.example")))


@pytest.mark.parametrize("name", COMMON["siret"])
@pytest.mark.parametrize("value", ["21210001600012", "217 500 016 00019", "21750001600010", "217500016000190"])
def test_a_siret_is_within_the_perimeter_whatever_it_is_called(name: str, value: str) -> None:
    of = idp(Perimeter(siret=frozenset({"21750001600019"})), number=name)
    assert refusal(of, sent(name, value))[0] is login_codes.OUTSIDE_PERIMETER


def test_the_tenant_is_one() -> None:
    of = idp(tenant="siret", siret="siret")
    assert tenant_of(of, asserted(of, sent("siret", "21750001600019"))) == "21750001600019"
    with pytest.raises(GatewayError) as error:
        tenant_of(of, asserted(of, sent("siret", "1", "2")))
    assert error.value.code is login_codes.MAPPING


# --- a NameID that was made for another service -----------------------------------------------------------------------


@pytest.mark.parametrize("qualifier", [None, "", US])
def test_a_name_that_is_for_us_may_be_told_as_a_plain_value(qualifier: str | None) -> None:
    name_id = NameId("hleboeuf", sp_name_qualifier=qualifier)
    assert asserted(idp(uid="NameID"), name_id=name_id).attributes == {"uid": ("hleboeuf",)}


def test_a_name_qualified_for_another_service_is_nobody_s_plain_name() -> None:
    """Core 8.3.7: there, the same letters are another person. As a subject it is told apart, as a value it is not."""
    name_id = NameId("hleboeuf", sp_name_qualifier="https://other.example")
    code, detail = refusal(idp(uid="NameID"), name_id=name_id)
    assert code is login_codes.MAPPING
    assert "another service provider" in detail
    assert "hleboeuf" not in detail
    assert asserted(idp(), name_id=name_id).subject == f"!{IDP}!https://other.example!hleboeuf"
    targeted = SamlAttribute("urn:oid:1", None, ("hleboeuf",), of_another_sp=True)
    assert refusal(idp(uid="urn:oid:1"), targeted)[0] is login_codes.MAPPING
    assert asserted(idp(uid="uid"), targeted, sent("uid", "h")).attributes == {"uid": ("h",)}
