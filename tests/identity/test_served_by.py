"""Which provider serves an organisation: the one that names it most closely, of those that are accepted."""

from time import perf_counter
from typing import Any

import pytest

from gateway.identity.served_by import offered_to_all, serving, serving_domains
from gateway.model.organisations import ListedOrganisation
from gateway.model.provider import Provider
from gateway.model.serves import ServesOrganisations
from tests.oidc.samples import provider

LILLE = ListedOrganisation("Lille", siren="215903501", departement="59", domains=("mail.lille.example",))


def named(name: str, **serves: Any) -> Provider:
    return provider(name=name, serves=ServesOrganisations(**serves))


BY_SIREN = named("siren", siren=frozenset({"215903501"}))
BY_DOMAIN = named("domain", domains=frozenset({"lille.example"}))
BY_DEPARTEMENT = named("departement", departements=frozenset({"59"}))
OTHERS = named("others", others=True)
OPEN = named("open")
ALL = [OPEN, OTHERS, BY_DEPARTEMENT, BY_DOMAIN, BY_SIREN]


@pytest.mark.parametrize(("accepted", "name"), [(5, "siren"), (4, "domain"), (3, "departement"), (2, "others")])
def test_the_closest_of_those_that_are_accepted_serves_it(accepted: int, name: str) -> None:
    assert [one.name for one in serving(LILLE, ALL[:accepted])] == [name]


def test_nobody_serves_what_nobody_names_and_two_that_name_it_alike_both_do() -> None:
    assert serving(LILLE, [OPEN]) == []
    assert serving(ListedOrganisation("Ailleurs"), [BY_SIREN, BY_DOMAIN, BY_DEPARTEMENT]) == []
    assert serving(LILLE, [BY_SIREN, OTHERS, BY_SIREN]) == [BY_SIREN, BY_SIREN]


def test_an_address_leads_to_those_of_its_closest_domain() -> None:
    below = named("below", domains=frozenset({"mail.lille.example"}))
    assert serving_domains(["mail.lille.example", "lille.example"], [BY_DOMAIN, below]) == [below]
    assert serving_domains(["lille.example"], [below, BY_DOMAIN]) == [BY_DOMAIN]
    assert serving_domains(["autre.example"], ALL) == ()


def test_people_of_no_organisation_are_offered_those_for_all_others_and_those_that_name_none() -> None:
    assert offered_to_all(ALL) == [OPEN, OTHERS]


def test_what_a_stranger_searches_for_among_many_providers_takes_the_loop_no_time() -> None:
    """Twenty organisations, of which none is named, and an address of a hundred labels; at most 5 ms (invariant 14)."""
    many = [named(f"p{number}", domains=frozenset({f"d{number}.example"})) for number in range(200)]
    deep = [".".join(("a",) * labels) for labels in range(100, 1, -1)]

    def taken() -> float:
        began = perf_counter()
        assert not any(serving(LILLE, many) for _ in range(20))
        assert not serving_domains(deep, many)
        return perf_counter() - began

    assert min(taken() for _ in range(5)) < 0.005
