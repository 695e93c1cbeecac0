from dataclasses import replace
from typing import Any

import pytest

from gateway.config.schema.saml_attributes import COMMON
from gateway.identity.assertion_mapping import map_assertion
from gateway.identity.mapping import LONGEST_VALUE
from gateway.identity.perimeter import check, tenant_of
from gateway.model.assertion import Assertion, NameId, SamlAttribute
from gateway.model.codes import LOGIN_MAPPING, LOGIN_OUTSIDE_PERIMETER, Code
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.provider import Perimeter, SamlProvider
from tests.saml.parties import IDP, PROVIDER

NOW = 1_800_000_000
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
        authn_instant=NOW - 60,
        authn_context="urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        attributes=attributes,
        scopes=(),
        expires=NOW + 480,
    )
    return replace(usual, **changes)


def sent(name: str, *values: str, friendly: str | None = None) -> SamlAttribute:
    return SamlAttribute(name, None, friendly, values)


def provider(perimeter: Perimeter | None = None, tenant: str | None = None, **attributes: Any) -> SamlProvider:
    names = {name: (value,) if isinstance(value, str) else value for name, value in attributes.items()}
    return replace(PROVIDER, attributes=names, perimeter=perimeter or Perimeter(), tenant_attribute=tenant)


def mapped(of: SamlProvider, *attributes: SamlAttribute, **changes: Any) -> Identity:
    return map_assertion(of, assertion(*attributes, **changes), NOW)


def refused(of: SamlProvider, *attributes: SamlAttribute, **changes: Any) -> tuple[Code, str]:
    with pytest.raises(GatewayError) as error:
        check(of, mapped(of, *attributes, **changes))
    return error.value.code, error.value.detail


def test_an_identity_is_what_was_mapped_and_no_more() -> None:
    identity = mapped(provider(uid="uid"), sent("uid", "hleboeuf"), sent("other", "x"))
    assert identity == Identity(
        provider="metropole",
        issuer=IDP,
        subject="hleboeuf",
        attributes={"uid": ("hleboeuf",)},
        left_out=frozenset(),
        acr="urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        amr=(),
        authenticated_at=NOW - 60,
    )


def test_a_sign_in_is_never_of_the_future() -> None:
    assert mapped(provider(), authn_instant=NOW + 100).authenticated_at == NOW


@pytest.mark.parametrize("name", ["mail", "urn:oid:0.9.2342.19200300.100.1.3", f"{CLAIMS}/emailaddress"])
def test_the_common_names_find_what_providers_send(name: str) -> None:
    found = mapped(provider(mail=COMMON["mail"]), sent(name, "h@metropole.example"))
    assert found.attributes == {"mail": ("h@metropole.example",)}


def test_a_friendly_name_counts_where_no_name_does() -> None:
    """Core 2.7.3.1, and only where the provider file says so."""
    assert mapped(provider(mail="mail"), sent("urn:oid:x", "a", friendly="mail")).attributes == {}
    of = replace(provider(mail="mail"), friendly_names=True)
    assert mapped(of, sent("urn:oid:x", "a", friendly="mail")).attributes == {"mail": ("a",)}
    both = (sent("urn:oid:x", "a", friendly="mail"), sent("mail", "b"))
    assert mapped(of, *both).attributes == mapped(of, *both[::-1]).attributes == {"mail": ("b",)}


def test_the_first_name_of_the_list_that_was_sent_counts_alone() -> None:
    of = provider(mail=("second", "first"))
    assert mapped(of, sent("first", "a"), sent("second", "b")).attributes == {"mail": ("b",)}
    assert mapped(of, sent("first", "a")).attributes == {"mail": ("a",)}


def test_values_are_those_of_every_attribute_of_that_name_each_once() -> None:
    assert mapped(provider(g="g"), sent("g", "b", "a"), sent("g", "a", "", "c")).attributes == {"g": ("b", "a", "c")}


def test_an_attribute_without_a_value_is_missing() -> None:
    assert mapped(provider(g="g"), sent("g"), sent("h", "x")).attributes == {}
    assert mapped(provider(g="g"), sent("g", "", "")).attributes == {}


def test_the_name_id_may_be_an_attribute() -> None:
    assert mapped(provider(mail="NameID")).attributes == {"mail": ("hleboeuf",)}
    assert mapped(provider(mail=("m", "NameID")), sent("m", "x")).attributes == {"mail": ("x",)}


