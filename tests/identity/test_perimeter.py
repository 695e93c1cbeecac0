import ast
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.schema.saml_attributes import COMMON
from gateway.identity.perimeter import check, establish, is_inside, is_mail, is_scoped, is_siret, may_hold_an_address
from gateway.model.assertion import ADDRESS_FORMAT
from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Established, Identity
from gateway.model.provider import MetadataFile, OidcProvider, Perimeter, SamlProvider
from tests.identity.providers import provider

GATEWAY = Path(__file__).resolve().parents[2] / "gateway"
SIRET = "21590350100017"
BOUNDED = provider(
    {"uid": "uid", "siret": "siret"},
    tenant="siret",
    perimeter=Perimeter(siret=frozenset({SIRET}), attributes={"uid": frozenset({"alice"})}),
)


def identity(**attributes: tuple[str, ...]) -> Identity:
    return Identity(BOUNDED.name, BOUNDED.issuer, "s-1", attributes)


def code(of: Identity, *, tenant_optional: bool = False) -> str:
    with pytest.raises(GatewayError) as refused:
        establish(BOUNDED, of, tenant_optional=tenant_optional)
    return refused.value.code.id


def test_who_is_inside_the_perimeter_acts_for_one_tenant() -> None:
    alice = identity(uid=("alice",), siret=(SIRET,))
    assert establish(BOUNDED, alice) == Established(alice, SIRET)


def test_who_is_outside_is_refused_before_the_tenant_is_looked_for() -> None:
    assert code(identity(uid=("bob",))) == "login.outside_perimeter"
    assert code(identity(uid=("bob",)), tenant_optional=True) == "login.outside_perimeter"


def test_a_person_acts_for_one_tenant_and_a_program_may_act_for_none() -> None:
    nobodys = identity(uid=("alice",))
    assert code(nobodys) == "login.mapping"
    assert establish(BOUNDED, nobodys, tenant_optional=True) == Established(nobodys, None)
    without = provider({"uid": "uid"})
    assert establish(without, nobodys).tenant is None


def test_a_program_that_names_a_tenant_names_one() -> None:
    two = provider({"siret": "siret"}, tenant="siret")
    with pytest.raises(GatewayError, match="2 values"):
        establish(two, identity(siret=(SIRET, "21590350100018")), tenant_optional=True)


@pytest.mark.parametrize(
    ("made", "where"),
    [
        # The proof that the perimeter let somebody through.
        ("Established", {"identity/perimeter.py"}),
        # What lets somebody in, of that proof alone; the stores make theirs of what they are given with it.
        # A trial serves nobody: the seat of a made-up person is asked about, and never kept.
        ("Seat", {"portal/flow/establish.py", "stores", "trial/trial.py"}),
        ("Session", {"stores"}),
    ],
)
def test_nothing_else_in_the_gateway_makes_one(made: str, where: set[str]) -> None:
    found = {
        "stores" if path.is_relative_to(GATEWAY / "stores") else str(path.relative_to(GATEWAY))
        for path in GATEWAY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == made
    }
    assert found == where


METROPOLE = "21590350100017"
DEPARTEMENT = "22590001801244"
LA_POSTE = "35600000000048"
LA_POSTE_BRANCH = "35600000049837"

LISTED = Perimeter(
    siret=frozenset({METROPOLE}),
    email_domains=frozenset({"metropole.example"}),
    attributes={"groups": frozenset({"ONDE", "administrateurs"}), "scope": frozenset()},
)
NAMED = {"siret": "siret", "mail": "email", "groups": "groups", "scope": "scope", "uid": "uid"}


def accepted(of: OidcProvider, **attributes: str | tuple[str, ...]) -> bool:
    values = {name: (value,) if isinstance(value, str) else value for name, value in attributes.items()}
    identity = Identity("metropole", of.issuer, "s-1", values)
    try:
        check(of, identity)
    except GatewayError:
        return False
    return True


