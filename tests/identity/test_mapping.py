import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.mapping import (
    LONGEST_VALUE,
    MOST_BYTES,
    MOST_VALUES,
    RESERVED_ATTRIBUTES,
    map_claims,
)
from gateway.identity.perimeter import tenant_of
from gateway.model.codes import LOGIN_MAPPING
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from tests.identity.providers import provider

NOW = 1_700_000_000


def mapped(claims: dict[str, object], tenant: str | None = None, **attributes: str) -> Identity:
    found = provider(attributes, tenant=tenant)
    return map_claims(found, {"sub": "s-1", **claims}, acr=None, amr=(), auth_time=None, now=NOW)


def refused(claims: dict[str, object], **attributes: str) -> str:
    with pytest.raises(GatewayError) as error:
        mapped(claims, **attributes)
    assert error.value.code is LOGIN_MAPPING
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
        assert error.value.code is LOGIN_MAPPING


def test_the_names_that_an_attribute_may_not_take() -> None:
    """K096: a provider file that maps a claim over what the gateway itself knows."""
    assert {"iss", "sub", "exp", "tenant", "subject", "provider", "issuer", "acr"} <= RESERVED_ATTRIBUTES
    assert not {"uid", "mail", "groups", "siret", "roles"} & RESERVED_ATTRIBUTES