def test_who_has_no_name_id_is_known_by_the_attribute_that_the_file_names() -> None:
    of = replace(provider(uid=("NameID", "uid"), mail="mail"), subject_without_name_id="uid")
    nameless = mapped(of, sent("uid", "hleboeuf"), sent("mail", "h@a.example"), name_id=None)
    # Not as somebody of that NameID, nor of any other
    assert nameless.subject == "!!uid!hleboeuf"
    assert nameless.attributes == {"uid": ("hleboeuf",), "mail": ("h@a.example",)}
    assert mapped(of, name_id=NameId("!!uid!hleboeuf")).subject.startswith(f"!{IDP}!")
    assert mapped(of, sent("uid", "hleboeuf")).subject == "hleboeuf"


@pytest.mark.parametrize("values", [(), ("",), ("a", "b"), (" a",), ("\uff41",), ("a\u200b",), ("x" * 1025,)])
def test_an_attribute_that_names_nobody_or_two_signs_nobody_in(values: tuple[str, ...]) -> None:
    of = replace(provider(uid="uid"), subject_without_name_id="uid")
    assert refused(of, sent("uid", *values), name_id=None)[0] is LOGIN_MAPPING


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\x00", "a\tb", "x" * (LONGEST_VALUE + 1)])
def test_a_value_that_no_header_should_see_is_refused_and_not_repeated(value: str) -> None:
    code, detail = refused(provider(a="a"), sent("a", value))
    assert code is LOGIN_MAPPING
    assert value[:3] not in detail


def test_a_value_has_one_spelling() -> None:
    assert mapped(provider(a="a"), sent("a", "e\u0301lus", "élus")).attributes == {"a": ("élus",)}


def test_groups_over_the_limit_of_entra_are_unknown_and_not_missing() -> None:
    of = provider(groups=GROUPS, mail="mail")
    link = sent("http://schemas.microsoft.com/claims/groups.link", "https://graph.example/x")
    identity = mapped(of, link, sent("mail", "x"))
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
    assert mapped(provider(), name_id=name_id).subject == subject


# --- what a provider speaks for ---------------------------------------------------------------------------------------


def test_a_scope_is_one_of_the_metadata() -> None:
    of = provider(eppn=COMMON["eppn"])
    scopes = (("metropole.example", False), (r".+\.cd21\.example", True))
    for value in ("h@metropole.example", "h@METROPOLE.example", "h@sports.cd21.example"):
        assert mapped(of, sent(EPPN, value), scopes=scopes).attributes == {"eppn": (value,)}
    for value in ("h@other.example", "h@sub.metropole.example", "h@cd21.example", "h@x.cd21.example.evil", "h@", "h"):
        assert refused(of, sent(EPPN, value), scopes=scopes)[0] is LOGIN_OUTSIDE_PERIMETER
    assert refused(of, sent(EPPN, "h@other.example@metropole.example"), scopes=scopes)[0] is LOGIN_OUTSIDE_PERIMETER


def test_one_value_outside_is_one_too_many() -> None:
    code, detail = refused(
        provider(eppn=EPPN),
        sent(EPPN, "h@metropole.example", "h@other.example"),
        scopes=(("metropole.example", False),),
    )
    assert code is LOGIN_OUTSIDE_PERIMETER
    assert detail == "`eppn` has a scope that this provider does not speak for"


def test_a_scoped_attribute_is_known_by_any_of_its_names() -> None:
    scopes = (("metropole.example", False),)
    for of, attribute in (
        (provider(id="id"), sent("id", "h@other.example", friendly="eduPersonPrincipalName")),
        (provider(id="eduPersonPrincipalName"), sent(EPPN, "h@other.example", friendly="eduPersonPrincipalName")),
        (provider(id=("eduPersonPrincipalName", "login")), sent("login", "h@other.example")),
        (provider(id="urn:oasis:names:tc:SAML:attribute:subject-id"),
         sent("urn:oasis:names:tc:SAML:attribute:subject-id", "h@other.example")),
    ):  # fmt: skip
        assert refused(replace(of, friendly_names=True), attribute, scopes=scopes)[0] is LOGIN_OUTSIDE_PERIMETER