def test_a_refusal_names_the_attribute_and_never_its_value() -> None:
    of = provider(NAMED, perimeter=LISTED)
    for name, value in (("siret", DEPARTEMENT), ("mail", "x@departement.example"), ("mail", "x@"), ("groups", "root")):
        with pytest.raises(GatewayError, match=f"`{name}`") as refused:
            check(of, Identity("metropole", of.issuer, "s-1", {name: (value,)}))
        assert refused.value.code is login_codes.OUTSIDE_PERIMETER
        assert value not in refused.value.detail


def test_what_the_file_lists_is_accepted_and_so_is_saying_nothing() -> None:
    of = provider(NAMED, perimeter=LISTED)
    assert accepted(of, siret=METROPOLE, mail="a@metropole.example", groups=("ONDE", "administrateurs"), uid="x")
    assert accepted(of)


@pytest.mark.parametrize(
    ("name", "claim", "value"),
    [
        ("etab", "codeSiret", DEPARTEMENT),
        ("etab", "siretEtablissement", DEPARTEMENT),
        ("siret_of_work", "work", DEPARTEMENT),
        ("etab", "siret_code", f"{DEPARTEMENT[:3]} {DEPARTEMENT[3:9]}\u00a0{DEPARTEMENT[9:]}"),
        ("uid", "supannEtablissement", f"{{SIRET}}{DEPARTEMENT}"),
        ("uid", "supannEtablissement", "{siret}no number"),
        ("uid", "supannEtablissement", f"{{SIREN}}{DEPARTEMENT[:9]}"),
    ],
)
def test_another_organisations_number_under_whatever_name(name: str, claim: str, value: str) -> None:
    of = provider({name: claim}, perimeter=LISTED)
    assert not accepted(of, **{name: value})


def test_a_text_about_an_organisation_is_no_number() -> None:
    of = provider({"label": "siret_label", "uid": "uid"}, perimeter=LISTED)
    assert accepted(of, label=("Métropole, 12 agents", METROPOLE, f"{METROPOLE[:9]} {METROPOLE[9:]}"))
    assert accepted(of, uid=("{UAI}0590001A", f"{{SIRET}}{METROPOLE}", f"{{SIREN}}{METROPOLE[:9]}", DEPARTEMENT))


def test_one_foreign_value_among_good_ones_refuses_the_sign_in() -> None:
    of = provider(NAMED, perimeter=LISTED)
    assert not accepted(of, siret=(METROPOLE, DEPARTEMENT))
    assert not accepted(of, mail=("a@metropole.example", "x@departement.example"))
    assert not accepted(of, groups=("ONDE", "departement-admins"))
    assert not accepted(of, scope="x")


def test_what_the_file_does_not_bound_is_asserted_freely() -> None:
    of = provider(NAMED, perimeter=Perimeter())
    assert accepted(of, siret="x", mail="a@b@c", groups=("anything",))


def test_an_empty_list_means_none_of_it() -> None:
    none = Perimeter(siret=frozenset(), email_domains=frozenset(), attributes={"groups": frozenset()})
    of = provider(NAMED, perimeter=none)
    assert not accepted(of, siret=METROPOLE)
    assert not accepted(of, mail="a@metropole.example")
    assert not accepted(of, groups=("ONDE",))
    assert accepted(of, uid="x")


# --- e-mail (K005, K094, OC09, XS15) ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mail", ["a@metropole.example", "a.b+c@METROPOLE.Example", "o'neil@metropole.example"])
def test_an_address_of_a_listed_domain(mail: str) -> None:
    assert accepted(provider(NAMED, perimeter=LISTED), mail=mail)


@pytest.mark.parametrize(
    "mail",
    [
        "x@departement.example",
        "a@evilmetropole.example",
        "a@sub.metropole.example",
        "a@metropole.example.evil.test",
        "a@evil.test@metropole.example",
        "a@metropole.example@evil.test",
        '"a@metropole.example"@evil.test',
        '"a@evil.test"@metropole.example',
        '"a"@metropole.example',
        "a@metropole.example.",
        "a@metropole.example ",
        " a@metropole.example",
        "a @metropole.example",
        "a@ metropole.example",
        "a@metropole.example, b@metropole.example",
        "A <a@metropole.example>",
        "a(x)@metropole.example",
        "a@[127.0.0.1]",
        "@metropole.example",
        "a@",
        "metropole.example",
        "a@métropole.example",
        "a@metropole。example",
        "a@ｍetropole.example",
        "a@metropole.example\u200b",
        "é@metropole.example",
    ],
)
def test_an_address_outside_or_with_a_second_reading(mail: str) -> None:
    assert not accepted(provider(NAMED, perimeter=LISTED), mail=mail)


