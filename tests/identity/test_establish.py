"""Whom a session may be made for, and that nothing but the perimeter makes one of these."""

import ast
from pathlib import Path

import pytest

from gateway.identity.establish import establish
from gateway.model.errors import GatewayError
from gateway.model.identity import Established, Identity
from gateway.model.provider import Perimeter
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
        ("Established", {"identity/establish.py"}),
        # What lets somebody in, of that proof alone; the stores make theirs of what they are given with it.
        # A trial serves nobody: the seat of a made-up person is asked about, and never kept.
        ("Seat", {"portal/flow/establish.py", "stores", "trial/trial.py"}),
        ("Session", {"stores"}),
    ],
)
def test_nothing_else_in_the_gateway_makes_one(made: str, where: set[str]) -> None:
    found = {
        "stores" if path.parent.name == "stores" else str(path.relative_to(GATEWAY))
        for path in GATEWAY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == made
    }
    assert found == where