def test_without_a_scope_in_the_metadata_the_provider_file_bounds_it() -> None:
    bounded = Perimeter(email_domains=frozenset({"metropole.example"}))
    assert mapped(provider(bounded, eppn=EPPN), sent(EPPN, "h@metropole.example")).attributes
    assert refused(provider(bounded, eppn=EPPN), sent(EPPN, "h@other.example"))[0] is LOGIN_OUTSIDE_PERIMETER
    assert mapped(provider(eppn=EPPN), sent(EPPN, "h@other.example")).attributes


@pytest.mark.parametrize(
    "scopes", [(("other.example", False),), ((".*", True),), (("metropole.example", False), (".+", True))]
)
@pytest.mark.parametrize("bound", ["email_domains", "scopes"])
def test_what_the_metadata_state_never_widens_what_the_file_says(bound: str, scopes: Any) -> None:
    """XS15.8: a provider writes its metadata itself."""
    bounded = Perimeter(**{bound: frozenset({"metropole.example"})})
    assert refused(provider(bounded, eppn=EPPN), sent(EPPN, "h@other.example"), scopes=scopes)[0] is (
        LOGIN_OUTSIDE_PERIMETER
    )


def test_what_the_metadata_state_narrows_it() -> None:
    bounded = Perimeter(scopes=frozenset({"metropole.example", "agglo.example"}))
    stated = (("agglo.example", False),)
    assert mapped(provider(bounded, eppn=EPPN), sent(EPPN, "h@agglo.example"), scopes=stated).attributes
    assert refused(provider(bounded, eppn=EPPN), sent(EPPN, "h@metropole.example"), scopes=stated)


def test_a_pattern_that_is_none_lets_nothing_in() -> None:
    code, _ = refused(provider(eppn=EPPN), sent(EPPN, "h@metropole.example"), scopes=(("(", True),))
    assert code is LOGIN_OUTSIDE_PERIMETER


@pytest.mark.parametrize("name", [*COMMON["mail"], "urn:oid:1.2.840.113549.1.9.1"])
def test_an_address_is_within_the_perimeter_whatever_it_is_called(name: str) -> None:
    of = provider(Perimeter(email_domains=frozenset({"metropole.example"})), contact=name)
    assert refused(of, sent(name, "x@b.example"))[0] is LOGIN_OUTSIDE_PERIMETER
    check(of, mapped(of, sent(name, "x@metropole.example")))


@pytest.mark.parametrize("name", COMMON["siret"])
@pytest.mark.parametrize("value", ["21210001600012", "217 500 016 00019", "21750001600010", "217500016000190"])
def test_a_siret_is_within_the_perimeter_whatever_it_is_called(name: str, value: str) -> None:
    of = provider(Perimeter(siret=frozenset({"21750001600019"})), number=name)
    assert refused(of, sent(name, value))[0] is LOGIN_OUTSIDE_PERIMETER


def test_the_tenant_is_one() -> None:
    of = provider(tenant="siret", siret="siret")
    assert tenant_of(of, mapped(of, sent("siret", "21750001600019"))) == "21750001600019"
    with pytest.raises(GatewayError) as error:
        tenant_of(of, mapped(of, sent("siret", "1", "2")))
    assert error.value.code is LOGIN_MAPPING


# --- a NameID that was made for another service -----------------------------------------------------------------------


@pytest.mark.parametrize("qualifier", [None, "", US])
def test_a_name_that_is_for_us_may_be_told_as_a_plain_value(qualifier: str | None) -> None:
    name_id = NameId("hleboeuf", sp_name_qualifier=qualifier)
    assert mapped(provider(uid="NameID"), name_id=name_id).attributes == {"uid": ("hleboeuf",)}


def test_a_name_qualified_for_another_service_is_nobody_s_plain_name() -> None:
    """Core 8.3.7: there, the same letters are another person. As a subject it is told apart, as a value it is not."""
    name_id = NameId("hleboeuf", sp_name_qualifier="https://other.example")
    code, detail = refused(provider(uid="NameID"), name_id=name_id)
    assert code is LOGIN_MAPPING
    assert "another service provider" in detail
    assert "hleboeuf" not in detail
    assert mapped(provider(), name_id=name_id).subject == f"!{IDP}!https://other.example!hleboeuf"
    targeted = SamlAttribute("urn:oid:1", None, None, ("hleboeuf",), of_another_sp=True)
    assert refused(provider(uid="urn:oid:1"), targeted)[0] is LOGIN_MAPPING
    assert mapped(provider(uid="uid"), targeted, sent("uid", "h")).attributes == {"uid": ("h",)}