@pytest.mark.parametrize(
    "attributes",
    [{"mail": "x"}, {"email": "x"}, {"courriel": "email"}, {"courriel": ("contact", "email")}, {"courriel": "mail"}],
)
def test_an_address_is_known_by_its_name_or_its_claim_so_that_no_other_name_hides_it(
    attributes: dict[str, str],
) -> None:
    of = provider(attributes, perimeter=LISTED)
    (name,) = attributes
    assert accepted(of, **{name: "a@metropole.example"})
    assert not accepted(of, **{name: "a@departement.example"})


ADDRESS_NAMES = [
    "upn",
    "Email",
    "Mail",
    "EMAIL",
    "preferred_username",
    "anything",
    "urn:mace:dir:attribute-def:mail",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
]


@pytest.mark.parametrize("source", ADDRESS_NAMES)
@pytest.mark.parametrize(
    "value",
    [
        "x@departement.example",
        "X@DEPARTEMENT.EXAMPLE",
        "A <x@departement.example>",
        "a@metropole.example, x@departement.example",
        '"x@departement.example"@metropole.example',
        "x@departement.example@metropole.example",
        "x\uff20departement.example",
        "x\ufe6bdepartement.example",
        "x%40departement.example",
        "mailto:x@departement.example",
        "x@departement.example.",
        "x@xn--dpartement-b4a.example",
        "x@d\u00e9partement.example",
    ],
)
def test_whatever_looks_like_an_address_is_bounded_under_any_name(source: str, value: str) -> None:
    of = provider({"login": source}, perimeter=LISTED)
    assert accepted(of, login="a@metropole.example")
    assert not accepted(of, login=value)
    assert not accepted(of, login=("a@metropole.example", value))
    assert accepted(provider({"login": source}, perimeter=Perimeter()), login=value)


@pytest.mark.parametrize("source", ["upn", "preferred_username", "anything"])
def test_what_does_not_look_like_one_is_a_name(source: str) -> None:
    assert accepted(provider({"login": source}, perimeter=LISTED), login="hleboeuf")


@pytest.mark.parametrize("source", ["Email", "Mail", "courriel", "urn:mace:dir:attribute-def:mail"])
def test_what_is_called_an_address_is_one(source: str) -> None:
    assert not accepted(provider({"login": source}, perimeter=LISTED), login="hleboeuf")


@pytest.mark.parametrize(
    ("subject", "inside"),
    [
        ("s-1", True),
        ("a@metropole.example", True),
        ("f:0b7c:a@metropole.example", True),
        ("!https://idp.example!https://us.example!a@metropole.example", True),
        ("auth0|a@metropole.example", True),
        ("x@departement.example", False),
        ("f:0b7c:x@departement.example", False),
        ("x@departement.example:a@metropole.example", False),
        ("!https://idp.example!https://us.example!x@departement.example", False),
        ("x\uff20departement.example", False),
        ("x%40departement.example", False),
    ],
)
def test_the_identifier_is_bounded_too(subject: str, inside: bool) -> None:
    of = provider({"uid": "uid"}, perimeter=LISTED)
    assert is_inside(of, Identity("metropole", of.issuer, subject, {})) is inside
    assert is_inside(provider({}), Identity("metropole", of.issuer, subject, {}))


def test_values_that_the_file_lists_are_its_own_word() -> None:
    listed = Perimeter(email_domains=frozenset({"metropole.example"}), attributes={"groups": frozenset({"a@lists"})})
    of = provider({"groups": "groups", "mail": "email"}, perimeter=listed)
    assert accepted(of, groups="a@lists")
    assert not accepted(of, groups="b@lists")


# --- scopes -----------------------------------------------------------------------------------------------------------

EPPN = "eduPersonPrincipalName"


