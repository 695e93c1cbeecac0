"""Which provider serves an organisation: the one that names it most closely, of those that are accepted."""

import sys
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from types import FrameType
from typing import Any

import pytest

from gateway.identity.served_by import ProvidersByOrganisation, in_order
from gateway.model.organisations import ListedOrganisation
from gateway.model.provider import Provider, ServesOrganisations
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


def serving(organisation: ListedOrganisation, offered: Sequence[Provider]) -> Sequence[Provider]:
    return ProvidersByOrganisation(ALL).serving(organisation, in_order(offered))


@pytest.mark.parametrize(("accepted", "name"), [(5, "siren"), (4, "domain"), (3, "departement"), (2, "others")])
def test_the_closest_of_those_that_are_accepted_serves_it(accepted: int, name: str) -> None:
    assert [one.name for one in serving(LILLE, ALL[:accepted])] == [name]


def test_nobody_serves_what_nobody_names() -> None:
    assert serving(LILLE, [OPEN]) == []
    assert serving(ListedOrganisation("Ailleurs"), [BY_SIREN, BY_DOMAIN, BY_DEPARTEMENT]) == []


def test_two_that_name_it_alike_both_do_in_the_order_in_which_they_are_offered() -> None:
    again = named("again", siren=frozenset({"215903501"}))
    known = ProvidersByOrganisation([BY_SIREN, OTHERS, again])
    assert known.serving(LILLE, in_order([again, OTHERS, BY_SIREN])) == [again, BY_SIREN]
    assert known.serving(LILLE, in_order([OTHERS, BY_SIREN])) == [BY_SIREN]


def test_an_address_leads_to_those_of_its_closest_domain() -> None:
    below = named("below", domains=frozenset({"mail.lille.example"}))
    known = ProvidersByOrganisation([BY_DOMAIN, below])
    both = in_order([BY_DOMAIN, below])
    assert known.serving_domains(["mail.lille.example", "lille.example"], both) == [below]
    assert known.serving_domains(["mail.lille.example", "lille.example"], in_order([BY_DOMAIN])) == [BY_DOMAIN]
    assert known.serving_domains(["lille.example"], both) == [BY_DOMAIN]
    assert known.serving_domains(["autre.example"], both) == ()


def test_people_of_no_organisation_are_offered_those_for_all_others_and_those_that_name_none() -> None:
    known = ProvidersByOrganisation(ALL)
    assert known.offered_to_all(in_order(ALL)) == [OPEN, OTHERS]
    assert known.offered_to_all(in_order([OTHERS, BY_SIREN])) == [OTHERS]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("192.0.2.9", ["room"]),
        ("192.0.2.200", ["site"]),
        ("198.51.100.1", ["site", "room"]),
        ("203.0.113.1", []),
        ("2001:db8:1:2::9", ["room"]),
        ("2001:db8:9::1", ["site"]),
        ("::c000:209", []),
    ],
)
def test_a_network_is_of_those_that_name_it_most_closely(address: str, found: list[str]) -> None:
    site = ("192.0.2.0/24", "198.51.100.0/25", "2001:db8::/32")
    room = ("192.0.2.0/28", "198.51.100.0/25", "2001:db8:1:2::/64")
    both = [named(name, networks=tuple(map(ip_network, each))) for name, each in (("site", site), ("room", room))]
    known = ProvidersByOrganisation(both)
    assert [one.name for one in known.of_network(ip_address(address), in_order(both))] == found
    assert not known.of_network(ip_address(address), in_order([]))


def test_a_host_is_of_those_that_name_it_and_are_accepted() -> None:
    both = [named(name, hosts=frozenset({"permis.lille.example"})) for name in ("one", "two")]
    known = ProvidersByOrganisation(both)
    assert known.of_host("permis.lille.example", in_order(both)) == both
    assert known.of_host("permis.lille.example", in_order(both[1:])) == both[1:]
    assert not known.of_host("lille.example", in_order(both))


def test_what_a_stranger_searches_for_costs_as_much_among_many_providers_as_among_few() -> None:
    """Twenty organisations and an address of a hundred labels (invariant 14)."""

    def steps_among(count: int) -> int:
        many = [named(f"p{number}", domains=frozenset({f"d{number}.example"})) for number in range(count)]
        deep = [".".join(("a",) * labels) for labels in range(100, 1, -1)]
        known, accepted = ProvidersByOrganisation(many), in_order(many)

        def ask() -> None:
            assert not any(known.serving(LILLE, accepted) for _ in range(20))
            assert not known.serving_domains(deep, accepted)

        return lines_run(ask)

    assert steps_among(2) == steps_among(500)


def lines_run(ask: Callable[[], None]) -> int:
    """Lines of Python, each as often as it runs."""
    count, before = 0, sys.gettrace()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        ask()
    finally:
        sys.settrace(before)
    return count
