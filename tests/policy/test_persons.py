from dataclasses import replace

import pytest

from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import TermOfOffice
from gateway.policy.conditions import evaluate
from gateway.policy.facts import Facts
from gateway.policy.persons import OF_TENANT, Mandate, Organisations, SignedInBy, Tenant, User
from gateway.policy.trace import in_words
from gateway.policy.truth import Truth
from tests.policy.short import person

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
LILLE, CCAS, NORD = "21590350100017", "21590350100025", "22590001800014"
MAYOR = person(mandates=("maire", "conseiller communautaire"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [({"metropole/s-1"}, TRUE), ({"autre/s-1", "metropole/s-2"}, FALSE), ({"metropole/s-1/x"}, FALSE)],
)
def test_a_user_is_one_person_of_one_provider(names: set[str], expected: Truth) -> None:
    assert evaluate(User(frozenset(names)), person()) is expected
    assert evaluate(User(frozenset(names)), None) is UNKNOWN


@pytest.mark.parametrize("name", ["", "s-1", "/s-1", "metropole/"])
def test_no_user(name: str) -> None:
    with pytest.raises(GatewayError):
        User(frozenset({name}))


def test_a_provider_is_known_of_everybody_who_is_signed_in() -> None:
    assert evaluate(SignedInBy(frozenset({"metropole", "x"})), person()) is TRUE
    assert evaluate(SignedInBy(frozenset({"x"})), person()) is FALSE
    assert evaluate(SignedInBy(frozenset({"x"})), None) is UNKNOWN


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (MAYOR, TRUE),
        (person(mandates=("adjoint",)), FALSE),
        (person(), UNKNOWN),
        (person(frozenset({"mandates"}), mandates=("maire",)), UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_mandate(identity: Identity | None, expected: Truth) -> None:
    assert evaluate(Mandate(frozenset({"maire", "président"})), identity) is expected


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        (LILLE, TRUE),
        (CCAS, FALSE),
        (NORD, TRUE),
        ("22590001800022", TRUE),
        ("13002526500013", FALSE),
        (None, UNKNOWN),
        ("", UNKNOWN),
        ("225900018", UNKNOWN),
        ("225900018ABCDE", UNKNOWN),
        ("２２５９０００１８０００１４", UNKNOWN),
    ],
)
def test_a_tenant_by_siret_or_by_the_siren_of_all_its_establishments(tenant: str | None, expected: Truth) -> None:
    listed = Tenant("list nord", (Organisations("nord", frozenset({LILLE}), frozenset({"225900018"})),))
    assert evaluate(listed, person(), Facts(tenant=tenant)) is expected
    assert evaluate(listed, None, Facts(tenant=tenant)) is UNKNOWN


@pytest.mark.parametrize("kind", [User, SignedInBy, Mandate])
def test_no_empty_list(kind: type[User]) -> None:
    with pytest.raises(GatewayError):
        kind(frozenset())


def term(office: str, organisation: str) -> TermOfOffice:
    return TermOfOffice(office, organisation, "2020-05-25", "2026-03-29", "Europe/Paris")


class Listed:
    def commune(self, insee: str) -> Organisations | None:
        return Organisations("", frozenset(), frozenset({"215903501"})) if insee == "59350" else None


def elected(*terms: TermOfOffice) -> Identity:
    offices = tuple(one.office for one in terms)
    return replace(person(**({"mandates": offices} if offices else {})), terms=terms)


@pytest.mark.parametrize(
    ("identity", "anywhere", "there"),
    [
        (elected(term("maire", "215903501")), TRUE, TRUE),
        (elected(term("maire", "59350")), TRUE, TRUE),
        (elected(term("maire", "225900018")), TRUE, FALSE),
        (elected(term("maire", "59009")), TRUE, UNKNOWN),
        (elected(term("maire", "225900018"), term("maire", "215903501")), TRUE, TRUE),
        (elected(term("maire", "59009"), term("maire", "215903501")), TRUE, TRUE),
        (elected(term("maire", "225900018"), term("adjoint", "215903501")), TRUE, FALSE),
        (elected(term("adjoint", "215903501")), FALSE, FALSE),
        (elected(), FALSE, FALSE),
        (MAYOR, TRUE, UNKNOWN),
        (person(), UNKNOWN, UNKNOWN),
        (replace(elected(term("maire", "215903501")), left_out=frozenset({"mandates"})), UNKNOWN, UNKNOWN),
        (None, UNKNOWN, UNKNOWN),
    ],
)
def test_a_mandate_of_the_organisation_for_which_the_person_acts(
    identity: Identity | None, anywhere: Truth, there: Truth
) -> None:
    names = frozenset({"maire"})
    assert evaluate(Mandate(names), identity, Facts(tenant=LILLE)) is anywhere
    assert evaluate(Mandate(names, OF_TENANT, Listed()), identity, Facts(tenant=LILLE)) is there


@pytest.mark.parametrize("tenant", [None, "", "215903501", "2159035010001X"])
def test_of_no_organisation_there_is_no_mandate_that_is_known(tenant: str | None) -> None:
    mayor = Mandate(frozenset({"maire"}), OF_TENANT, Listed())
    assert evaluate(mayor, elected(term("maire", "215903501")), Facts(tenant=tenant)) is UNKNOWN
    assert in_words(mayor) == "mandate maire of tenant"