def test_scopes_are_those_of_scoped_attributes_and_of_what_only_looks_like_an_address() -> None:
    bounds = Perimeter(email_domains=frozenset({"metropole.example"}), scopes=frozenset({"univ.example"}))
    of = provider({"eppn": EPPN, "login": "upn", "mail": "email", "courriel": EPPN.lower()}, perimeter=bounds)
    assert accepted(of, eppn="a@univ.example", login="a@univ.example", mail="a@metropole.example")
    assert accepted(of, login="a@metropole.example")
    assert not accepted(of, eppn="a@metropole.example")
    assert not accepted(of, mail="a@univ.example")
    assert not accepted(of, courriel="a@univ.example"), "what we call an address is one"
    assert not accepted(of, eppn="univ.example")
    assert not accepted(provider({"eppn": EPPN}, perimeter=Perimeter(scopes=frozenset())), eppn="a@univ.example")
    assert accepted(provider({"eppn": EPPN}, perimeter=Perimeter()), eppn="a@univ.example")


# --- SIRET (XS15) -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "siret",
    [
        DEPARTEMENT,
        "21590350100018",
        "2159035010001",
        "215903501000170",
        "215 903 501 00017",
        f" {METROPOLE}",
        f"{METROPOLE}\n",
        "２１５９０３５０１０００１７",
        "٢١٥٩٠٣٥٠١٠٠٠١٧",
        "215903501",
        "",
    ],
)
def test_a_siret_that_is_foreign_or_none(siret: str) -> None:
    assert not accepted(provider(NAMED, perimeter=LISTED), siret=siret)


def test_a_listed_number_that_is_no_siret_is_refused_all_the_same() -> None:
    assert not accepted(provider(NAMED, perimeter=Perimeter(siret=frozenset({"123"}))), siret="123")


@pytest.mark.parametrize(
    ("attributes", "tenant"),
    [
        ({"siret": "x"}, None),
        ({"org": "siret"}, None),
        ({"org": ("organization", "siret")}, None),
        ({"org": "Siret"}, None),
        ({"org": "organization_SIRET"}, None),
        ({"org": "urn:example:siret"}, None),
        ({"org": "x"}, "org"),
    ],
)
def test_a_siret_is_known_by_its_name_its_claim_or_as_the_tenant(
    attributes: dict[str, str], tenant: str | None
) -> None:
    of = provider(attributes, tenant=tenant, perimeter=LISTED)
    (name,) = attributes
    assert accepted(of, **{name: METROPOLE})
    assert not accepted(of, **{name: DEPARTEMENT})


@pytest.mark.parametrize("number", [METROPOLE, DEPARTEMENT, LA_POSTE, LA_POSTE_BRANCH, "73282932000074"])
def test_sirets(number: str) -> None:
    assert is_siret(number)


@pytest.mark.parametrize(
    "number",
    [
        "35600000049838",
        "35600100049837",
        "73282932000075",
        "7328293200007",
        "７３２８２９３２００００７４",
        "",
        "a" * 14,
    ],
)
def test_no_sirets(number: str) -> None:
    assert not is_siret(number)


@given(
    st.from_regex(r"\A[0-9]{14}\Z").filter(lambda number: not number.startswith("356000000")),
    st.integers(0, 13),
    st.integers(1, 9),
)
def test_one_wrong_digit_is_always_found(number: str, place: int, more: int) -> None:
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert not (is_siret(number) and is_siret(wrong)) or wrong.startswith("356000000")


def test_the_same_can_be_asked_as_a_question() -> None:
    of = provider(NAMED, perimeter=LISTED)
    assert is_inside(of, Identity("metropole", of.issuer, "s-1", {"siret": (METROPOLE,)}))
    assert not is_inside(of, Identity("metropole", of.issuer, "s-1", {"siret": (DEPARTEMENT,)}))


def saml_provider(**attributes: tuple[str, ...]) -> SamlProvider:
    return SamlProvider(
        name="departement",
        label="Département",
        issuer="https://idp.departement.example",
        metadata=MetadataFile(b""),
        signed="assertion",
        attributes=attributes,
        tenant_attribute=None,
        perimeter=LISTED,
        skew=60,
        session_idle=1800,
        session_absolute=43200,
    )


