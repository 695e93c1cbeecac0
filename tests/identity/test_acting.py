"""Invariant 5: for whom a directory lets people act, and that what they are elsewhere stays there."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from gateway.identity.acting import acting_directories, acts_for, in_the_name_of, named_by
from gateway.identity.directories import NEVER, counts_until, due_at, finding_of, unknown_of
from gateway.identity.perimeter import establish, organisations
from gateway.model.codes import login_codes
from gateway.model.directory import ActsFor, Directory, DirectoryFinding, GivenAttribute
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import TermColumns, TermOfOffice
from gateway.model.provider import OidcProvider, Perimeter
from tests.identity.providers import provider as made
from tests.identity.test_directories import directory, person

LYCEE, COMMUNE, OTHER = "19590123400017", "21590350100017", "21590512600011"
ANY = ActsFor(None)
TOWNS = GivenAttribute("towns", "siret", "siret", many=True, acts_for=ANY)
COLUMNS = TermColumns("office", "siret", "siret", "start", "end", zone="Europe/Paris")
HELD = GivenAttribute("mandates", "mandates", "mandates", terms=COLUMNS, acts_for=ANY)
NOW = datetime.fromisoformat("2026-03-29T12:00:00+02:00").timestamp()
OVER = datetime.fromisoformat("2026-03-30T00:00:00+02:00").timestamp()
MAYOR = TermOfOffice("maire", COMMUNE, "2020-05-25", "2026-03-29", "Europe/Paris")
DEPUTY = TermOfOffice("adjoint", OTHER, "2020-05-25", "2032-03-21", "Europe/Paris")


def said(one: Directory, *terms: TermOfOffice, **values: tuple[str, ...]) -> DirectoryFinding:
    return DirectoryFinding(one.name, one.fingerprint, "found", values, at=int(NOW), terms=terms)


def known(*findings: DirectoryFinding, provider: str = "alpha", **attributes: str) -> Identity:
    return replace(person(provider, **attributes), findings=findings)


def provider(**changes: Any) -> OidcProvider:
    return replace(made({"siret": "siret"}, tenant="siret"), **changes)


# --- what it names


def test_it_names_what_it_said_of_people_whose_provider_it_takes_the_word_of() -> None:
    towns = directory(TOWNS)
    assert named_by(known(said(towns, towns=(COMMUNE, OTHER))), [towns], NOW) == (COMMUNE, OTHER)
    assert named_by(known(said(towns, towns=(COMMUNE,)), provider="beta"), [towns], NOW) == ()
    assert acting_directories([towns, directory()], "alpha") == (towns,)
    assert acting_directories([towns], "beta") == ()


def test_what_is_unknown_or_was_said_otherwise_names_nothing() -> None:
    towns = directory(TOWNS)
    finding = said(towns, towns=(COMMUNE,))
    assert named_by(known(replace(finding, unknown=frozenset({"towns"}))), [towns], NOW) == ()
    assert named_by(known(replace(finding, fingerprint="f0")), [towns], NOW) == ()
    assert named_by(known(unknown_of(towns, "away", 0)), [towns], NOW) == ()
    assert named_by(known(finding), [], NOW) == ()
    alone = directory(replace(TOWNS, acts_for=None))
    assert named_by(known(said(alone, towns=(COMMUNE,))), [alone], NOW) == ()


def test_of_mandates_those_name_one_that_are_held() -> None:
    held = directory(HELD, rows="many")
    both = known(said(held, MAYOR, DEPUTY))
    assert named_by(both, [held], NOW) == (COMMUNE, OTHER)
    assert named_by(both, [held], OVER) == (OTHER,)
    assert named_by(both, [held], None) == (COMMUNE, OTHER)


@pytest.mark.parametrize(
    ("listed", "siret", "is_known"),
    [((COMMUNE,), COMMUNE, True), ((COMMUNE[:9],), COMMUNE, True), ((COMMUNE,), OTHER, False), (None, OTHER, True)],
)
def test_one_beyond_its_list_makes_all_that_it_names_unknown(
    listed: tuple[str, ...] | None, siret: str, is_known: bool
) -> None:
    for given, row in (
        (replace(TOWNS, acts_for=ActsFor(listed)), {"siret": (siret,)}),
        (
            replace(HELD, acts_for=ActsFor(listed)),
            {"office": ("maire",), "siret": (siret,), "start": ("2020-05-25",), "end": ("2032-03-21",)},
        ),
    ):
        one = directory(given)
        finding, faults = finding_of(one, [row], int(NOW))
        assert bool(faults) is not is_known
        assert named_by(known(finding), [one], NOW) == ((siret,) if is_known else ())
        assert not any(siret in fault.detail for fault in faults)


# --- a person acts for one


def test_a_person_acts_for_one_of_all_and_no_number_of_another_is_left() -> None:
    identity = replace(known(), attributes={"siret": (LYCEE,), "siren": (LYCEE[:9],), "uid": ("a",)})
    assert organisations(provider(), identity, (COMMUNE,)) == (LYCEE, COMMUNE)
    acting = establish(provider(), identity, chosen=COMMUNE, named=(COMMUNE,))
    assert (acting.tenant, dict(acting.identity.attributes)) == (COMMUNE, {"uid": ("a",)})
    acting = establish(provider(), identity, chosen=LYCEE, named=(COMMUNE,))
    assert (acting.tenant, dict(acting.identity.attributes)) == (LYCEE, dict(identity.attributes))


def test_neither_what_nobody_names_nor_what_the_provider_may_not_say() -> None:
    with pytest.raises(GatewayError) as error:
        establish(provider(), known(siret=LYCEE), chosen=OTHER, named=(COMMUNE,))
    assert error.value.code is login_codes.MAPPING
    bounded = provider(perimeter=Perimeter(siret=frozenset({COMMUNE})))
    with pytest.raises(GatewayError) as error:
        establish(bounded, known(siret=LYCEE), chosen=COMMUNE, named=(COMMUNE,))
    assert error.value.code is login_codes.OUTSIDE_PERIMETER
    several = replace(known(), attributes={"siret": (LYCEE, OTHER)})
    with pytest.raises(GatewayError) as error:
        establish(provider(), several, chosen=COMMUNE, named=(COMMUNE,))
    assert error.value.code is login_codes.MAPPING, "its file says that it names one"


def test_what_directories_say_of_other_organisations_is_left_out() -> None:
    towns, held = directory(TOWNS), directory(HELD, rows="many", name="elus")
    identity = known(said(towns, towns=(COMMUNE, OTHER)), said(held, MAYOR, DEPUTY))
    of_one = in_the_name_of(COMMUNE, identity, [towns, held])
    assert [finding.values for finding in of_one.findings] == [{"towns": (COMMUNE,)}, {}]
    assert of_one.findings[1].terms == (MAYOR,)
    of_lycee = in_the_name_of(LYCEE, identity, [towns, held])
    assert ([one.values for one in of_lycee.findings], of_lycee.findings[1].terms) == ([{}, {}], ())
    plain = directory()
    assert in_the_name_of(COMMUNE, known(said(plain, uai=("1",))), [plain]).findings == (said(plain, uai=("1",)),)


def test_it_goes_on_while_somebody_says_so() -> None:
    held = directory(HELD, rows="many")
    mayor = known(said(held, MAYOR))
    assert acts_for(provider(), mayor, COMMUNE, [held], NOW)
    assert not acts_for(provider(), mayor, COMMUNE, [held], OVER)
    assert not acts_for(provider(), mayor, COMMUNE, [], NOW), "the directory is gone"
    assert not acts_for(provider(), known(unknown_of(held, "away", 0)), COMMUNE, [held], NOW)
    assert acts_for(provider(), known(siret=COMMUNE), COMMUNE, [], OVER), "the provider said so"
    assert acts_for(provider(), known(), None, [], OVER)


def test_what_is_known_counts_to_the_end_of_the_mandate_by_which_somebody_acts() -> None:
    held = directory(HELD, rows="many", lifetime=90 * 86400)
    mayor = known(said(held, MAYOR))
    assert counts_until(mayor, [held]) == OVER
    assert due_at(mayor, [held], 1.0) == OVER
    alone = directory(replace(HELD, acts_for=None), rows="many", lifetime=90 * 86400)
    assert OVER < counts_until(known(said(alone, MAYOR)), [alone]) < NEVER
