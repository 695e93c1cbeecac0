"""What a person is called on our pages."""

import pytest

from gateway.identity.naming import name_of
from gateway.model.identity import Identity


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"name": ("Camille Durand",), "mail": ("c@a.example",)}, "Camille Durand (c@a.example)"),
        ({"given_name": ("Camille",), "usual_name": ("Durand",), "uid": ("cdurand",)}, "Camille Durand (cdurand)"),
        ({"given_name": ("Camille",), "family_name": ("Durand",)}, "Camille Durand (s1)"),
        ({"email": ("c@a.example",)}, "c@a.example"),
        ({}, "s1"),
    ],
)
def test_people_are_called_as_they_call_themselves(attributes: dict[str, tuple[str, ...]], name: str) -> None:
    assert name_of(Identity("p", "https://p.example", "s1", attributes)) == name