def test_a_saml_attribute_is_bounded_under_any_of_its_names() -> None:
    of = saml_provider(courriel=("contact", "email"), uid=("NameID",))
    for mail, inside in (("a@metropole.example", True), ("a@elsewhere.example", False)):
        identity = Identity("departement", of.issuer, "s-1", {"courriel": (mail,), "uid": ("alice",)})
        assert is_inside(of, identity) is inside


@pytest.mark.parametrize("names", [("NameID",), ("matricule", "NameID")])
@pytest.mark.parametrize("format", [ADDRESS_FORMAT, None])
def test_a_name_id_that_is_an_address_is_bounded_as_one(names: tuple[str, ...], format: str | None) -> None:
    """XS15: else one provider's NameID is another's user to an application that listens to both."""
    of = replace(saml_provider(uid=names), name_id_format=format)
    for uid, inside in (
        ("a@metropole.example", True),
        ("a@elsewhere.example", False),
        ("a@b@metropole.example", False),
    ):
        assert is_inside(of, Identity("departement", of.issuer, "s-1", {"uid": (uid,)})) is inside
    assert is_inside(of, Identity("departement", of.issuer, "s-1", {"uid": ("12345",)}))


# --- SIREN (XS15) -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "source"),
    [("siren", "siren"), ("unit", "siren"), ("unit", "SIREN"), ("siren", "x"), ("unit", "Entreprise_Siren")],
)
def test_a_legal_unit_is_that_of_an_establishment_that_is_listed(name: str, source: str) -> None:
    of = provider({name: source}, perimeter=LISTED)
    assert accepted(of, **{name: METROPOLE[:9]})
    assert not accepted(of, **{name: DEPARTEMENT[:9]})
    assert not accepted(of, **{name: (METROPOLE[:9], DEPARTEMENT[:9])})
    for no_unit in ("", METROPOLE[:8], METROPOLE, f"{METROPOLE[:3]} {METROPOLE[3:9]}"):
        assert not accepted(of, **{name: no_unit})
    assert not accepted(provider({name: source}, perimeter=Perimeter(siret=frozenset())), **{name: METROPOLE[:9]})
    assert accepted(provider({name: source}, perimeter=Perimeter()), **{name: DEPARTEMENT[:9]})


def test_of_a_saml_provider_by_any_of_its_names() -> None:
    of = saml_provider(unit=("ENTREPRISE.SIREN", "other"))
    assert is_inside(of, Identity("departement", of.issuer, "s-1", {"unit": (METROPOLE[:9],)}))
    assert not is_inside(of, Identity("departement", of.issuer, "s-1", {"unit": (DEPARTEMENT[:9],)}))


def test_what_is_called_siren_and_comes_as_a_siret_is_one() -> None:
    of = provider({"siren": "siret"}, perimeter=LISTED)
    assert accepted(of, siren=METROPOLE)
    assert not accepted(of, siren=DEPARTEMENT)


CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


@pytest.mark.parametrize("name", [*COMMON["mail"], "Email", "MAIL", "urn:mace:dir:attribute-def:mail", "courriel"])
def test_an_address_by_its_name(name: str) -> None:
    assert is_mail(name)
    assert may_hold_an_address(name)
    assert not is_scoped(name)


@pytest.mark.parametrize("name", [*COMMON["eppn"], *COMMON["scoped_affiliation"], *COMMON["subject_id"]])
def test_a_scoped_attribute_by_its_name(name: str) -> None:
    assert is_scoped(name)
    assert is_scoped(name.upper())
    assert may_hold_an_address(name)
    assert not is_mail(name)


@pytest.mark.parametrize("name", [*COMMON["upn"], "preferred_username", "NameID", f"{CLAIMS}/name"])
def test_what_is_an_address_at_one_provider_and_a_number_at_the_next(name: str) -> None:
    assert may_hold_an_address(name)
    assert not is_mail(name)
    assert not is_scoped(name)


@pytest.mark.parametrize("name", ["uid", "siret", "groups", "givenName", "email_verified", ""])
def test_what_is_none_by_its_name(name: str) -> None:
    assert not may_hold_an_address(name)
